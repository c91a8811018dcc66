use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arkitect::{BulkOptions, Context, CreateOptions, PageRequest, Status, TaskFailure, TraceContext, Worker};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::support::{client, ends, reaches, shared, start, task};

#[derive(Deserialize)]
struct Room {
    number: u32,
}

#[derive(Deserialize)]
struct Listens {
    listens: bool,
}

#[tokio::test]
async fn a_panic_is_a_failure_and_the_worker_goes_on() {
    let options = shared().options();
    let client = client(&options);
    let mut worker = Worker::new("panics").connect(options);
    worker.handle("attempts.panic", |_context: Context, room: Room| async move {
        assert_ne!(room.number, 13, "no room has this number");
        Ok(room.number)
    });
    let worker = start(worker).await;
    let enter = |number: u32| client.create(task("attempts.panic").parameters(json!({ "number": number })));
    let thirteen = ends(&client, &enter(13).await.expect("a task").id).await;
    let error = thirteen.error.expect("why it failed");
    assert_eq!((error.code.as_str(), error.retryable), ("HANDLER_ERROR", true));
    assert!(error.message.contains("no room has this number"), "{}", error.message);
    let seven = ends(&client, &enter(7).await.expect("a task").id).await;
    assert_eq!(seven.result_as::<u32>().expect("a number"), 7);
    worker.stop().await;
}

#[tokio::test]
async fn parameters_that_do_not_fit_fail_the_task_for_good() {
    let options = shared().options();
    let client = client(&options);
    let mut worker = Worker::new("fits").connect(options);
    worker.handle("attempts.fit", |_context: Context, room: Room| async move {
        Ok(room.number)
    });
    let worker = start(worker).await;
    let misfit = task("attempts.fit")
        .parameters(json!({ "number": "seven" }))
        .max_attempts(3);
    let ended = ends(&client, &client.create(misfit).await.expect("a task").id).await;
    let error = ended.error.expect("why it failed");
    assert_eq!(
        (error.code.as_str(), error.retryable, ended.attempt),
        ("INVALID_PARAMETERS", false, 1)
    );
    assert!(error.message.contains("expected u32"), "{}", error.message);
    worker.stop().await;
}

#[tokio::test]
async fn an_attempt_that_takes_too_long_is_told_and_fails_as_timeout() {
    let options = shared().options();
    let client = client(&options);
    let mut worker = Worker::new("slow")
        .connect(options)
        .stop_grace(Duration::from_millis(100));
    worker.handle("attempts.slow", |context: Context, listens: Listens| async move {
        if !listens.listens {
            std::future::pending::<()>().await;
        }
        context.cancelled().await;
        Ok("too late")
    });
    let worker = start(worker).await;
    for listens in [true, false] {
        let slow = task("attempts.slow")
            .parameters(json!({ "listens": listens }))
            .timeout_seconds(1);
        let ended = ends(&client, &client.create(slow).await.expect("a task").id).await;
        let error = ended.error.expect("why it failed");
        assert_eq!(
            (ended.status, error.code.as_str(), error.retryable),
            (Status::Failed, "TIMEOUT", true)
        );
    }
    worker.stop().await;
}

#[tokio::test]
async fn a_handler_sees_its_task_and_the_failure_says_when_to_try_again() {
    let options = shared().options();
    let client = client(&options);
    let mut worker = Worker::new("sees")
        .connect(options)
        .queues(["attempts-sees"])
        .label("region", "eu");
    worker.handle("attempts.sees", |context: Context, parameters: Value| async move {
        let task = context.task();
        if task.attempt == 1 {
            // Far sooner than the backoff of the task.
            return Err(TaskFailure::new("not yet", "come again").retry_after_seconds(0.0));
        }
        Ok(json!([
            task.id,
            task.name,
            task.task_type,
            task.queue,
            task.labels,
            task.attempt,
            task.max_attempts,
            parameters
        ]))
    });
    let worker = start(worker).await;
    let listed = client.workers().await.expect("the workers");
    let listed = listed
        .into_iter()
        .find(|worker| worker.name == "sees")
        .expect("this one");
    assert_eq!(
        (listed.slots, listed.queues, listed.types),
        (10, vec!["attempts-sees".into()], vec!["attempts.sees".into()])
    );
    assert_eq!(listed.labels.get("region").map(String::as_str), Some("eu"));
    assert!(listed.sdk.expect("what it is made with").starts_with("arkitect-rust/"));

    let backoff = arkitect::Backoff {
        delay_seconds: Some(3_600.0),
        max_delay_seconds: Some(3_600.0),
        ..Default::default()
    };
    let new = task("attempts.sees")
        .queue("attempts-sees")
        .label("color", "green")
        .max_attempts(2)
        .backoff(backoff)
        .parameters(json!({ "count": 3, "share": 0.5 }));
    let id = client.create(new).await.expect("a task").id;
    let ended = ends(&client, &id).await;
    let name = "a task of attempts.sees";
    let parameters = json!({ "count": 3, "share": 0.5 });
    let expected = json!([id, name, "attempts.sees", "attempts-sees", { "color": "green" }, 2, 2, parameters]);
    assert_eq!(ended.result, Some(expected));
    let first = &client
        .attempts(&id, PageRequest::default())
        .await
        .expect("its attempts")
        .items[0];
    assert_eq!(first.error.as_ref().expect("why it failed").code, "NOT_YET");
    worker.stop().await;
}

