use tokio::time::Instant;

use super::Engine;
use crate::model::wire;
use crate::proto::work_request::Message;
use crate::proto::{Beat, Credit, Drain, Hello, Lease, Settle};

/// Reports of one beat; the server takes 8 MiB, and the leases themselves are some of it.
const MAX_REPORT_BYTES: usize = 4 * 1024 * 1024;

impl Engine {
    /// Who this is, and what it still runs.
    pub(super) fn hello(&self) -> Message {
        let running = self.attempts.held().map(crate::worker::Context::lease);
        let in_flight: Vec<Lease> = running.chain(self.outbox.leases()).cloned().collect();
        Message::Hello(Hello {
            name: Some(self.settings.name.clone()),
            instance: Some(self.settings.instance.clone()),
            types: self.handlers.keys().cloned().collect(),
            queues: self.settings.queues.clone(),
            slots: Some(wire(self.settings.slots)),
            labels: self.settings.labels.clone(),
            sdk: Some(crate::SDK.to_owned()),
            in_flight,
        })
    }

    /// The next message, if there is one to send now. What an attempt said goes before its end.
    pub(super) fn next_request(&mut self, now: Instant) -> Option<Message> {
        let draining = self.drain_until.is_some();
        let session = self.session.as_mut()?;
        session.terms?;
        if draining && !session.drain_said {
            session.drain_said = true;
            return Some(Message::Drain(Drain {
                reason: "The worker is stopping.".to_owned(),
            }));
        }
        if session.may_beat() && (session.next_beat <= now || self.outbox.wants_beat()) {
            return Some(self.beat(now));
        }
        let lines_sent = self.board.taken();
        if lines_sent >= self.outbox.log_mark() {
            if let Some(reject) = self.outbox.reject(lines_sent) {
                return Some(Message::Reject(reject));
            }
            if let Some(settle) = self.outbox.settle(lines_sent) {
                return Some(self.settle(settle));
            }
        }
        if let Some(log) = self.board.take() {
            return Some(Message::Log(log));
        }
        let slots = self.give_room();
        (slots > 0).then(|| Message::Credit(Credit { slots: wire(slots) }))
    }

    fn beat(&mut self, now: Instant) -> Message {
        let mut budget = MAX_REPORT_BYTES;
        // What waits to be settled first: its beat holds it up.
        let mut leases = self.outbox.lease_reports(&mut budget);
        leases.extend(self.attempts.held().map(|context| context.lease_report(&mut budget)));
        if let Some(session) = &mut self.session {
            session.beat_sent = Some(now);
            session.next_beat = now + session.terms.map_or_else(Default::default, |terms| terms.heartbeat);
        }
        Message::Beat(Beat { leases })
    }

    /// Results, and with them the room that they left.
    fn settle(&mut self, settle: Settle) -> Message {
        let slots = self.give_room();
        Message::Settle(Settle {
            credit: (slots > 0).then(|| wire(slots)),
            ..settle
        })
    }

    /// How many more tasks there is room for; they count as given from here on.
    fn give_room(&mut self) -> u32 {
        let busy = self.attempts.len() + self.outbox.waiting();
        let draining = self.drain_until.is_some();
        let Some(session) = self
            .session
            .as_mut()
            .filter(|session| !draining && !session.server_drains)
        else {
            return 0;
        };
        let free = self
            .settings
            .slots
            .saturating_sub(u32::try_from(busy).unwrap_or(u32::MAX));
        let more = free.saturating_sub(session.outstanding);
        session.outstanding += more;
        more
    }
}
