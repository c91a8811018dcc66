use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{Action, LogLevel, Priority, Status, TaskError, count};
use crate::proto;

/// What a watch tells.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum WatchItem {
    /// Always the first. Comes again only if this client was so slow that the log no longer holds what it had not seen.
    Start {
        /// Events after this one follow.
        seq: i64,
        /// What happened after `since` is no longer known in full: read your snapshot again.
        reset: bool,
    },
    /// What happened, in the order of `seq`.
    Event(Box<TaskEvent>),
}

/// Something that happened to a task: the task as it was then, without parameters and result. Times are RFC 3339 in UTC.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TaskEvent {
    /// Grows over the whole cluster; the number to resume from.
    pub seq: i64,
    /// What happened.
    pub action: Action,
    /// When.
    pub at: String,
    /// The task.
    pub id: String,
    /// What people call it.
    pub name: Option<String>,
    /// Which handler runs it.
    #[serde(rename = "type")]
    pub task_type: Option<String>,
    /// The line in which it waits.
    pub queue: Option<String>,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// Its state after the event.
    pub status: Option<Status>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Why the latest attempt failed.
    pub error: Option<TaskError>,
    /// Percent.
    pub progress: Option<f64>,
    /// What the handler says of its progress.
    pub progress_message: Option<String>,
    /// Attempts started so far.
    pub attempt: Option<u32>,
    /// Attempts before it fails.
    pub max_attempts: Option<u32>,
    /// Not before this time.
    pub run_at: Option<String>,
    /// Who runs or ran the latest attempt.
    pub worker_id: Option<String>,
    /// Name of the principal that created it.
    pub created_by: Option<String>,
    /// When it was created.
    pub created_at: Option<String>,
    /// When it last joined its queue.
    pub queued_at: Option<String>,
    /// When its latest attempt started.
    pub started_at: Option<String>,
    /// When it ended.
    pub finished_at: Option<String>,
    /// Its version after the event.
    pub version: Option<i64>,
    /// The line, of [`Action::Log`] alone.
    pub log: Option<TaskLogLine>,
}

/// A line that a handler logged, as its event tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TaskLogLine {
    /// How much it matters.
    pub level: LogLevel,
    /// The line.
    pub message: String,
    /// What belongs to it.
    pub data: Option<Value>,
}

impl From<proto::TaskEvent> for TaskEvent {
    fn from(event: proto::TaskEvent) -> Self {
        Self {
            seq: event.seq,
            action: event.action.into(),
            at: event.at,
            id: event.id,
            name: event.name,
            task_type: event.r#type,
            queue: event.queue,
            priority: event.priority.map(Priority::from),
            status: event.status.map(Status::from),
            labels: event.labels,
            error: event.error.map(TaskError::from),
            progress: event.progress,
            progress_message: event.progress_message,
            attempt: event.attempt.map(count),
            max_attempts: event.max_attempts.map(count),
            run_at: event.run_at,
            worker_id: event.worker_id,
            created_by: event.created_by,
            created_at: event.created_at,
            queued_at: event.queued_at,
            started_at: event.started_at,
            finished_at: event.finished_at,
            version: event.version,
            log: event.log.map(|line| TaskLogLine {
                level: line.level.into(),
                message: line.message,
                data: line.data.map(|json| json.0),
            }),
        }
    }
}