#[tokio::test]
async fn as_many_run_at_the_same_time_as_there_are_slots_and_never_more() {
    const SLOTS: usize = 4;
    let options = shared().options();
    let client = client(&options);
    let together = Arc::new(Barrier::new(SLOTS));
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counters = (Arc::clone(&running), Arc::clone(&most));
    let mut worker = Worker::new("slots")
        .connect(options)
        .slots(u32::try_from(SLOTS).expect("few"));
    worker.handle("attempts.slots", move |_context: Context, _parameters: Value| {
        let together = Arc::clone(&together);
        let (running, most) = (Arc::clone(&counters.0), Arc::clone(&counters.1));
        async move {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // Nobody gets on before all slots are in use.
            together.wait().await;
            running.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        }
    });
    let worker = start(worker).await;
    let tasks = vec![task("attempts.slots"); 10 * SLOTS];
    let created = client
        .create_many(tasks, arkitect::BulkOptions::default())
        .await
        .expect("the tasks");
    assert_eq!((created.created, created.failed), (40, 0));
    for item in created.items {
        assert_eq!(ends(&client, &item.expect("a task").id).await.status, Status::Completed);
    }
    assert_eq!(most.load(Ordering::SeqCst), SLOTS);
    worker.stop().await;
}

#[tokio::test]
async fn a_cancelled_handler_is_told_at_once_and_the_task_ends_cancelled() {
    let options = shared().options();
    let client = client(&options);
    let mut worker = Worker::new("cancels").connect(options);
    worker.handle("attempts.cancel", |context: Context, _parameters: Value| async move {
        context.cancelled().await;
        assert!(context.is_cancelled());
        Ok("whatever it says")
    });
    let worker = start(worker).await;
    let id = client.create(task("attempts.cancel")).await.expect("a task").id;
    reaches(&client, &id, Status::Running).await;
    client.cancel(&id).await.expect("it can be cancelled");
    assert_eq!(ends(&client, &id).await.status, Status::Cancelled);
    worker.stop().await;
}

#[tokio::test]
async fn an_attempt_knows_the_trace_that_its_task_was_created_in() {
    let options = shared().options();
    let client = client(&options);
    let mut worker = Worker::new("traced").connect(options);
    worker.handle("attempts.traced", |context: Context, _parameters: Value| async move {
        let trace = context.trace();
        Ok(json!([
            trace.map(|trace| &trace.traceparent),
            trace.map(|trace| &trace.tracestate)
        ]))
    });
    let worker = start(worker).await;
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let trace = |tracestate: Option<&str>| {
        Some(TraceContext {
            traceparent: traceparent.to_owned(),
            tracestate: tracestate.map(str::to_owned),
        })
    };
    let with = |trace| CreateOptions {
        trace,
        wait_seconds: Some(20),
        ..CreateOptions::default()
    };
    let run = |trace| client.create_with(task("attempts.traced"), with(trace));
    let traced = run(trace(Some("rojo=1"))).await.expect("a task").task;
    assert_eq!(traced.trace_id.as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
    assert_eq!(traced.result, Some(json!([traceparent, "rojo=1"])));
    let untraced = run(None).await.expect("a task").task;
    assert_eq!((untraced.trace_id, untraced.result), (None, Some(json!([null, null]))));
    let many = BulkOptions {
        trace: trace(None),
        ..BulkOptions::default()
    };
    let bulk = client
        .create_many(vec![task("attempts.traced")], many)
        .await
        .expect("a task");
    let id = &bulk.items[0].as_ref().expect("a task").id;
    assert_eq!(ends(&client, id).await.result, Some(json!([traceparent, null])));
    let wrong = run(Some(TraceContext {
        traceparent: "\n".to_owned(),
        tracestate: None,
    }));
    assert_eq!(wrong.await.expect_err("no header").code(), "VALIDATION_FAILED");
    worker.stop().await;
}
