use std::time::Duration;

use tokio::time::Instant;

use crate::worker::link::Link;

/// What the server asks of this worker, since its Welcome.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    pub heartbeat: Duration,
}

/// One stream, from Hello to its end.
pub struct Session {
    pub link: Link,
    pub hello_at: Instant,
    /// `None` until Welcome.
    pub terms: Option<Terms>,
    pub next_beat: Instant,
    /// When the beat was sent that is not answered yet. There is never more than one: a beat that was sent before an assignment
    /// arrived, and is the second since, would tell the server that the task is not run here.
    pub beat_sent: Option<Instant>,
    /// Room that was given and has brought no task yet.
    pub outstanding: u32,
    /// The server sends no more tasks.
    pub server_drains: bool,
    /// The server knows that the worker wants no more tasks.
    pub drain_said: bool,
    /// Since when all is said and the stream is to end.
    pub closing_since: Option<Instant>,
}

impl Session {
    pub fn new(link: Link, now: Instant) -> Self {
        Self {
            link,
            hello_at: now,
            terms: None,
            next_beat: now,
            beat_sent: None,
            outstanding: 0,
            server_drains: false,
            drain_said: false,
            closing_since: None,
        }
    }

    /// Welcome was said, and not everything is said yet.
    pub fn may_speak(&self) -> bool {
        self.terms.is_some() && self.link.requests.is_some()
    }

    pub fn may_beat(&self) -> bool {
        self.beat_sent.is_none()
    }

    /// Says that nothing more will be said.
    pub fn begin_to_close(&mut self, now: Instant) {
        self.link.requests = None;
        self.closing_since.get_or_insert(now);
    }
}
