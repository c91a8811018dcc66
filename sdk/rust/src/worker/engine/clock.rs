use std::time::Duration;

use tokio::time::Instant;

use super::session::Session;
use super::{CLOSE_LIMIT, Engine};
use crate::error::Error;
use crate::worker::attempts::Fate;
use crate::worker::link::{Answer, Link};
use crate::worker::outbox::Finished;

/// Connecting and the answer to Hello may take this long together.
const WELCOME_LIMIT: Duration = Duration::from_secs(10);
/// A future that was dropped ends at its next await; one that has not by then never awaits.
const STUCK_LIMIT: Duration = Duration::from_secs(1);
/// At the very end, results may take this long to be acknowledged.
const SETTLE_LIMIT: Duration = Duration::from_secs(5);
/// When nothing else is due.
const IDLE: Duration = Duration::from_secs(3600);

/// Until when the leases are ours. Counted from when the beat was sent that the server has answered, so that the server's own count
/// ends later.
#[derive(Debug, Clone, Copy)]
pub struct LeaseClock {
    pub length: Duration,
    pub renewed_at: Instant,
}

impl LeaseClock {
    /// Then nothing may run any more.
    fn end(&self) -> Instant {
        self.renewed_at + self.length
    }

    /// A twentieth before the end, so that handlers have a moment to stop by themselves.
    fn stop_at(&self) -> Instant {
        self.renewed_at + self.length.mul_f64(0.95)
    }
}

impl Engine {
    /// Does what is due by the clock.
    pub(super) fn mind_the_clock(&mut self, now: Instant) {
        if let Some(leases) = self.leases_at_stake().filter(|leases| leases.stop_at() <= now) {
            let attempts = self.attempts.len();
            tracing::warn!(
                attempts,
                "nothing was heard of the server for the time of a lease: all attempts are stopped"
            );
            self.attempts.lose_all(leases.end());
        }
        if self.drain_until.is_some_and(|limit| limit <= now) {
            self.attempts.hand_back_all();
        }
        self.attempts.abort_due(now);
        if self.stuck_at().is_some_and(|limit| limit <= now) {
            let log_mark = self.board.pinned();
            for context in self.attempts.give_up_stuck() {
                tracing::warn!(
                    task_id = context.task().id,
                    "a handler does not stop; its task is handed back all the same"
                );
                self.outbox.add(Finished::hand_back(&context, log_mark));
            }
        }
        self.mind_the_session(now);
        if self.session.is_none() && self.connect_at <= now && !self.is_over(now) {
            let link = Link::open(&self.settings.connect, self.hello());
            self.session = Some(Session::new(link, now));
        }
    }

    fn mind_the_session(&mut self, now: Instant) {
        if self.session_limit().is_some_and(|limit| limit <= now) {
            let silence = Error::unavailable("The server does not answer.");
            // It was welcome before, or has not said a word: never a reason to give up.
            let _ = self.answered(Answer::Closed(Some(silence)));
            return;
        }
        let drained = !self.attempts.has_held() && self.outbox.is_empty();
        if let Some(session) = self.session.as_mut().filter(|session| session.server_drains && drained) {
            session.begin_to_close(now);
        }
    }

    /// When the server must have said something.
    fn session_limit(&self) -> Option<Instant> {
        let session = self.session.as_ref()?;
        if let Some(since) = session.closing_since {
            return Some(since + CLOSE_LIMIT);
        }
        if session.terms.is_none() {
            return Some(session.hello_at + WELCOME_LIMIT);
        }
        // Half a lease is left then to come back in.
        Some(session.beat_sent? + self.leases?.length / 2)
    }

    /// The clock of the leases, if there are any.
    fn leases_at_stake(&self) -> Option<LeaseClock> {
        self.leases.filter(|_| self.attempts.has_held())
    }

    /// When handlers that do not stop are given up.
    fn stuck_at(&self) -> Option<Instant> {
        Some(self.drain_until? + self.settings.stop_grace + STUCK_LIMIT)
    }

    /// Whether the worker was told to stop and has handed over everything, or has no time left for it.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        let Some(stuck_at) = self.stuck_at() else { return false };
        // The lines that an attempt has logged went before its end; those that still wait are of nobody.
        let done = !self.attempts.has_held() && self.outbox.is_empty();
        if !done && now >= stuck_at + SETTLE_LIMIT {
            tracing::warn!("no server took the last results in time; their tasks are run again");
            return true;
        }
        done
    }

    /// When the clock is to be minded next. `blocked`: there is no room to send anything, so a beat is sent as soon as there is.
    pub(super) fn next_due(&self, blocked: bool) -> Instant {
        let speaking = self.session.as_ref().filter(|session| !blocked && session.may_speak());
        let beat = speaking.filter(|session| session.may_beat());
        let connect = self.session.is_none().then_some(self.connect_at);
        let drain = self.drain_until.filter(|_| self.attempts.has(Fate::Settle));
        let stuck = self.stuck_at().filter(|_| self.attempts.has(Fate::HandBack));
        let over = self.stuck_at().map(|limit| limit + SETTLE_LIMIT);
        let all = [
            self.leases_at_stake().map(|leases| leases.stop_at()),
            self.attempts.next_abort(),
            self.session_limit(),
            beat.map(|session| session.next_beat),
            connect,
            drain,
            stuck,
            over,
        ];
        all.into_iter().flatten().min().unwrap_or_else(|| Instant::now() + IDLE)
    }
}
