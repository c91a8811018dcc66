use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{AttemptStatus, LogLevel, Task, TaskError, WorkerState, count};
use crate::error::{Error, FieldProblem};
use crate::proto;

/// A task that was created.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Created {
    /// As it was created, or as it is after the wait.
    pub task: Task,
    /// Whether it is the first answer again, found by the idempotency key.
    pub replayed: bool,
}

/// What became of many tasks.
#[derive(Debug)]
#[non_exhaustive]
pub struct Bulk {
    /// How many were created.
    pub created: u32,
    /// How many were refused.
    pub failed: u32,
    /// In the order in which they were given: the task, or why it was refused.
    pub items: Vec<BulkItem>,
    /// Whether it is the first answer again, found by the idempotency key.
    pub replayed: bool,
}

/// One of many: the task, or why it was refused.
pub type BulkItem = Result<Task, Error>;

impl From<proto::CreateTasksResponse> for Bulk {
    fn from(answer: proto::CreateTasksResponse) -> Self {
        Self {
            created: count(answer.created),
            failed: count(answer.failed),
            items: answer.items.into_iter().map(item).collect(),
            replayed: answer.replayed,
        }
    }
}

fn item(item: proto::CreatedTask) -> BulkItem {
    match (item.task, item.error) {
        (Some(task), _) => Ok(task.into()),
        (None, Some(refusal)) => Err(Error::refusal(refusal)),
        (None, None) => Err(Error::unreadable("neither a task nor a refusal")),
    }
}

impl From<proto::FieldProblem> for FieldProblem {
    fn from(problem: proto::FieldProblem) -> Self {
        Self {
            field: problem.field,
            message: problem.message,
        }
    }
}

/// One execution of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Attempt {
    /// From 1.
    pub attempt: u32,
    /// Its state.
    pub status: AttemptStatus,
    /// Who ran it.
    pub worker_id: String,
    /// When it began, RFC 3339.
    pub started_at: String,
    /// When it ended; `None` while it runs.
    pub finished_at: Option<String>,
    /// Why it failed.
    pub error: Option<TaskError>,
}

impl From<proto::Attempt> for Attempt {
    fn from(attempt: proto::Attempt) -> Self {
        Self {
            attempt: count(attempt.attempt),
            status: attempt.status.into(),
            worker_id: attempt.worker_id,
            started_at: attempt.started_at,
            finished_at: attempt.finished_at,
            error: attempt.error.map(TaskError::from),
        }
    }
}

/// One line that a handler logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TaskLog {
    /// Grows with every line.
    pub id: i64,
    /// Of which attempt, from 1.
    pub attempt: u32,
    /// How much it matters.
    pub level: LogLevel,
    /// The line.
    pub message: String,
    /// What belongs to it.
    pub data: Option<Value>,
    /// When it was stored, RFC 3339.
    pub at: String,
}

impl From<proto::TaskLog> for TaskLog {
    fn from(line: proto::TaskLog) -> Self {
        Self {
            id: line.id,
            attempt: count(line.attempt),
            level: line.level.into(),
            message: line.message,
            data: line.data.map(|json| json.0),
            at: line.at,
        }
    }
}

/// A worker that is connected, or was a moment ago.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WorkerInfo {
    /// Its name and instance.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// How it is connected.
    pub state: WorkerState,
    /// Over what it is connected: grpc or http.
    pub door: String,
    /// The replica that it is connected to.
    pub replica_id: String,
    /// The types it has handlers for.
    pub types: Vec<String>,
    /// Its queues; none means all.
    pub queues: Vec<String>,
    /// Attempts it can run at the same time.
    pub slots: u32,
    /// Attempts it runs.
    pub in_flight: u32,
    /// About it.
    pub labels: BTreeMap<String, String>,
    /// What it is made with.
    pub sdk: Option<String>,
    /// When it connected, RFC 3339.
    pub connected_at: String,
    /// When it was last heard of, RFC 3339.
    pub last_beat_at: String,
}

impl From<proto::Worker> for WorkerInfo {
    fn from(worker: proto::Worker) -> Self {
        Self {
            id: worker.id,
            name: worker.name,
            state: worker.state.into(),
            door: worker.door,
            replica_id: worker.replica_id,
            types: worker.types,
            queues: worker.queues,
            slots: count(worker.slots),
            in_flight: count(worker.in_flight),
            labels: worker.labels,
            sdk: worker.sdk,
            connected_at: worker.connected_at,
            last_beat_at: worker.last_beat_at,
        }
    }
}
