use std::time::Duration;

use arkitect::{CancellationToken, Client, ConnectOptions, NewTask, Status, Task, WatchItem, WatchTasks, Worker};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Nothing that is waited for here takes longer.
const LIMIT: Duration = Duration::from_secs(30);

pub fn client(options: &ConnectOptions) -> Client {
    Client::new(options).expect("good options")
}

/// A worker that runs beside the test.
pub struct Running {
    stop: CancellationToken,
    run: JoinHandle<arkitect::Result<()>>,
}

/// Starts a worker and waits until it is connected.
pub async fn start(worker: Worker) -> Running {
    let mut connected = worker.connected();
    let stop = CancellationToken::new();
    let mut run = tokio::spawn(worker.run_until(stop.clone()));
    tokio::select! {
        answer = timeout(LIMIT, connected.wait_for(|yes| *yes)) => {
            answer.expect("a worker connects in time").expect("a worker goes on");
        }
        ended = &mut run => panic!("the worker ended: {ended:?}"),
    }
    Running { stop, run }
}

impl Running {
    /// Tells it to stop, and waits until it has.
    pub async fn stop(self) {
        self.stop.cancel();
        timeout(LIMIT, self.run)
            .await
            .expect("a worker stops in time")
            .expect("no panic")
            .expect("no error");
    }
}

/// A task of this type that is queued at once.
pub fn task(task_type: &str) -> NewTask {
    NewTask::new(format!("a task of {task_type}"), task_type).auto()
}

/// The task, as soon as it is in this state.
pub async fn reaches(client: &Client, id: &str, status: Status) -> Task {
    let wanted = async {
        let filter = WatchTasks {
            id: vec![id.to_owned()],
            ..WatchTasks::default()
        };
        let mut watch = client.watch(filter).await.expect("a watch");
        loop {
            let item = watch.next().await.expect("an item").expect("no end");
            let seen = match item {
                WatchItem::Event(event) => event.status,
                _ => Some(client.get(id).await.expect("the task").status),
            };
            if seen.as_ref() == Some(&status) {
                return client.get(id).await.expect("the task");
            }
        }
    };
    timeout(LIMIT, wanted)
        .await
        .unwrap_or_else(|_| panic!("task {id} does not become {status}"))
}

/// The task, as soon as it is finished.
pub async fn ends(client: &Client, id: &str) -> Task {
    timeout(LIMIT, client.wait(id))
        .await
        .unwrap_or_else(|_| panic!("task {id} does not end"))
        .expect("its end")
}
