//! What the server does not take must fail an attempt, not the stream of the worker: it would come again and again.

use arkitect::{Context, LogLevel, PageRequest, Status, TaskFailure, Worker};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{client, ends, shared, start, task};

fn nested(levels: usize) -> Value {
    (1..levels).fold(json!({}), |inner, _| json!({ "in": inner }))
}

#[derive(Deserialize)]
struct Wanted {
    result: String,
}

async fn results(_context: Context, wanted: Wanted) -> Result<Value, TaskFailure> {
    Ok(match wanted.result.as_str() {
        "a megabyte of text" => json!({ "text": "x".repeat(1_000_000) }),
        "too much text" => json!({ "text": "x".repeat(1024 * 1024) }),
        "far too much text" => json!({ "text": "x".repeat(20 * 1024 * 1024) }),
        "many small numbers" => json!(vec![1; 500_000]),
        "32 levels" => nested(32),
        "33 levels" => nested(33),
        "NUL" => json!("a\0b"),
        other => return Err(TaskFailure::new("UNKNOWN", other)),
    })
}

#[tokio::test]
async fn results_are_stored_up_to_the_limits_and_refused_beyond_them() {
    let options = shared().options();
    let client = client(&options);
    let mut worker = Worker::new("results").connect(options);
    worker.handle("limits.results", results);
    let worker = start(worker).await;
    for (result, storable) in [
        ("far too much text", false),
        ("a megabyte of text", true),
        ("too much text", false),
        ("many small numbers", true),
        ("32 levels", true),
        ("33 levels", false),
        ("NUL", false),
    ] {
        let new = task("limits.results")
            .parameters(json!({ "result": result }))
            .max_attempts(2);

        let ended = ends(&client, &client.create(new).await.expect("a task").id).await;
        let code = ended.error.map(|error| error.code);
        let expected = if storable {
            (Status::Completed, None)
        } else {
            (Status::Failed, Some("RESULT_NOT_STORABLE".into()))
        };
        assert_eq!((ended.status, code), expected, "{result}");
        assert_eq!(ended.attempt, 1, "{result}");
    }
    worker.stop().await;
}

#[tokio::test]
async fn parameters_as_deep_as_the_server_takes_them_come_through() {
    let options = shared().options();
    let client = client(&options);
    let mut worker = Worker::new("deep").connect(options);
    worker.handle("limits.deep", |_context: Context, parameters: Value| async move {
        Ok(parameters)
    });
    let worker = start(worker).await;
    let new = task("limits.deep").parameters(nested(32));
    let ended = ends(&client, &client.create(new).await.expect("a task").id).await;
    assert_eq!(ended.result, Some(nested(32)));
    worker.stop().await;
}

#[tokio::test]
async fn reports_that_the_server_would_refuse_do_no_harm() {
    let options = shared().options();
    let client = client(&options);
    let mut worker = Worker::new("reports").connect(options);
    worker.handle("limits.reports", |context: Context, _parameters: Value| async move {
        context.progress_with(250.0, &"long \0".repeat(1_000));
        context.progress(f64::NAN);
        context.log(LogLevel::Other("loud".into()), &"😀".repeat(20_000));
        context.log_with(LogLevel::Warn, "nul", json!({ "text": "a\0b" }));
        context.log_with(LogLevel::Warn, "deep", nested(40));
        context.log_with(LogLevel::Error, "bare", 7);
        let refused = context.set_checkpoint(nested(33)).expect_err("too deep");
        assert_eq!(
            (refused.code(), refused.field_errors()[0].field.as_str()),
            ("VALIDATION_FAILED", "checkpoint")
        );
        context.set_checkpoint("text").expect_err("no object");
        Err::<(), _>(
            TaskFailure::new("no code", "a\0b".repeat(5_000))
                .retry_after_seconds(-5.0)
                .not_retryable(),
        )
    });
    let worker = start(worker).await;
    let id = client.create(task("limits.reports")).await.expect("a task").id;
    let ended = ends(&client, &id).await;
    let error = ended.error.expect("why it failed");
    assert_eq!(error.code, "NO_CODE");
    assert!(error.message.starts_with("a\u{fffd}b"));
    assert!((ended.progress - 100.0).abs() < f64::EPSILON);
    let lines = client.logs(&id, PageRequest::default()).await.expect("its log").items;
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line.level.as_str(), line.data.clone()))
        .collect();
    assert_eq!(told[0], ("info", None));
    assert!(
        told[1].1.as_ref().is_some_and(|data| data["refused"].is_string()),
        "{told:?}"
    );
    assert!(
        told[2].1.as_ref().is_some_and(|data| data["refused"].is_string()),
        "{told:?}"
    );
    assert_eq!(told[3], ("error", Some(json!({ "value": 7 }))));
    worker.stop().await;
}

#[tokio::test]
async fn every_one_of_many_log_lines_is_kept() {
    let options = shared().options();
    let client = client(&options);
    let mut worker = Worker::new("logs").connect(options);
    worker.handle("limits.logs", |context: Context, _parameters: Value| async move {
        for line in 0..2_500 {
            context.log(LogLevel::Info, &line.to_string());
        }
        Ok(())
    });
    let worker = start(worker).await;
    let id = client.create(task("limits.logs")).await.expect("a task").id;
    ends(&client, &id).await;
    let (mut page, mut lines) = (
        PageRequest {
            limit: Some(200),
            cursor: None,
        },
        Vec::new(),
    );
    loop {
        let got = client.logs(&id, page).await.expect("its log");
        lines.extend(
            got.items
                .into_iter()
                .map(|line| line.message.parse::<u32>().expect("its number")),
        );
        page.cursor = got.next_cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    lines.sort_unstable();
    assert!(lines.into_iter().eq(0..2_500));
    worker.stop().await;
}
