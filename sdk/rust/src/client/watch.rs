use tonic::Streaming;

use crate::error::{Error, Result};
use crate::model::{TaskEvent, WatchItem};
use crate::proto;
use crate::proto::watch_tasks_response::Message;

/// Events as they happen, of [`Client::watch`](crate::Client::watch). Ends when it is dropped.
#[derive(Debug)]
pub struct Watch {
    stream: Streaming<proto::WatchTasksResponse>,
    last_seq: Option<i64>,
}

impl Watch {
    pub(super) fn new(stream: Streaming<proto::WatchTasksResponse>) -> Self {
        Self { stream, last_seq: None }
    }

    /// Waits for the next item; `None` when the server has ended the stream. Fails with `UNAVAILABLE` when the server stops or the
    /// connection breaks: watch again with `since` set to [`last_seq`](Self::last_seq), and nothing is missed.
    pub async fn next(&mut self) -> Result<Option<WatchItem>> {
        let Some(answer) = self.stream.message().await? else {
            return Ok(None);
        };
        let item = match answer.message {
            Some(Message::Start(start)) => WatchItem::Start {
                seq: start.seq,
                reset: start.reset,
            },
            Some(Message::Event(event)) => WatchItem::Event(Box::new(TaskEvent::from(event))),
            None => return Err(Error::unreadable("an item of the watch is empty")),
        };
        self.last_seq = Some(match &item {
            WatchItem::Start { seq, .. } => *seq,
            WatchItem::Event(event) => event.seq,
        });
        Ok(Some(item))
    }

    /// Where to go on from after a break: `since` of the next watch. `None` before the first item.
    pub fn last_seq(&self) -> Option<i64> {
        self.last_seq
    }
}
