use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prost::Message as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::board::Board;
use super::limits;
use crate::error::{Error, Result};
use crate::json::{Object, object_of};
use crate::model::{LogLevel, Priority, TraceContext, count};
use crate::proto;

/// The task that a handler runs.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RunningTask {
    /// `UUIDv7`. The same in each attempt: what a handler does elsewhere can use it to be done once.
    pub id: String,
    /// Whose it is.
    pub tenant_id: String,
    /// What people call it.
    pub name: String,
    /// Which handler runs it.
    pub task_type: String,
    /// The line in which it waited.
    pub queue: String,
    /// How urgent it is.
    pub priority: Priority,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Which attempt this is, from 1. A later attempt may repeat what an earlier one did.
    pub attempt: u32,
    /// Attempts before it fails.
    pub max_attempts: u32,
    /// Seconds this attempt may take.
    pub timeout_seconds: u32,
    /// The handler's input.
    pub parameters: Map<String, Value>,
}

/// What a handler knows of its attempt, and how it reports. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Context {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    task: RunningTask,
    lease: proto::Lease,
    trace: Option<TraceContext>,
    started_with: Option<Map<String, Value>>,
    cancellation: CancellationToken,
    report: Mutex<Report>,
    board: Arc<Board>,
}

/// What the handler said last. Only what changed since the last beat is sent.
#[derive(Debug, Default)]
struct Report {
    progress: Option<f64>,
    message: Option<String>,
    checkpoint: Option<Object>,
    progress_changed: bool,
    checkpoint_changed: bool,
    ended: bool,
}

impl Context {
    pub(super) fn new(assignment: proto::Assignment, lease: proto::Lease, board: Arc<Board>) -> Self {
        let task = RunningTask {
            id: lease.task_id.clone(),
            tenant_id: assignment.tenant_id,
            name: assignment.name,
            task_type: assignment.r#type,
            queue: assignment.queue,
            priority: assignment.priority.into(),
            labels: assignment.labels,
            attempt: count(lease.attempt),
            max_attempts: count(assignment.max_attempts),
            timeout_seconds: count(assignment.timeout_seconds),
            parameters: assignment.parameters.unwrap_or_default().0,
        };
        Self {
            inner: Arc::new(Inner {
                task,
                lease,
                trace: assignment.traceparent.map(|traceparent| TraceContext {
                    traceparent,
                    tracestate: assignment.tracestate,
                }),
                started_with: assignment.checkpoint.map(|object| object.0),
                cancellation: CancellationToken::new(),
                report: Mutex::default(),
                board,
            }),
        }
    }

    /// The task that is run.
    pub fn task(&self) -> &RunningTask {
        &self.inner.task
    }

    /// The trace that the attempt belongs to: send it on to whatever is called. `None` when the task has none.
    pub fn trace(&self) -> Option<&TraceContext> {
        self.inner.trace.as_ref()
    }

    /// Signalled when the attempt is to stop: its task is cancelled, its time is over, its lease is lost or the worker shuts down.
    /// A handler that still runs some seconds later is dropped at its next `await`.
    pub fn cancellation(&self) -> &CancellationToken {
        &self.inner.cancellation
    }

    /// Waits until the attempt is to stop.
    pub async fn cancelled(&self) {
        self.inner.cancellation.cancelled().await;
    }

    /// Whether the attempt is to stop.
    pub fn is_cancelled(&self) -> bool {
        self.inner.cancellation.is_cancelled()
    }

    /// Says how far it is, 0 to 100 percent. Cheap: the latest is sent with the next heartbeat, and before the result.
    pub fn progress(&self, percent: f64) {
        self.set_progress(percent, None);
    }

    /// Says how far it is, 0 to 100 percent, and what it is doing, in at most 1,000 characters.
    pub fn progress_with(&self, percent: f64, message: &str) {
        self.set_progress(percent, Some(limits::progress_message(message)));
    }

    fn set_progress(&self, percent: f64, message: Option<String>) {
        let Some(percent) = limits::percent(percent) else {
            return;
        };
        let mut report = self.report();
        report.progress = Some(percent);
        report.message = message.or(report.message.take());
        report.progress_changed = true;
    }

