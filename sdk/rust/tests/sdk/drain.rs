use std::sync::Arc;
use std::time::Duration;

use arkitect::{AttemptStatus, Context, PageRequest, Status, TaskFailure, Worker};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::support::{client, ends, reaches, shared, start, task};

#[derive(Deserialize)]
struct Wait {
    wait: bool,
}

#[tokio::test]
async fn what_has_not_finished_at_the_limit_goes_back_with_its_checkpoint() {
    let options = shared().options();
    let client = client(&options);
    let mut first = Worker::new("drained")
        .connect(options.clone())
        .drain_limit(Duration::from_millis(100));
    first.handle("drain.back", |context: Context, _parameters: Value| async move {
        context.cancelled().await;
        context.set_checkpoint(json!({ "page": 3 }))?;
        Err::<(), _>(TaskFailure::handler_error("told to stop"))
    });
    let first = start(first).await;
    let id = client.create(task("drain.back")).await.expect("a task").id;
    reaches(&client, &id, Status::Running).await;
    first.stop().await;
    let back = client.get(&id).await.expect("the task");
    assert_eq!((back.status, back.error), (Status::Queued, None));

    let mut second = Worker::new("second").connect(options.clone());
    second.handle("drain.back", |context: Context, _parameters: Value| async move {
        Ok(context.checkpoint::<Value>()?)
    });
    let second = start(second).await;
    let ended = ends(&client, &id).await;
    assert_eq!(ended.result, Some(json!({ "page": 3 })));
    let attempts = client
        .attempts(&id, PageRequest::default())
        .await
        .expect("its attempts")
        .items;
    let statuses: Vec<_> = attempts.into_iter().map(|attempt| attempt.status).collect();
    assert_eq!(statuses, [AttemptStatus::Released, AttemptStatus::Completed]);
    second.stop().await;
}

#[tokio::test]
async fn a_handler_that_does_not_listen_is_dropped_and_its_task_goes_back() {
    let options = shared().options();
    let client = client(&options);
    let mut worker = Worker::new("deaf")
        .connect(options.clone())
        .drain_limit(Duration::ZERO)
        .stop_grace(Duration::from_millis(100));
    worker.handle("drain.deaf", |_context: Context, _parameters: Value| {
        std::future::pending::<Result<(), _>>()
    });
    let worker = start(worker).await;
    let id = client.create(task("drain.deaf")).await.expect("a task").id;
    reaches(&client, &id, Status::Running).await;
    worker.stop().await;
    assert_eq!(client.get(&id).await.expect("the task").status, Status::Queued);
}

#[tokio::test]
async fn what_finishes_before_the_limit_is_settled_and_nothing_new_begins() {
    let options = shared().options();
    let client = client(&options);
    let go = Arc::new(Notify::new());
    let mut worker = Worker::new("finishing").connect(options.clone()).slots(1);
    let waited = Arc::clone(&go);
    worker.handle("drain.finish", move |_context: Context, _parameters: Value| {
        let go = Arc::clone(&waited);
        async move {
            go.notified().await;
            Ok("finished")
        }
    });
    let worker = start(worker).await;
    let id = client.create(task("drain.finish")).await.expect("a task").id;
    reaches(&client, &id, Status::Running).await;
    let next = client.create(task("drain.finish")).await.expect("another task").id;
    let ((), ()) = tokio::join!(worker.stop(), async { go.notify_one() });
    let ended = client.get(&id).await.expect("the task");
    assert_eq!(
        (ended.status, ended.result),
        (Status::Completed, Some(json!("finished")))
    );
    assert_eq!(client.get(&next).await.expect("the other task").status, Status::Queued);
}

#[tokio::test]
async fn a_worker_that_the_server_drains_finishes_and_connects_again() {
    let options = shared().options();
    let client = client(&options);
    let go = Arc::new(Notify::new());
    let waited = Arc::clone(&go);
    let mut worker = Worker::new("asked-to-drain").connect(options.clone());
    worker.handle("drain.server", move |_context: Context, wait: Wait| {
        let go = Arc::clone(&waited);
        async move {
            if wait.wait {
                go.notified().await;
            }
            Ok("finished")
        }
    });
    let worker = start(worker).await;
    let id = client
        .create(task("drain.server").parameters(json!({ "wait": true })))
        .await
        .expect("a task")
        .id;
    let running = reaches(&client, &id, Status::Running).await;
    client
        .drain_worker(&running.worker_id.expect("who runs it"))
        .await
        .expect("it is told");
    go.notify_one();
    let ended = ends(&client, &id).await;
    assert_eq!(ended.result, Some(json!("finished")));
    // Only a worker that is back gets this one.
    let id = client
        .create(task("drain.server").parameters(json!({ "wait": false })))
        .await
        .expect("a task")
        .id;
    assert_eq!(ends(&client, &id).await.status, Status::Completed);
    worker.stop().await;
}
