use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Engine;
use super::clock::LeaseClock;
use super::session::Terms;
use crate::error::{Error, Result};
use crate::model::count;
use crate::proto::work_response::Message;
use crate::proto::{Assignment, BeatAck, Lease, Welcome};
use crate::worker::context::Context;
use crate::worker::link::Answer;
use crate::worker::outbox::Finished;

/// Answers to the first Hello that no other try will change.
const FATAL: [&str; 8] = [
    "UNAUTHENTICATED",
    "FORBIDDEN",
    "PERMISSION_DENIED",
    "VALIDATION_FAILED",
    "MALFORMED_REQUEST",
    "INVALID_ARGUMENT",
    "UNIMPLEMENTED",
    "INVALID_OPTIONS",
];

impl Engine {
    pub(super) fn answered(&mut self, answer: Answer) -> Result<()> {
        match answer {
            Answer::Message(message) => {
                self.take(message);
                Ok(())
            }
            Answer::Closed(error) => self.disconnected(error),
        }
    }

    fn take(&mut self, message: Message) {
        if matches!(message, Message::Assign(_) | Message::BeatAck(_)) {
            // More than a Welcome: the stream works.
            self.retry.reset();
        }
        match message {
            Message::Welcome(welcome) => self.welcome(&welcome),
            Message::Assign(assign) => assign.tasks.into_iter().for_each(|task| self.assigned(task)),
            Message::BeatAck(ack) => self.beat_acknowledged(&ack),
            Message::Cancel(cancel) => cancel.leases.iter().for_each(|lease| self.attempts.cancel(lease)),
            Message::Ack(ack) => self.outbox.acknowledged(&ack),
            Message::Drain(drain) => {
                tracing::info!(reason = drain.reason, "the server sends no more tasks");
                if let Some(session) = &mut self.session {
                    session.server_drains = true;
                }
            }
        }
    }

    fn welcome(&mut self, welcome: &Welcome) {
        let Some(session) = &mut self.session else { return };
        let milliseconds = |number| Duration::from_millis(u64::from(count(number)).max(1));
        let terms = Terms {
            heartbeat: milliseconds(welcome.heartbeat_ms),
        };
        session.terms = Some(terms);
        session.next_beat = session.hello_at + terms.heartbeat;
        self.leases = Some(LeaseClock {
            length: milliseconds(welcome.lease_ms),
            renewed_at: session.hello_at,
        });
        tracing::info!(
            worker_id = welcome.worker_id,
            server = welcome.server_version,
            "connected"
        );
        for lease in &welcome.revoked {
            self.lose(lease);
        }
        self.connected.send_replace(true);
    }

    fn assigned(&mut self, mut assignment: Assignment) {
        let Some(session) = &mut self.session else { return };
        session.outstanding = session.outstanding.saturating_sub(1);
        let Some(lease) = assignment.lease.take() else { return };
        if self.attempts.holds(&lease) {
            return;
        }
        let room = self.drain_until.is_none() && self.attempts.len() < self.settings.slots as usize;
        match self.handlers.get(&assignment.r#type).filter(|_| room) {
            Some(handler) => {
                let context = Context::new(assignment, lease, Arc::clone(&self.board));
                self.attempts.start(context, Arc::clone(handler));
            }
            None => self.outbox.add(Finished::reject(lease)),
        }
    }

    fn beat_acknowledged(&mut self, ack: &BeatAck) {
        let sent = self.session.as_mut().and_then(|session| session.beat_sent.take());
        if let (Some(sent), Some(leases)) = (sent, &mut self.leases) {
            leases.renewed_at = sent;
        }
        for lease in &ack.lost {
            self.lose(lease);
        }
        for lease in &ack.cancel {
            self.attempts.cancel(lease);
        }
    }

    fn lose(&mut self, lease: &Lease) {
        if self.attempts.holds(lease) {
            tracing::warn!(
                task_id = lease.task_id,
                attempt = lease.attempt,
                "the lease is lost: the attempt is stopped"
            );
        }
        self.attempts.lose(lease);
        self.outbox.lose(lease);
    }

    fn disconnected(&mut self, error: Option<Error>) -> Result<()> {
        let closed_by_us = self
            .session
            .take()
            .is_some_and(|session| session.closing_since.is_some());
        self.connected.send_replace(false);
        match error {
            // A server that has never known this worker and does not want it.
            Some(error) if self.leases.is_none() && FATAL.contains(&error.code()) => return Err(error),
            Some(error) if !closed_by_us => tracing::warn!(%error, "the stream broke; connecting again"),
            _ => tracing::info!("the stream has ended; connecting again"),
        }
        self.outbox.send_again();
        self.attempts.held().for_each(Context::say_again);
        self.connect_at = Instant::now() + self.retry.next_wait();
        Ok(())
    }
}
