use std::collections::{BTreeMap, VecDeque};

use prost::Message as _;

use super::context::Context;
use super::failure::TaskFailure;
use super::limits;
use crate::json::Json;
use crate::proto::{self, Complete, Fail, Lease, LeaseReport, Reject, Settle, Settled};

/// The server takes 1,000 results and 8 MiB in one message.
const MAX_RESULTS: usize = 1_000;
const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// The server judges results by their JSON, at most 1 MiB of it. This is only what would not even get there: a list of small numbers
/// is five times as long in protobuf.
const MAX_RESULT_BYTES: usize = 7 * 1024 * 1024;

/// What became of an attempt.
#[derive(Debug)]
enum Outcome {
    Complete(Complete),
    Fail(Fail),
    HandBack,
}

/// An attempt that has ended and whose end the server does not know yet.
#[derive(Debug)]
pub struct Finished {
    lease: Lease,
    outcome: Outcome,
    /// What it said last: to be sent before its end.
    last_words: Option<LeaseReport>,
    last_words_sent: bool,
    /// So many log lines must be on their way before.
    log_mark: u64,
    bytes: usize,
}

impl Finished {
    pub fn settle(context: &Context, result: Result<serde_json::Value, TaskFailure>, log_mark: u64) -> Self {
        let lease = || context.lease().clone();
        let completed = result.and_then(|value| {
            limits::result(&value).map_err(TaskFailure::result)?;
            let complete = Complete {
                lease: Some(lease()),
                result: (!value.is_null()).then_some(Json(value)),
            };
            let bytes = complete.encoded_len();
            if bytes <= MAX_RESULT_BYTES {
                return Ok(complete);
            }
            Err(TaskFailure::result(format_args!(
                "takes {bytes} bytes on its way; at most 1 MiB of JSON is accepted"
            )))
        });
        let outcome = match completed {
            Ok(complete) => Outcome::Complete(complete),
            Err(failure) => Outcome::Fail(limits::fail(lease(), &failure)),
        };
        Self::new(context, outcome, log_mark)
    }

    pub fn hand_back(context: &Context, log_mark: u64) -> Self {
        Self::new(context, Outcome::HandBack, log_mark)
    }

    /// A task that was never begun here.
    pub fn reject(lease: Lease) -> Self {
        Self {
            lease,
            outcome: Outcome::HandBack,
            last_words: None,
            last_words_sent: true,
            log_mark: 0,
            bytes: 0,
        }
    }

    fn new(context: &Context, outcome: Outcome, log_mark: u64) -> Self {
        let mut no_limit = usize::MAX;
        let report = context.lease_report(&mut no_limit);
        let last_words = (report.progress.is_some() || report.checkpoint.is_some()).then_some(report);
        let bytes = match &outcome {
            Outcome::Complete(complete) => complete.encoded_len(),
            Outcome::Fail(fail) => fail.encoded_len(),
            Outcome::HandBack => 0,
        };
        let lease = context.lease().clone();
        Self {
            lease,
            outcome,
            last_words_sent: last_words.is_none(),
            last_words,
            log_mark,
            bytes,
        }
    }
}

/// Ends of attempts on their way to the server, in order; results stay until it acknowledges them.
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: VecDeque<Finished>,
    unacknowledged: BTreeMap<i64, Vec<Finished>>,
    last_settle_id: i64,
}

impl Outbox {
    pub fn add(&mut self, finished: Finished) {
        self.waiting.push_back(finished);
    }

