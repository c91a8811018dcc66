mod server;
mod workers;

pub use server::{Server, shared};
pub use workers::{client, ends, reaches, start, task};
