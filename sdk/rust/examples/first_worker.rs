// Runs tasks of the type `greet` until SIGTERM or Ctrl-C.
use arkitect::{Context, TaskFailure, Worker};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Greet {
    name: String,
}

async fn greet(_context: Context, greet: Greet) -> Result<Value, TaskFailure> {
    Ok(json!({ "greeting": format!("Hello, {}", greet.name) }))
}

#[tokio::main]
async fn main() -> arkitect::Result<()> {
    let mut worker = Worker::new("first-worker");
    worker.handle("greet", greet);
    worker.run().await
}
