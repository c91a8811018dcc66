mod calls;
mod watch;

pub use watch::Watch;

use crate::connect::{Authorized, ConnectOptions, MAX_MESSAGE_BYTES};
use crate::error::{Error, Result};
use crate::model::Task;
use crate::proto::task_service_client::TaskServiceClient;
use crate::proto::worker_service_client::WorkerServiceClient;

/// Creates tasks and looks at what became of them. Cheap to clone; all clones share one connection, which is made by the first
/// call and made anew by the next call after it broke.
///
/// ```no_run
/// use arkitect::{Client, ConnectOptions, NewTask};
/// use serde_json::json;
///
/// # async fn example() -> arkitect::Result<()> {
/// let client = Client::new(&ConnectOptions::from_env())?;
/// let task = client.create(NewTask::new("hello", "greet").parameters(json!({ "name": "World" })).auto()).await?;
/// let task = client.wait(&task.id).await?;
/// println!("{} with {:?}", task.status, task.result);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    tasks: TaskServiceClient<Authorized>,
    workers: WorkerServiceClient<Authorized>,
}

impl Client {
    /// Does not connect yet. `INVALID_OPTIONS` when it never could.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime.
    pub fn new(options: &ConnectOptions) -> Result<Self> {
        let channel = options.endpoint()?.connect_lazy();
        let token = options.token_interceptor()?;
        Ok(Self {
            tasks: TaskServiceClient::with_interceptor(channel.clone(), token.clone())
                .max_decoding_message_size(MAX_MESSAGE_BYTES),
            workers: WorkerServiceClient::with_interceptor(channel, token).max_decoding_message_size(MAX_MESSAGE_BYTES),
        })
    }
}

/// Every answer with a task has one.
fn task_of(task: Option<crate::proto::Task>) -> Result<Task> {
    task.map(Task::from)
        .ok_or_else(|| Error::unreadable("there is no task in it"))
}
