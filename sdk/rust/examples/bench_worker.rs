//! Runs tasks of the type `noop` and prints how many a second, until it is stopped: `bench_worker [SLOTS]` (100).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arkitect::{Context, Worker};
use serde_json::Value;

#[tokio::main]
async fn main() -> arkitect::Result<()> {
    let slots = std::env::args()
        .nth(1)
        .and_then(|slots| slots.parse().ok())
        .unwrap_or(100);
    let run = Arc::new(AtomicU64::new(0));

    let counted = Arc::clone(&run);
    tokio::spawn(async move {
        let mut seconds = tokio::time::interval(Duration::from_secs(1));
        seconds.tick().await;
        loop {
            seconds.tick().await;
            println!("{} tasks/s", counted.swap(0, Ordering::Relaxed));
        }
    });

    let mut worker = Worker::new("bench").slots(slots);
    worker.handle("noop", move |_context: Context, _parameters: Value| {
        run.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Ok(()))
    });
    worker.run().await
}