    /// Not sent yet; these still hold their slots.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.unacknowledged.is_empty()
    }

    /// Leases of what is not sent yet: a beat keeps them alive.
    pub fn leases(&self) -> impl Iterator<Item = &Lease> {
        self.waiting.iter().map(|finished| &finished.lease)
    }

    /// What the next beat says of what is not sent yet.
    pub fn lease_reports(&mut self, budget: &mut usize) -> Vec<LeaseReport> {
        let report = |finished: &mut Finished| {
            if let (Some(words), false) = (&finished.last_words, finished.last_words_sent) {
                let bytes = words.encoded_len();
                if bytes <= *budget {
                    *budget -= bytes;
                    finished.last_words_sent = true;
                    return words.clone();
                }
            }
            LeaseReport {
                lease: Some(finished.lease.clone()),
                ..LeaseReport::default()
            }
        };
        self.waiting.iter_mut().map(report).collect()
    }

    /// Whether the next end waits for a beat that carries what was said before it.
    pub fn wants_beat(&self) -> bool {
        self.waiting.front().is_some_and(|next| !next.last_words_sent)
    }

    /// How many log lines must be on their way before the next end.
    pub fn log_mark(&self) -> u64 {
        self.waiting.front().map_or(0, |next| next.log_mark)
    }

    /// The next ends that nothing holds back, of one kind.
    fn take(&mut self, lines_sent: u64, hand_back: bool) -> Vec<Finished> {
        let mut bytes = 0;
        let mut taken = Vec::new();
        while let Some(next) = self.waiting.front() {
            bytes += next.bytes;
            let fits = taken.is_empty() || (taken.len() < MAX_RESULTS && bytes <= MAX_BATCH_BYTES);
            let same_kind = matches!(next.outcome, Outcome::HandBack) == hand_back;
            if !fits || !same_kind || !next.last_words_sent || next.log_mark > lines_sent {
                break;
            }
            taken.extend(self.waiting.pop_front());
        }
        taken
    }

    /// What goes back to its queue next, if that is next.
    pub fn reject(&mut self, lines_sent: u64) -> Option<Reject> {
        let taken = self.take(lines_sent, true);
        let leases: Vec<_> = taken.into_iter().map(|finished| finished.lease).collect();
        (!leases.is_empty()).then_some(Reject { leases })
    }

    /// The next results, if those are next. They are kept until `acknowledged`.
    pub fn settle(&mut self, lines_sent: u64) -> Option<Settle> {
        let taken = self.take(lines_sent, false);
        if taken.is_empty() {
            return None;
        }
        self.last_settle_id += 1;
        let mut settle = Settle {
            settle_id: self.last_settle_id,
            ..Settle::default()
        };
        for finished in &taken {
            match &finished.outcome {
                Outcome::Complete(complete) => settle.complete.push(complete.clone()),
                Outcome::Fail(fail) => settle.fail.push(fail.clone()),
                Outcome::HandBack => {}
            }
        }
        self.unacknowledged.insert(self.last_settle_id, taken);
        Some(settle)
    }

    /// The server has stored results.
    pub fn acknowledged(&mut self, ack: &proto::Ack) {
        if self.unacknowledged.remove(&ack.settle_id).is_none() {
            tracing::debug!(settle_id = ack.settle_id, "an acknowledgement of nothing");
        }
        for Settled {
            task_id,
            status,
            message,
        } in &ack.settled
        {
            match status.as_str() {
                "lost" => tracing::warn!(task_id, "a result was dropped: the lease was gone"),
                "refused" => tracing::warn!(task_id, why = message.as_deref(), "a result could not be stored"),
                _ => {}
            }
        }
    }

    /// The lease is gone; the result would be refused. What is under way is answered by its acknowledgement.
    pub fn lose(&mut self, lease: &Lease) {
        self.waiting
            .retain(|finished| finished.lease.lease_token != lease.lease_token);
    }

    /// The stream broke: what was not acknowledged is sent again, and before it what was said.
    pub fn send_again(&mut self) {
        for (_, finished) in std::mem::take(&mut self.unacknowledged).into_iter().rev() {
            for finished in finished.into_iter().rev() {
                self.waiting.push_front(finished);
            }
        }
        for finished in &mut self.waiting {
            finished.last_words_sent = finished.last_words.is_none();
        }
    }
}
