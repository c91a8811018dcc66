use arkitect::{Context, Status, Worker};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::support::{Server, client, ends, reaches, shared, start, task};

/// What a first attempt has to say; a second one just ends.
#[derive(Debug, PartialEq)]
enum Said {
    Cancelled,
    Dropped,
}

struct SaysWhenDropped(UnboundedSender<Said>);

impl Drop for SaysWhenDropped {
    fn drop(&mut self) {
        let _ = self.0.send(Said::Dropped);
    }
}

/// Its first attempts say when they are cancelled and when they are dropped, and never end.
fn stubborn(name: &str, task_type: &str) -> (Worker, UnboundedReceiver<Said>) {
    let (sender, said) = unbounded_channel();
    let mut worker = Worker::new(name);
    worker.handle(task_type, move |context: Context, _parameters: Value| {
        let sender = sender.clone();
        async move {
            if context.task().attempt > 1 {
                return Ok(json!({ "attempt": context.task().attempt }));
            }
            let _guard = SaysWhenDropped(sender.clone());
            context.cancelled().await;
            let _ = sender.send(Said::Cancelled);
            std::future::pending().await
        }
    });
    (worker, said)
}

#[tokio::test]
async fn a_worker_that_hears_nothing_of_the_server_stops_before_its_leases_are_over() {
    let mut server = Server::start(&[("ENGINE_LEASE_SECONDS", "3")]);
    let options = server.options();
    let (worker, mut said) = stubborn("deaf", "lease.silence");
    let worker = start(worker.connect(options.clone())).await;
    let id = client(&options).create(task("lease.silence")).await.expect("a task").id;
    reaches(&client(&options), &id, Status::Running).await;

    server.pause();
    assert_eq!(said.recv().await, Some(Said::Cancelled));
    assert_eq!(said.recv().await, Some(Said::Dropped));
    server.resume();
    let ended = ends(&client(&options), &id).await;
    assert_eq!(ended.result, Some(json!({ "attempt": 2 })));
    worker.stop().await;
}

#[tokio::test]
async fn an_attempt_whose_lease_was_revoked_is_stopped_and_its_task_runs_again() {
    let options = shared().options();
    let client = client(&options);
    let (worker, mut said) = stubborn("revoked", "lease.revoked");
    let worker = start(worker.connect(options.clone())).await;
    let id = client.create(task("lease.revoked")).await.expect("a task").id;
    let running = reaches(&client, &id, Status::Running).await;

    client
        .disconnect_worker(&running.worker_id.expect("who runs it"))
        .await
        .expect("it is told");
    assert_eq!(said.recv().await, Some(Said::Cancelled));
    let ended = ends(&client, &id).await;
    assert_eq!(ended.result, Some(json!({ "attempt": 2 })));
    worker.stop().await;
}
