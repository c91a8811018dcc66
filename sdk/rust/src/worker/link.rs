use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::task::AbortOnDropHandle;

use crate::connect::{ConnectOptions, MAX_MESSAGE_BYTES};
use crate::error::{Error, Result, chain};
use crate::proto::worker_service_client::WorkerServiceClient;
use crate::proto::{WorkRequest, work_request, work_response};

/// What comes over a stream.
#[derive(Debug)]
pub enum Answer {
    Message(work_response::Message),
    /// It is over; the last answer.
    Closed(Option<Error>),
}

/// One stream to a server, on a connection of its own.
pub struct Link {
    /// Room for one message: while it waits to be written, results gather for the next. `None` when everything is said.
    pub requests: Option<mpsc::Sender<WorkRequest>>,
    pub answers: mpsc::Receiver<Answer>,
    _task: AbortOnDropHandle<()>,
}

impl Link {
    /// Connects with this first message.
    pub fn open(options: &ConnectOptions, hello: work_request::Message) -> Self {
        let (requests, outgoing) = mpsc::channel(1);
        let (incoming, answers) = mpsc::channel(16);
        requests
            .try_send(WorkRequest { message: Some(hello) })
            .expect("a new channel has room");
        let options = options.clone();
        let task = tokio::spawn(async move {
            let error = carry(&options, outgoing, &incoming).await.err();
            // Nobody listens any more when the worker is dropped.
            let _ = incoming.send(Answer::Closed(error)).await;
        });
        Self {
            requests: Some(requests),
            answers,
            _task: AbortOnDropHandle::new(task),
        }
    }
}

async fn carry(
    options: &ConnectOptions,
    outgoing: mpsc::Receiver<WorkRequest>,
    incoming: &mpsc::Sender<Answer>,
) -> Result<()> {
    let channel = options
        .endpoint()?
        .connect()
        .await
        .map_err(|error| Error::unavailable(chain(&error)))?;
    let mut client = WorkerServiceClient::with_interceptor(channel, options.token_interceptor()?)
        .max_decoding_message_size(MAX_MESSAGE_BYTES);
    let mut stream = client.work(ReceiverStream::new(outgoing)).await?.into_inner();
    while let Some(answer) = stream.message().await? {
        let Some(message) = answer.message else { continue };
        if incoming.send(Answer::Message(message)).await.is_err() {
            break;
        }
    }
    Ok(())
}