    /// Adds a line to the log of the task, of at most 10,000 characters.
    pub fn log(&self, level: LogLevel, message: &str) {
        self.pin(level, message, None);
    }

    /// Adds a line with what belongs to it: anything that is JSON, at most 64 KiB and 32 levels deep. What is no object is stored as
    /// `{"value": ...}`, what the server would not store as `{"refused": "why"}`.
    pub fn log_with(&self, level: LogLevel, message: &str, data: impl Serialize) {
        let data = match serde_json::to_value(data) {
            Ok(Value::Null) => None,
            Ok(Value::Object(map)) => Some(map),
            Ok(value) => object_of(json!({ "value": value })).ok(),
            Err(error) => object_of(json!({ "refused": error.to_string() })).ok(),
        };
        let storable = data.and_then(|map| match limits::small_json(&map) {
            Ok(()) => Some(map),
            Err(why) => object_of(json!({ "refused": format!("data {why}") })).ok(),
        });
        self.pin(level, message, storable);
    }

    fn pin(&self, level: LogLevel, message: &str, data: Option<Map<String, Value>>) {
        // Held while pinning: no line of an attempt comes after its end.
        let report = self.report();
        if report.ended {
            return;
        }
        self.inner.board.pin(proto::LogLine {
            lease: Some(self.inner.lease.clone()),
            level: Some(limits::level(level)),
            message: limits::log_message(message),
            data: data.map(Object),
        });
    }

    /// What the last attempt kept, as a type of yours; `None` when nothing was kept. The error says why it does not fit.
    pub fn checkpoint<T: DeserializeOwned>(&self) -> Result<Option<T>, serde_json::Error> {
        self.inner.started_with.as_ref().map(T::deserialize).transpose()
    }

    /// Keeps what the next attempt needs to go on from here, if this one fails: a JSON object of at most 64 KiB and 32 levels. It is
    /// sent with the next heartbeat, and before the result. `VALIDATION_FAILED` when it could not be stored.
    pub fn set_checkpoint(&self, checkpoint: impl Serialize) -> Result<()> {
        let wrong = |why| Error::invalid("checkpoint", why);
        let map = object_of(checkpoint).map_err(wrong)?;
        limits::small_json(&map).map_err(wrong)?;
        let mut report = self.report();
        report.checkpoint = Some(Object(map));
        report.checkpoint_changed = true;
        Ok(())
    }

    pub(super) fn lease(&self) -> &proto::Lease {
        &self.inner.lease
    }

    /// What changed, unless it is more than `budget` bytes: then it waits for the next beat. Always names the lease.
    pub(super) fn lease_report(&self, budget: &mut usize) -> proto::LeaseReport {
        let mut report = self.report();
        let mut said = proto::LeaseReport {
            lease: Some(self.inner.lease.clone()),
            ..proto::LeaseReport::default()
        };
        if !report.progress_changed && !report.checkpoint_changed {
            return said;
        }
        if report.progress_changed {
            said.progress = report.progress;
            said.progress_message.clone_from(&report.message);
        }
        if report.checkpoint_changed {
            said.checkpoint.clone_from(&report.checkpoint);
        }
        let bytes = said.encoded_len();
        if bytes > *budget {
            return proto::LeaseReport {
                lease: said.lease,
                ..proto::LeaseReport::default()
            };
        }
        *budget -= bytes;
        (report.progress_changed, report.checkpoint_changed) = (false, false);
        said
    }

    /// A beat may not have arrived: all that was said is said again.
    pub(super) fn say_again(&self) {
        let mut report = self.report();
        report.progress_changed = report.progress.is_some();
        report.checkpoint_changed = report.checkpoint.is_some();
    }

    /// From here on nothing is reported any more.
    pub(super) fn end(&self) {
        self.report().ended = true;
    }

    fn report(&self) -> MutexGuard<'_, Report> {
        // No code of others runs under the lock; after a panic the report is still a report.
        self.inner.report.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
