mod attempts;
mod board;
mod context;
mod engine;
mod failure;
mod handler;
mod limits;
mod link;
mod outbox;
mod retry;
mod stop;

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

pub use context::{Context, RunningTask};
pub use failure::TaskFailure;

use self::engine::{Engine, Settings};
use self::handler::{Handler, handler};
use self::stop::Stop;
use crate::connect::ConnectOptions;
use crate::error::Result;

const DEFAULT_SLOTS: u32 = 10;
const DEFAULT_DRAIN_LIMIT: Duration = Duration::from_secs(30);
const DEFAULT_STOP_GRACE: Duration = Duration::from_secs(5);

/// Runs tasks: each attempt is a call of the handler for its type.
///
/// A worker connects again by itself when the connection breaks, keeps results until the server has stored them, and stops what it
/// runs when its leases run out. No error and no panic of a handler ends it.
pub struct Worker {
    settings: Settings,
    handlers: HashMap<String, Handler>,
    connected: watch::Sender<bool>,
}

impl Worker {
    /// A worker of this name, 1 to 100 of a-z A-Z 0-9 . _ : -, that connects as [`ConnectOptions::from_env`] says. Several
    /// processes may have the same name.
    pub fn new(name: impl Into<String>) -> Self {
        let settings = Settings {
            name: name.into(),
            instance: format!("{}-{:016x}", std::process::id(), fastrand::u64(..)),
            queues: Vec::new(),
            slots: DEFAULT_SLOTS,
            labels: BTreeMap::new(),
            connect: ConnectOptions::from_env(),
            drain_limit: DEFAULT_DRAIN_LIMIT,
            stop_grace: DEFAULT_STOP_GRACE,
        };
        Self {
            settings,
            handlers: HashMap::new(),
            connected: watch::Sender::new(false),
        }
    }

    /// Which server to connect to, and as whom (what the environment says).
    #[must_use]
    pub fn connect(mut self, options: ConnectOptions) -> Self {
        self.settings.connect = options;
        self
    }

    /// Takes tasks of these queues only, at most 100 (all).
    #[must_use]
    pub fn queues<Q: Into<String>>(mut self, queues: impl IntoIterator<Item = Q>) -> Self {
        self.settings.queues = queues.into_iter().map(Q::into).collect();
        self
    }

    /// Runs so many attempts at the same time, 1 to 10,000 (10).
    #[must_use]
    pub fn slots(mut self, slots: u32) -> Self {
        self.settings.slots = slots;
        self
    }

    /// Says something about this worker in lists, such as its region (nothing).
    #[must_use]
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.labels.insert(key.into(), value.into());
        self
    }

    /// How long handlers may go on when the worker is told to stop; then they are told to stop too (30 s).
    #[must_use]
    pub fn drain_limit(mut self, limit: Duration) -> Self {
        self.settings.drain_limit = limit;
        self
    }

    /// How long a handler may take that was told to stop, before its future is dropped (5 s). A cancelled task may take as long as the
    /// server lets it.
    #[must_use]
    pub fn stop_grace(mut self, grace: Duration) -> Self {
        self.settings.stop_grace = grace;
        self
    }

    /// Runs tasks of this type with an async function of the context and the parameters, which may be of any type that JSON can be
    /// read into: a struct, or `serde_json::Value`. What it returns is the result, what it fails with is why the attempt failed. Parameters
    /// that do not fit fail the task for good as `INVALID_PARAMETERS`. A second handler for a type takes the place of the first.
    pub fn handle<P, R, F, Fut>(&mut self, task_type: impl Into<String>, handle: F) -> &mut Self
    where
        P: DeserializeOwned,
        R: Serialize,
        F: Fn(Context, P) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, TaskFailure>> + Send + 'static,
    {
        self.handlers.insert(task_type.into(), handler(handle));
        self
    }

    /// Tells whether the worker is connected, for a readiness probe for instance.
    pub fn connected(&self) -> watch::Receiver<bool> {
        self.connected.subscribe()
    }

    /// Runs until SIGTERM or SIGINT, then drains: takes no more tasks, lets handlers finish for at most `drain_limit`, hands back
    /// what has not. A second signal ends the wait. Fails only when the server does not want this worker: its token, its role, its
    /// name. A server that is not there is waited for.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime with I/O and time.
    pub async fn run(self) -> Result<()> {
        let stop = Stop::default();
        let signals = stop.clone();
        let _signals = AbortOnDropHandle::new(tokio::spawn(async move {
            if let Err(error) = stop::on_signals(signals).await {
                tracing::warn!(%error, "signals do not stop this worker");
            }
        }));
        self.run_with(stop).await
    }

    /// As [`run`](Self::run), but drains when this is cancelled instead of by signals. To drop the future stops everything at once;
    /// the tasks run elsewhere some seconds later.
    pub async fn run_until(self, stop: CancellationToken) -> Result<()> {
        self.run_with(Stop {
            gentle: stop,
            hurry: CancellationToken::new(),
        })
        .await
    }

    async fn run_with(self, stop: Stop) -> Result<()> {
        self.settings.connect.endpoint()?;
        Engine::new(self.settings, self.handlers, self.connected)
            .run(stop)
            .await
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let types: Vec<_> = self.handlers.keys().collect();
        f.debug_struct("Worker")
            .field("settings", &self.settings)
            .field("types", &types)
            .finish_non_exhaustive()
    }
}
