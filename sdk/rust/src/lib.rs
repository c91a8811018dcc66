//! Client and worker of ARKITECT Orchestrator, a durable task orchestrator.
//!
//! A [`Worker`] runs tasks: it has a handler for each type of task, an async function over types of yours. A [`Client`] creates
//! tasks and looks at what became of them.
//!
//! ```no_run
#![doc = include_str!("../examples/first_worker.rs")]
//! ```

#![warn(missing_docs)]

mod client;
mod connect;
mod error;
mod json;
mod model;
mod proto;
mod worker;

pub use client::{Client, Watch};
pub use connect::{ConnectOptions, Tls};
pub use error::{Error, FieldProblem, Result};
pub use model::{
    Action, Attempt, AttemptStatus, Backoff, BackoffKind, Bulk, BulkItem, BulkOptions, CreateOptions, Created,
    ListTasks, LogLevel, NewTask, Order, Page, PageRequest, Priority, Start, Status, Task, TaskError, TaskEvent,
    TaskLog, TaskLogLine, TaskUpdate, TraceContext, WatchItem, WatchTasks, WorkerInfo, WorkerState,
};
pub use tokio_util::sync::CancellationToken;
pub use worker::{Context, RunningTask, TaskFailure, Worker};

/// What this is, as the server's lists and logs show it.
pub(crate) const SDK: &str = concat!("arkitect-rust/", env!("CARGO_PKG_VERSION"));
