use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use serde_json::Value;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::Instant;

use super::context::Context;
use super::failure::TaskFailure;
use super::handler::{self, Handler};
use crate::proto::Lease;

/// What becomes of an attempt when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Its result is sent.
    Settle,
    /// It goes back to its queue.
    HandBack,
    /// Nothing: its lease is not ours any more.
    Drop,
}

struct Running {
    context: Context,
    abort: AbortHandle,
    fate: Fate,
}

/// An attempt that has ended.
pub struct Ended {
    pub context: Context,
    pub fate: Fate,
    pub result: Result<Value, TaskFailure>,
}

type Result<T, E = TaskFailure> = std::result::Result<T, E>;
type Joined = std::result::Result<(Id, Result<Value>), JoinError>;

/// The attempts that run. Dropping this drops their futures.
pub struct Attempts {
    tasks: JoinSet<Result<Value>>,
    running: HashMap<Id, Running>,
    by_lease: HashMap<String, Id>,
    /// Those that were told to stop, in the order in which their futures are dropped.
    aborts: VecDeque<(Instant, Id)>,
    /// How long a handler that was told to stop may take.
    stop_grace: Duration,
}

impl Attempts {
    pub fn new(stop_grace: Duration) -> Self {
        Self {
            tasks: JoinSet::new(),
            running: HashMap::new(),
            by_lease: HashMap::new(),
            aborts: VecDeque::new(),
            stop_grace,
        }
    }

    /// All that take a slot.
    pub fn len(&self) -> usize {
        self.running.len()
    }

    /// Those whose lease is ours.
    pub fn held(&self) -> impl Iterator<Item = &Context> {
        self.running
            .values()
            .filter(|running| running.fate != Fate::Drop)
            .map(|running| &running.context)
    }

    pub fn has(&self, fate: Fate) -> bool {
        self.running.values().any(|running| running.fate == fate)
    }

    pub fn has_held(&self) -> bool {
        self.held().next().is_some()
    }

    pub fn holds(&self, lease: &Lease) -> bool {
        self.by_lease.contains_key(&lease.lease_token)
    }

    pub fn start(&mut self, context: Context, handler: Handler) {
        let abort = self
            .tasks
            .spawn(handler::run(handler, context.clone(), self.stop_grace));
        self.by_lease.insert(context.lease().lease_token.clone(), abort.id());
        self.running.insert(
            abort.id(),
            Running {
                context,
                abort,
                fate: Fate::Settle,
            },
        );
    }

    /// Waits until one ends; for ever when none runs.
    pub async fn next_ended(&mut self) -> Ended {
        loop {
            match self.tasks.join_next_with_id().await {
                Some(joined) => {
                    if let Some(ended) = self.ended(joined) {
                        return ended;
                    }
                }
                None => std::future::pending().await,
            }
        }
    }

    /// One that has ended already.
    pub fn try_next_ended(&mut self) -> Option<Ended> {
        while let Some(joined) = self.tasks.try_join_next_with_id() {
            if let Some(ended) = self.ended(joined) {
                return Some(ended);
            }
        }
        None
    }

    fn ended(&mut self, joined: Joined) -> Option<Ended> {
        let (id, result) = match joined {
            Ok((id, result)) => (id, result),
            Err(error) => (error.id(), Err(TaskFailure::handler_error(end_of(error)))),
        };
        let Running { context, fate, .. } = self.running.remove(&id)?;
        self.by_lease.remove(&context.lease().lease_token);
        context.end();
        Some(Ended { context, fate, result })
    }

    /// The server wants it to stop: it still has its end.
    pub fn cancel(&self, lease: &Lease) {
        if let Some(running) = self
            .by_lease
            .get(&lease.lease_token)
            .and_then(|id| self.running.get(id))
        {
            running.context.cancellation().cancel();
        }
    }

    /// Its lease is not ours any more: it is told to stop, and its result is dropped.
    pub fn lose(&mut self, lease: &Lease) {
        let Some(id) = self.by_lease.remove(&lease.lease_token) else {
            return;
        };
        self.stop(id, Fate::Drop, Instant::now() + self.stop_grace);
    }

    /// The leases run out at `end`: somebody else may run all this then.
    pub fn lose_all(&mut self, end: Instant) {
        for (_, id) in std::mem::take(&mut self.by_lease) {
            self.stop(id, Fate::Drop, end);
        }
    }

    /// Tells all to stop and go back to their queues.
    pub fn hand_back_all(&mut self) {
        let running = self.running.iter().filter(|(_, running)| running.fate == Fate::Settle);
        let ids: Vec<_> = running.map(|(id, _)| *id).collect();
        for id in ids {
            self.stop(id, Fate::HandBack, Instant::now() + self.stop_grace);
        }
    }

    /// Tells one to stop; its future is dropped at `abort_at` if it has not ended by then.
    fn stop(&mut self, id: Id, fate: Fate, abort_at: Instant) {
        let Some(running) = self.running.get_mut(&id) else {
            return;
        };
        running.fate = fate;
        running.context.cancellation().cancel();
        if fate == Fate::Drop {
            running.context.end();
        }
        let place = self.aborts.partition_point(|(at, _)| *at <= abort_at);
        self.aborts.insert(place, (abort_at, id));
    }

    /// Those that did not even end when their futures were to be dropped: their code never awaits.
    pub fn give_up_stuck(&mut self) -> Vec<Context> {
        self.by_lease.clear();
        let stuck = self
            .running
            .drain()
            .filter(|(_, running)| running.fate == Fate::HandBack);
        stuck
            .map(|(_, running)| running.context)
            .inspect(Context::end)
            .collect()
    }

    /// Drops the futures of those that were told to stop and have not.
    pub fn abort_due(&mut self, now: Instant) {
        while let Some((at, id)) = self.aborts.front().copied() {
            let running = self.running.get(&id);
            if running.is_some() && at > now {
                return;
            }
            if let Some(running) = running {
                running.abort.abort();
            }
            self.aborts.pop_front();
        }
    }

    pub fn next_abort(&self) -> Option<Instant> {
        self.aborts.front().map(|(at, _)| *at)
    }
}

/// Why a handler ended that did not return.
fn end_of(error: JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => format!("The handler panicked: {}", message_of(panic.as_ref())),
        Err(_) => "The handler was stopped.".to_owned(),
    }
}

fn message_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}
