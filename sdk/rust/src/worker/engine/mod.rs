//! The worker's one loop. It owns everything that changes, so there is nothing to lock: handlers run beside it as tasks of their
//! own, and the stream is carried by another one.

mod clock;
mod inbound;
mod outbound;
mod session;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::select;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use self::clock::LeaseClock;
use self::session::Session;
use super::attempts::{Attempts, Ended, Fate};
use super::board::Board;
use super::handler::Handler;
use super::link::Answer;
use super::outbox::{Finished, Outbox};
use super::retry::Retry;
use super::stop::Stop;
use crate::connect::ConnectOptions;
use crate::error::Result;
use crate::proto::WorkRequest;

/// A stream that was asked to end does so within this, or is cut.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// What a worker is and how it is to behave.
#[derive(Debug, Clone)]
pub struct Settings {
    pub name: String,
    pub instance: String,
    pub queues: Vec<String>,
    pub slots: u32,
    pub labels: BTreeMap<String, String>,
    pub connect: ConnectOptions,
    pub drain_limit: Duration,
    pub stop_grace: Duration,
}

pub struct Engine {
    settings: Settings,
    handlers: HashMap<String, Handler>,
    /// Whether a server has said Welcome and the stream is there, for whoever wants to know.
    connected: watch::Sender<bool>,
    board: Arc<Board>,
    attempts: Attempts,
    outbox: Outbox,
    session: Option<Session>,
    /// Until when the leases are ours; `None` before the first Welcome.
    leases: Option<LeaseClock>,
    retry: Retry,
    /// Not before this a stream is opened.
    connect_at: Instant,
    /// When the handlers that still run are told to stop; `None` while the worker is to go on.
    drain_until: Option<Instant>,
}

/// What the loop waits for.
enum Event {
    Answer(Answer),
    Ended(Ended),
    /// There may be something to send or to obey, or it is time for something.
    Woken,
}

impl Engine {
    pub fn new(settings: Settings, handlers: HashMap<String, Handler>, connected: watch::Sender<bool>) -> Self {
        Self {
            attempts: Attempts::new(settings.stop_grace),
            settings,
            handlers,
            connected,
            board: Arc::default(),
            outbox: Outbox::default(),
            session: None,
            leases: None,
            retry: Retry::default(),
            connect_at: Instant::now(),
            drain_until: None,
        }
    }

    /// Runs until it is told to stop and has handed over everything, or until a server says that it never will be let in.
    pub async fn run(mut self, stop: Stop) -> Result<()> {
        loop {
            self.obey(&stop);
            self.mind_the_clock(Instant::now());
            if self.is_over(Instant::now()) {
                self.close().await;
                return Ok(());
            }
            let blocked = self.flush(Instant::now());
            match self.next_event(&stop, blocked).await {
                Event::Answer(answer) => self.answered(answer)?,
                Event::Ended(ended) => self.gather(ended).await,
                Event::Woken => {}
            }
        }
    }

    fn obey(&mut self, stop: &Stop) {
        let now = Instant::now();
        if self.drain_until.is_none() && stop.gentle.is_cancelled() {
            self.drain_until = Some(now + self.settings.drain_limit);
        }
        if self.drain_until.is_some_and(|limit| limit > now) && stop.hurry.is_cancelled() {
            self.drain_until = Some(now);
        }
    }

    async fn next_event(&mut self, stop: &Stop, blocked: bool) -> Event {
        let due = self.next_due(blocked);
        let (draining, hurried) = (self.drain_until.is_some(), stop.hurry.is_cancelled());
        let (requests, answers) = match &mut self.session {
            Some(session) => (session.link.requests.as_ref(), Some(&mut session.link.answers)),
            None => (None, None),
        };
        select! {
            answer = next_answer(answers) => Event::Answer(answer),
            ended = self.attempts.next_ended() => Event::Ended(ended),
            () = room(requests), if blocked => Event::Woken,
            () = self.board.changed() => Event::Woken,
            () = sleep_until(due) => Event::Woken,
            () = stop.gentle.cancelled(), if !draining => Event::Woken,
            () = stop.hurry.cancelled(), if draining && !hurried => Event::Woken,
        }
    }

    /// An attempt has ended. Those that end in the same moment are waited for: their results travel together.
    async fn gather(&mut self, ended: Ended) {
        self.ended(ended);
        tokio::task::yield_now().await;
        while let Some(ended) = self.attempts.try_next_ended() {
            self.ended(ended);
        }
    }

    fn ended(&mut self, Ended { context, fate, result }: Ended) {
        let log_mark = self.board.pinned();
        match fate {
            Fate::Settle => self.outbox.add(Finished::settle(&context, result, log_mark)),
            Fate::HandBack => self.outbox.add(Finished::hand_back(&context, log_mark)),
            Fate::Drop => tracing::debug!(task_id = context.task().id, "the end of an attempt whose lease is gone"),
        }
    }

    /// Sends what there is to send while there is room. Answers whether something waits for room.
    fn flush(&mut self, now: Instant) -> bool {
        loop {
            let Some(requests) = self.session.as_ref().and_then(|session| session.link.requests.clone()) else {
                return false;
            };
            let Ok(permit) = requests.try_reserve() else {
                // A closed channel says so by its last answer.
                return !requests.is_closed();
            };
            let Some(message) = self.next_request(now) else {
                return false;
            };
            permit.send(WorkRequest { message: Some(message) });
        }
    }

    /// Everything is said: waits until the server has ended the stream.
    async fn close(mut self) {
        let Some(mut session) = self.session.take() else { return };
        session.link.requests = None;
        let ended = async { while let Some(Answer::Message(_)) = session.link.answers.recv().await {} };
        // Everything is acknowledged; a server that does not end the stream is left.
        let _ = timeout(CLOSE_LIMIT, ended).await;
        self.connected.send_replace(false);
    }
}

async fn next_answer(answers: Option<&mut mpsc::Receiver<Answer>>) -> Answer {
    match answers {
        Some(answers) => answers.recv().await.unwrap_or(Answer::Closed(None)),
        None => std::future::pending().await,
    }
}

/// Resolves when there is room for a message; for ever pending when there is nobody to send it to.
async fn room(requests: Option<&mpsc::Sender<WorkRequest>>) {
    match requests {
        Some(requests) if requests.reserve().await.is_ok() => {}
        _ => std::future::pending().await,
    }
}
