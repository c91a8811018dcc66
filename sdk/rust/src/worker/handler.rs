use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;

use super::context::Context;
use super::failure::TaskFailure;

type Attempt = Pin<Box<dyn Future<Output = Result<Value, TaskFailure>> + Send>>;

/// The code that runs one type, its own types hidden.
pub type Handler = Arc<dyn Fn(Context) -> Attempt + Send + Sync>;

pub fn handler<P, R, F, Fut>(handle: F) -> Handler
where
    P: DeserializeOwned,
    R: Serialize,
    F: Fn(Context, P) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, TaskFailure>> + Send + 'static,
{
    Arc::new(move |context: Context| -> Attempt {
        let parameters = match P::deserialize(&context.task().parameters) {
            Ok(parameters) => parameters,
            Err(error) => return Box::pin(ready(Err(TaskFailure::parameters(error)))),
        };
        let attempt = handle(context, parameters);
        Box::pin(async move {
            let result = attempt.await?;
            serde_json::to_value(result)
                .map_err(|error| TaskFailure::result(format_args!("cannot be written as JSON: {error}")))
        })
    })
}

/// Runs one attempt to its end. When its time is over it is told so, and dropped if it has not ended some time later.
pub async fn run(handler: Handler, context: Context, stop_grace: Duration) -> Result<Value, TaskFailure> {
    let seconds = u64::from(context.task().timeout_seconds);
    let cancellation = context.cancellation().clone();
    let mut attempt = handler(context);
    if let Ok(ended) = timeout(Duration::from_secs(seconds), &mut attempt).await {
        return ended;
    }
    cancellation.cancel();
    // Whatever it still returns, it is too late.
    let _ = timeout(stop_grace, attempt).await;
    Err(TaskFailure::timeout(seconds))
}
