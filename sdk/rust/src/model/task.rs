use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{BackoffKind, Priority, Status, count};
use crate::proto;

/// How long a failed attempt waits before the next. What is `None` is left to the server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Backoff {
    /// How the wait grows (exponential).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<BackoffKind>,
    /// Seconds before the second attempt, 0 to 86,400 (1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_seconds: Option<f64>,
    /// No wait is longer than this many seconds, 0 to 604,800 (300).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_delay_seconds: Option<f64>,
    /// Share of the wait that is random, 0 to 1 (0.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter: Option<f64>,
}

impl From<proto::Backoff> for Backoff {
    fn from(backoff: proto::Backoff) -> Self {
        Self {
            kind: backoff.kind.map(BackoffKind::from),
            delay_seconds: backoff.delay_seconds,
            max_delay_seconds: backoff.max_delay_seconds,
            jitter: backoff.jitter,
        }
    }
}

impl From<Backoff> for proto::Backoff {
    fn from(backoff: Backoff) -> Self {
        Self {
            kind: backoff.kind.map(String::from),
            delay_seconds: backoff.delay_seconds,
            max_delay_seconds: backoff.max_delay_seconds,
            jitter: backoff.jitter,
        }
    }
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TaskError {
    /// `UPPER_SNAKE_CASE`, for programs.
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// Whether another attempt could have helped.
    pub retryable: bool,
    /// The attempt that failed, from 1.
    pub attempt: u32,
}

impl From<proto::TaskError> for TaskError {
    fn from(error: proto::TaskError) -> Self {
        Self {
            code: error.code,
            message: error.message,
            retryable: error.retryable,
            attempt: count(error.attempt),
        }
    }
}

/// A task as it is. Times are RFC 3339 in UTC, such as `2026-11-22T15:04:05.678Z`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Task {
    /// `UUIDv7`: sorts by time of creation.
    pub id: String,
    /// Whose it is.
    pub tenant_id: String,
    /// What people call it.
    pub name: String,
    /// Which handler runs it.
    #[serde(rename = "type")]
    pub task_type: String,
    /// The line in which it waits.
    pub queue: String,
    /// How urgent it is.
    pub priority: Priority,
    /// Its state.
    pub status: Status,
    /// The handler's input.
    pub parameters: Map<String, Value>,
    /// Key-value pairs to filter by.
    pub labels: BTreeMap<String, String>,
    /// What the handler returned; `None` until completed.
    pub result: Option<Value>,
    /// Why the latest attempt failed.
    pub error: Option<TaskError>,
    /// Percent, 0 to 100.
    pub progress: f64,
    /// What the handler says of its progress.
    pub progress_message: Option<String>,
    /// Attempts started so far.
    pub attempt: u32,
    /// Attempts before it fails.
    pub max_attempts: u32,
    /// Seconds one attempt may take.
    pub timeout_seconds: u32,
    /// How long a failed attempt waits before the next.
    pub backoff: Backoff,
    /// Not before this time.
    pub run_at: Option<String>,
    /// Who runs or ran the latest attempt.
    pub worker_id: Option<String>,
    /// Name of the principal that created it.
    pub created_by: String,
    /// The trace that it belongs to, when the call that created it had one.
    pub trace_id: Option<String>,
    /// When it was created.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// When it last joined its queue.
    pub queued_at: Option<String>,
    /// When its latest attempt started.
    pub started_at: Option<String>,
    /// When it completed, failed or was cancelled.
    pub finished_at: Option<String>,
    /// Grows with every change.
    pub version: i64,
}

impl Task {
    /// The result as a type of yours; no result is read as `null`.
    pub fn result_as<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(self.result.as_ref().unwrap_or(&Value::Null))
    }
}

impl From<proto::Task> for Task {
    fn from(task: proto::Task) -> Self {
        Self {
            id: task.id,
            tenant_id: task.tenant_id,
            name: task.name,
            task_type: task.r#type,
            queue: task.queue,
            priority: task.priority.into(),
            status: task.status.into(),
            parameters: task.parameters.unwrap_or_default().0,
            labels: task.labels,
            result: task.result.map(|json| json.0),
            error: task.error.map(TaskError::from),
            progress: task.progress,
            progress_message: task.progress_message,
            attempt: count(task.attempt),
            max_attempts: count(task.max_attempts),
            timeout_seconds: count(task.timeout_seconds),
            backoff: task.backoff.unwrap_or_default().into(),
            run_at: task.run_at,
            worker_id: task.worker_id,
            created_by: task.created_by,
            trace_id: task.trace_id,
            created_at: task.created_at,
            updated_at: task.updated_at,
            queued_at: task.queued_at,
            started_at: task.started_at,
            finished_at: task.finished_at,
            version: task.version,
        }
    }
}
