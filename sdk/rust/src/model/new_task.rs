use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Backoff, Priority, Start, TraceContext, wire};
use crate::error::{Error, Result};
use crate::json::{Object, object_of};
use crate::proto;

/// A task to create, or the fields to change of one. What is `None` is left to the server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewTask {
    /// What people call it: 1 to 255 characters. Required to create.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Which handler runs it: a-z, 0-9 and . _ : -, at most 100 (the server's default type).
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub task_type: Option<String>,
    /// The line in which it waits: a-z, 0-9 and . _ : -, at most 100 (default).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// How urgent it is (medium).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// The handler's input, a JSON object: at most 256 KiB and 32 levels deep (empty). Numbers travel as doubles: whole ones are
    /// exact up to 2^53.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Value>,
    /// At most 64 pairs to filter by: keys of 1 to 63 of A-Z a-z 0-9 . _ / -, values of at most 255 characters.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Attempts before it fails, 1 to 100 (the handler's, else 1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    /// Seconds one attempt may take, 1 to 86,400 (the handler's, else 300).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
    /// How long a failed attempt waits before the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff: Option<Backoff>,
    /// Not before this time, RFC 3339. Implies start: auto.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_at: Option<String>,
    /// Whether it joins its queue at once (manual).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Start>,
}

impl NewTask {
    /// A task of this name and type that waits to be executed.
    pub fn new(name: impl Into<String>, task_type: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()),
            task_type: Some(task_type.into()),
            ..Self::default()
        }
    }

    /// Sets the handler's input: `json!({ ... })`, or `serde_json::to_value` of a type of yours.
    #[must_use]
    pub fn parameters(mut self, parameters: impl Into<Value>) -> Self {
        self.parameters = Some(parameters.into());
        self
    }

    /// Sets the line in which it waits.
    #[must_use]
    pub fn queue(mut self, queue: impl Into<String>) -> Self {
        self.queue = Some(queue.into());
        self
    }

    /// Sets how urgent it is.
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = Some(priority);
        self
    }

    /// Adds a pair to filter by.
    #[must_use]
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), value.into());
        self
    }

    /// Sets how many attempts it has before it fails.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = Some(attempts);
        self
    }

    /// Sets how many seconds one attempt may take.
    #[must_use]
    pub fn timeout_seconds(mut self, seconds: u32) -> Self {
        self.timeout_seconds = Some(seconds);
        self
    }

    /// Sets how long a failed attempt waits before the next.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = Some(backoff);
        self
    }

    /// Sets the time before which it does not run, RFC 3339.
    #[must_use]
    pub fn run_at(mut self, time: impl Into<String>) -> Self {
        self.run_at = Some(time.into());
        self
    }

    /// Lets it join its queue at once, without waiting to be executed.
    #[must_use]
    pub fn auto(mut self) -> Self {
        self.start = Some(Start::Auto);
        self
    }
}

impl TryFrom<NewTask> for proto::NewTask {
    type Error = Error;

    fn try_from(task: NewTask) -> Result<Self> {
        let parameters = task
            .parameters
            .map(object_of)
            .transpose()
            .map_err(|why| Error::invalid("parameters", why))?;
        Ok(Self {
            name: task.name,
            r#type: task.task_type,
            queue: task.queue,
            priority: task.priority.map(String::from),
            parameters: parameters.map(Object),
            labels: task.labels,
            max_attempts: task.max_attempts.map(wire),
            timeout_seconds: task.timeout_seconds.map(wire),
            backoff: task.backoff.map(proto::Backoff::from),
            run_at: task.run_at,
            start: task.start.map(String::from),
        })
    }
}

/// How to create one task.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreateOptions {
    /// The same key and task answer the first result again, another task is refused: 1 to 255 printable characters (none).
    pub idempotency_key: Option<String>,
    /// Answer when the task is finished, or as it is after this many seconds, 0 to 60 (no wait).
    pub wait_seconds: Option<u32>,
    /// The trace that the task and its attempts are to belong to (none).
    pub trace: Option<TraceContext>,
}

/// How to create many tasks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BulkOptions {
    /// All or nothing: one bad task refuses them all (false).
    pub atomic: bool,
    /// The same key and tasks answer the first result again: 1 to 255 printable characters (none).
    pub idempotency_key: Option<String>,
    /// The trace that the tasks and their attempts are to belong to (none).
    pub trace: Option<TraceContext>,
}

/// What to change of a task that has not run yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TaskUpdate {
    /// The fields to change. `parameters` are merged into what is there (RFC 7396), and so are `labels`.
    pub task: NewTask,
    /// Labels to take away (none).
    pub remove_labels: Vec<String>,
    /// Only if this is its version, else `VERSION_MISMATCH` (any).
    pub version: Option<i64>,
}
