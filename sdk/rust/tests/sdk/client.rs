use arkitect::{
    BulkOptions, CancellationToken, ConnectOptions, CreateOptions, Error, FieldProblem, ListTasks, NewTask,
    PageRequest, Priority, Status, TaskUpdate, Worker,
};
use serde_json::json;

use crate::support::{client, shared};

const NO_TASK: &str = "0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b";

fn fields(error: &Error) -> Vec<&str> {
    error
        .field_errors()
        .iter()
        .map(|problem| problem.field.as_str())
        .collect()
}

#[tokio::test]
async fn errors_have_a_code_and_name_the_fields() {
    let client = client(&shared().options());
    let bad = NewTask {
        max_attempts: Some(0),
        priority: Some("urgent".into()),
        ..NewTask::new("bad", "echo")
    };
    let error = client.create(bad).await.expect_err("a bad task");
    assert_eq!(error.code(), "VALIDATION_FAILED");
    assert!(!error.message().is_empty());
    let mut named = fields(&error);
    named.sort_unstable();
    assert_eq!(named, ["max_attempts", "priority"]);

    let error = client
        .create(NewTask::new("list", "echo").parameters(json!([1])))
        .await
        .expect_err("no object");
    let expected = FieldProblem {
        field: "parameters".into(),
        message: "must be a JSON object".into(),
    };
    assert_eq!(
        (error.code(), error.field_errors()),
        ("VALIDATION_FAILED", &[expected][..])
    );

    let error = client.get(NO_TASK).await.expect_err("no such task");
    assert_eq!((error.code(), error.is_transient()), ("NOT_FOUND", false));
    assert_eq!(fields(&client.get("no-id").await.expect_err("no id")), ["id"]);
}

#[tokio::test]
async fn a_task_goes_through_its_life() {
    let client = client(&shared().options());
    let new = NewTask::new("life", "echo")
        .parameters(json!({ "a": 1, "b": [1.5, null] }))
        .label("team", "red");
    let task = client.create(new).await.expect("a task");
    assert_eq!(
        (&task.status, &task.priority, task.version),
        (&Status::Pending, &Priority::Medium, 1)
    );

    let update = TaskUpdate {
        task: NewTask {
            priority: Some(Priority::High),
            ..NewTask::default()
        }
        .parameters(json!({ "a": null, "c": "new" })),
        remove_labels: vec!["team".into()],
        version: Some(1),
    };
    let task = client.update(&task.id, update.clone()).await.expect("the new task");
    assert_eq!(
        serde_json::Value::Object(task.parameters),
        json!({ "b": [1.5, null], "c": "new" })
    );
    assert_eq!((&task.priority, task.labels.len()), (&Priority::High, 0));
    let error = client.update(&task.id, update).await.expect_err("an old version");
    assert_eq!(error.code(), "VERSION_MISMATCH");

    let replaced = client
        .replace(&task.id, NewTask::new("again", "echo"), Some(task.version))
        .await
        .expect("the new task");
    assert_eq!(
        (replaced.name.as_str(), &replaced.priority, replaced.parameters.len()),
        ("again", &Priority::Medium, 0)
    );

    let done = client.execute(&task.id, Some(30)).await.expect("its end");
    assert_eq!(done.status, Status::Completed);
    assert_eq!(
        client.cancel(&task.id).await.expect_err("it is finished").code(),
        "CONFLICT"
    );
    let attempts = client
        .attempts(&task.id, PageRequest::default())
        .await
        .expect("its attempts");
    assert_eq!((attempts.items.len(), attempts.next_cursor), (1, None));
    let events = client
        .events(
            &task.id,
            PageRequest {
                limit: Some(2),
                cursor: None,
            },
        )
        .await
        .expect("its events");
    assert_eq!(events.items.len(), 2);
    assert!(events.next_cursor.is_some());

    client.delete(&task.id, None).await.expect("it is gone");
    assert_eq!(client.get(&task.id).await.expect_err("it is gone").code(), "NOT_FOUND");
}

#[tokio::test]
async fn a_cancelled_task_can_be_retried() {
    let client = client(&shared().options());
    let task = client.create(NewTask::new("again", "echo")).await.expect("a task");
    assert_eq!(
        client.cancel(&task.id).await.expect("it waits").status,
        Status::Cancelled
    );
    client.retry(&task.id).await.expect("it is queued");
    assert_eq!(client.wait(&task.id).await.expect("its end").status, Status::Completed);
}

#[tokio::test]
async fn the_same_idempotency_key_creates_once() {
    let client = client(&shared().options());
    let options = CreateOptions {
        idempotency_key: Some("rust-client-once".into()),
        wait_seconds: None,
        ..CreateOptions::default()
    };
    let first = client
        .create_with(NewTask::new("once", "echo"), options.clone())
        .await
        .expect("a task");
    let again = client
        .create_with(NewTask::new("once", "echo"), options.clone())
        .await
        .expect("the same");
    assert_eq!(
        (first.replayed, again.replayed, &again.task.id),
        (false, true, &first.task.id)
    );
    let error = client
        .create_with(NewTask::new("other", "echo"), options)
        .await
        .expect_err("another");
    assert_eq!(error.code(), "IDEMPOTENCY_KEY_REUSED");
}

#[tokio::test]
async fn many_are_created_beside_bad_ones_and_listed_page_by_page() {
    let client = client(&shared().options());
    let numbered = |number: u32| NewTask::new(format!("bulk {number}"), "echo").label("set", "rust-bulk");
    let tasks = vec![
        numbered(1),
        NewTask {
            name: None,
            ..numbered(2)
        },
        numbered(3),
    ];
    let made = client
        .create_many(tasks.clone(), BulkOptions::default())
        .await
        .expect("an answer");
    assert_eq!((made.created, made.failed, made.items.len()), (2, 1, 3));
    let error = made.items[1].as_ref().expect_err("it has no name");
    assert_eq!((error.code(), fields(error)), ("VALIDATION_FAILED", vec!["name"]));
    let options = BulkOptions {
        atomic: true,
        ..BulkOptions::default()
    };
    client.create_many(tasks, options).await.expect_err("all or nothing");

    let mut query = ListTasks {
        label: vec!["set=rust-bulk".into()],
        limit: Some(1),
        ..ListTasks::default()
    };
    let mut names = Vec::new();
    loop {
        let page = client.list(query.clone()).await.expect("a page");
        names.extend(page.items.into_iter().map(|task| task.name));
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            break;
        }
    }
    assert_eq!(names, ["bulk 3", "bulk 1"]);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    // The port of a listener that is gone.
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("its address").to_string();
    drop(listener);
    let error = client(&ConnectOptions::new(address))
        .get(NO_TASK)
        .await
        .expect_err("nobody there");
    assert_eq!((error.code(), error.is_transient()), ("UNAVAILABLE", true));
}

#[tokio::test]
async fn a_worker_that_the_server_does_not_want_ends_with_the_reason() {
    let options = shared().options();
    let mut worker = Worker::new("not a name").connect(options.clone());
    worker.handle("echo", |_context, _parameters: serde_json::Value| async { Ok(()) });
    let error = worker
        .run_until(CancellationToken::new())
        .await
        .expect_err("no such name");
    assert_eq!((error.code(), fields(&error)), ("VALIDATION_FAILED", vec!["name"]));

    let mut worker = Worker::new("stranger").connect(options.token("not-the-admin-token"));
    worker.handle("echo", |_context, _parameters: serde_json::Value| async { Ok(()) });
    let error = worker
        .run_until(CancellationToken::new())
        .await
        .expect_err("no such token");
    assert_eq!(error.code(), "UNAUTHENTICATED");
}
