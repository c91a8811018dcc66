use std::path::PathBuf;
use std::process::{Command, Stdio};

use arkitect::{Client, Worker};
use serde_json::json;

use crate::support::{client, ends, shared, start, task};

/// Examples lie beside the directory of the test that cargo has built together with them.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let directory = test
        .parent()
        .and_then(|deps| deps.parent())
        .expect("target/PROFILE/deps");
    directory.join("examples").join(name)
}

#[tokio::test]
async fn the_first_worker_greets_and_stops_on_sigterm() {
    let server = shared();
    let mut example = Command::new(example("first_worker"))
        .env("ARKITECT_GRPC_URL", server.address())
        .stdin(Stdio::null())
        .spawn()
        .expect("cargo test builds the examples");
    let client = client(&server.options());
    let id = queue_greeting(&client).await;
    let task = ends(&client, &id).await;
    assert_eq!(task.result, Some(json!({ "greeting": "Hello, World" })));

    let pid = example.id().to_string();
    assert!(
        Command::new("sh")
            .args(["-c", "kill -TERM $0", &pid])
            .status()
            .expect("sh")
            .success()
    );
    let ended = tokio::task::spawn_blocking(move || example.wait())
        .await
        .expect("no panic")
        .expect("its end");
    assert!(ended.success(), "{ended}");
}

/// Tasks of a type are accepted once some worker has announced it; a worker that only announces it makes sure of that.
async fn queue_greeting(client: &Client) -> String {
    let mut announcer = Worker::new("announcer")
        .connect(shared().options())
        .queues(["nothing-is-here"]);
    announcer.handle("greet", |_context, _parameters: serde_json::Value| async { Ok(()) });
    let announcer = start(announcer).await;
    let greeting = task("greet").parameters(json!({ "name": "World" }));
    let id = client.create(greeting).await.expect("a task").id;
    announcer.stop().await;
    id
}

#[tokio::test]
async fn the_readme_shows_the_first_worker_as_it_is() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).expect("the README");
    let example = std::fs::read_to_string(root.join("examples/first_worker.rs")).expect("the example");
    assert!(readme.contains(&format!("```rust\n{example}```")));
    assert!(example.lines().count() < 25);
}
