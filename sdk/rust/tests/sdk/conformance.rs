use arkitect::{Client, Context, LogLevel, NewTask, PageRequest, Start, Status, TaskFailure, Worker};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::support::{client, ends, reaches, shared, start};

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Script {
    log: Vec<Line>,
    progress: Vec<Progress>,
    checkpoint: Option<Map<String, Value>>,
    fail_until_attempt: u32,
    wait_for_cancel: bool,
    fail: Option<Fail>,
    return_checkpoint: bool,
    r#return: Value,
}

#[derive(Deserialize)]
struct Line {
    level: LogLevel,
    message: String,
    data: Option<Value>,
}

#[derive(Deserialize)]
struct Progress {
    percent: f64,
    message: String,
}

#[derive(Deserialize)]
struct Fail {
    code: String,
    message: String,
    retryable: bool,
}

#[derive(Deserialize)]
struct Scenario {
    name: String,
    task: NewTask,
    #[serde(default)]
    cancel_when_running: bool,
    expect: Map<String, Value>,
}

async fn conformance(context: Context, script: Script) -> Result<Value, TaskFailure> {
    for line in script.log {
        context.log_with(line.level, &line.message, line.data);
    }
    for progress in script.progress {
        context.progress_with(progress.percent, &progress.message);
    }
    if let Some(checkpoint) = script.checkpoint {
        context.set_checkpoint(checkpoint)?;
    }
    if context.task().attempt < script.fail_until_attempt {
        return Err(TaskFailure::new("NOT_YET", "not yet"));
    }
    if script.wait_for_cancel {
        context.cancelled().await;
        return Err(TaskFailure::handler_error("told to stop"));
    }
    if let Some(Fail {
        code,
        message,
        retryable,
    }) = script.fail
    {
        let failure = TaskFailure::new(code, message);
        return Err(if retryable { failure } else { failure.not_retryable() });
    }
    if script.return_checkpoint {
        return Ok(json!({ "checkpoint": context.checkpoint::<Value>()? }));
    }
    Ok(script.r#return)
}

#[tokio::test]
async fn all_scenarios_hold() {
    let options = shared().options();
    let mut worker = Worker::new("conformance").connect(options.clone());
    worker.handle("conformance", conformance);
    let worker = start(worker).await;

    let scenarios = concat!(env!("CARGO_MANIFEST_DIR"), "/../conformance/scenarios.json");
    let scenarios = std::fs::read_to_string(scenarios).expect("the scenarios");
    let scenarios: Vec<Scenario> = serde_json::from_str(&scenarios).expect("scenarios as their README says");
    assert!(!scenarios.is_empty());
    let client = client(&options);
    for scenario in scenarios {
        holds(&client, scenario).await;
    }
    worker.stop().await;
}

async fn holds(client: &Client, scenario: Scenario) {
    let Scenario {
        name,
        mut task,
        cancel_when_running,
        expect,
    } = scenario;
    task.name.get_or_insert_with(|| name.clone());
    task.task_type = Some("conformance".to_owned());
    task.start = Some(Start::Auto);
    let id = client.create(task).await.expect("a task").id;
    if cancel_when_running {
        reaches(client, &id, Status::Running).await;
        client.cancel(&id).await.expect("it can be cancelled");
    }
    let task = ends(client, &id).await;
    let error = task.error.as_ref();
    for (key, wanted) in expect {
        let got = match key.as_str() {
            "status" => json!(task.status),
            "result" => task.result.clone().unwrap_or_default(),
            "error_code" => json!(error.map(|error| &error.code)),
            "error_retryable" => json!(error.map(|error| error.retryable)),
            "attempt" => json!(task.attempt),
            "progress" => {
                assert_eq!(Some(task.progress), wanted.as_f64(), "{name}: progress");
                continue;
            }
            "progress_message" => json!(task.progress_message),
            "logs" => {
                let page = client.logs(&id, PageRequest::default()).await.expect("its log");
                page.items.into_iter().map(|line| line.message).collect()
            }
            other => panic!("{name} expects {other}, which is not known here"),
        };
        assert_eq!(got, wanted, "{name}: {key}");
    }
}
