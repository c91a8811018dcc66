use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arkitect::{BulkOptions, Context, Status, Worker};
use serde_json::{Value, json};
use tokio::sync::{Notify, Semaphore};

use crate::support::{Server, client, ends, reaches, start, task};

#[tokio::test]
async fn a_worker_comes_back_to_a_server_that_was_killed_and_keeps_what_it_runs() {
    let mut server = Server::start(&[]);
    let options = server.options();
    let go = Arc::new(Semaphore::new(0));
    let waited = Arc::clone(&go);
    let mut worker = Worker::new("faithful").connect(options.clone());
    worker.handle("reconnect.keep", move |context: Context, _parameters: Value| {
        let go = Arc::clone(&waited);
        async move {
            go.acquire().await.expect("never closed").forget();
            Ok(json!({ "attempt": context.task().attempt }))
        }
    });
    let mut connected = worker.connected();
    let worker = start(worker).await;
    let id = client(&options)
        .create(task("reconnect.keep"))
        .await
        .expect("a task")
        .id;
    reaches(&client(&options), &id, Status::Running).await;

    server.kill();
    connected.wait_for(|yes| !yes).await.expect("it goes on");
    server.start_again();
    connected.wait_for(|yes| *yes).await.expect("it goes on");
    go.add_permits(10);
    let client = client(&options);
    let ended = ends(&client, &id).await;
    assert_eq!(
        (ended.status, ended.result),
        (Status::Completed, Some(json!({ "attempt": 1 })))
    );
    let next = client.create(task("reconnect.keep")).await.expect("another task").id;
    assert_eq!(ends(&client, &next).await.status, Status::Completed);
    worker.stop().await;
}

#[tokio::test]
async fn no_task_is_left_behind_when_the_server_is_killed_under_load() {
    const TASKS: usize = 400;
    let mut server = Server::start(&[]);
    let options = server.options();
    let (runs, a_quarter) = (AtomicUsize::new(0), Arc::new(Notify::new()));
    let reached = Arc::clone(&a_quarter);
    let mut worker = Worker::new("busy").connect(options.clone()).slots(20);
    worker.handle("reconnect.load", move |context: Context, _parameters: Value| {
        if runs.fetch_add(1, Ordering::SeqCst) == TASKS / 4 {
            reached.notify_one();
        }
        async move {
            context.progress(50.0);
            tokio::task::yield_now().await;
            Ok(())
        }
    });
    let worker = start(worker).await;
    let created = client(&options)
        .create_many(vec![task("reconnect.load"); TASKS], BulkOptions::default())
        .await;
    let created = created.expect("the tasks");
    a_quarter.notified().await;
    server.kill();
    server.start_again();
    let client = client(&options);
    for item in created.items {
        let ended = ends(&client, &item.expect("a task").id).await;
        assert_eq!(ended.status, Status::Completed);
    }
    worker.stop().await;
}
