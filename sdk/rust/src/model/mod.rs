//! What the client takes and answers: the messages of the contract, in Rust's types.

mod new_task;
mod query;
mod record;
mod task;
mod trace;
mod watch;
mod words;

pub use new_task::{BulkOptions, CreateOptions, NewTask, TaskUpdate};
pub use query::{ListTasks, Page, PageRequest, WatchTasks};
pub use record::{Attempt, Bulk, BulkItem, Created, TaskLog, WorkerInfo};
pub use task::{Backoff, Task, TaskError};
pub use trace::TraceContext;
pub use watch::{TaskEvent, TaskLogLine, WatchItem};
pub use words::{Action, AttemptStatus, BackoffKind, LogLevel, Order, Priority, Start, Status, WorkerState};

/// A number of the wire that is never negative.
pub(crate) fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

/// A number for the wire; what does not fit there is far beyond every limit, and the server says so.
pub(crate) fn wire(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
