use std::process::{Command, Stdio};

use arkitect::{Context, Status, Worker};
use serde_json::{Value, json};

use crate::support::{client, reaches, shared, start, task};

const URL: &str = "ARKITECT_SDK_TEST_WORKER";

/// No test: the process that `the_task_of_a_worker_that_was_killed_runs_elsewhere` kills.
#[tokio::test]
#[ignore = "is run by another test"]
async fn worker_that_never_ends() {
    let Ok(url) = std::env::var(URL) else { return };
    let mut worker = Worker::new("victim").connect(arkitect::ConnectOptions::new(url));
    worker.handle("crash", |_context: Context, _parameters: Value| {
        std::future::pending::<Result<(), _>>()
    });
    worker.run().await.expect("it is killed before");
}

#[tokio::test]
async fn the_task_of_a_worker_that_was_killed_runs_elsewhere() {
    let server = shared();
    let mut victim = Command::new(std::env::current_exe().expect("the path of this test"))
        .args(["--ignored", "--exact", "crash::worker_that_never_ends"])
        .env(URL, server.address())
        .stdout(Stdio::null())
        .spawn()
        .expect("this test");
    let client = client(&server.options());
    // Only announces the type, so that the task can be created before the victim is there.
    let mut announcer = Worker::new("announcer")
        .connect(server.options())
        .queues(["nothing-is-here"]);
    announcer.handle("crash", |_context: Context, _parameters: Value| async { Ok(()) });
    let announcer = start(announcer).await;
    let id = client.create(task("crash")).await.expect("a task").id;
    let running = reaches(&client, &id, Status::Running).await;
    assert!(running.worker_id.expect("who runs it").starts_with("victim@"));
    announcer.stop().await;

    victim.kill().expect("it lives");
    victim.wait().expect("it is dead");
    let mut rescuer = Worker::new("rescuer").connect(server.options());
    rescuer.handle("crash", |context: Context, _parameters: Value| async move {
        Ok(json!({ "attempt": context.task().attempt }))
    });
    let rescuer = start(rescuer).await;
    let ended = reaches(&client, &id, Status::Completed).await;
    assert_eq!(ended.result, Some(json!({ "attempt": 2 })));
    assert!(ended.worker_id.expect("who ran it").starts_with("rescuer@"));
    rescuer.stop().await;
}
