use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use prost::Message as _;
use tokio::sync::Notify;

use crate::proto::{Log, LogLine};

/// A handler that logs faster than the connection carries loses lines, not the process its memory.
const MAX_WAITING_BYTES: usize = 16 * 1024 * 1024;
/// Of one message: the server takes at most 1,000 lines and 8 MiB.
const MAX_LINES: usize = 1_000;
const MAX_MESSAGE_BYTES: usize = 2 * 1024 * 1024;

/// Log lines of all attempts on their way to the server, in order.
#[derive(Debug, Default)]
pub struct Board {
    lines: Mutex<Lines>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Lines {
    waiting: VecDeque<LogLine>,
    bytes: usize,
    /// Lines pinned so far, and taken off so far.
    pinned: u64,
    taken: u64,
    dropped: u64,
}

impl Board {
    pub fn pin(&self, line: LogLine) {
        let mut lines = self.lines();
        let bytes = line.encoded_len();
        if lines.bytes + bytes > MAX_WAITING_BYTES {
            lines.dropped += 1;
            return;
        }
        lines.bytes += bytes;
        lines.pinned += 1;
        lines.waiting.push_back(line);
        drop(lines);
        self.changed.notify_one();
    }

    /// How many were pinned so far: when [`taken`](Self::taken) has reached it, all of them are on their way.
    pub fn pinned(&self) -> u64 {
        self.lines().pinned
    }

    pub fn taken(&self) -> u64 {
        self.lines().taken
    }

    /// The oldest lines, as many as one message may hold.
    pub fn take(&self) -> Option<Log> {
        let mut lines = self.lines();
        if lines.dropped > 0 {
            tracing::warn!(
                lines = lines.dropped,
                "log lines were dropped: handlers log faster than the server takes them"
            );
            lines.dropped = 0;
        }
        let mut log = Log::default();
        let mut bytes = 0;
        while log.lines.len() < MAX_LINES && bytes < MAX_MESSAGE_BYTES {
            let Some(line) = lines.waiting.pop_front() else { break };
            bytes += line.encoded_len();
            log.lines.push(line);
        }
        lines.bytes -= bytes;
        lines.taken += log.lines.len() as u64;
        (!log.lines.is_empty()).then_some(log)
    }

    /// Resolves when something was pinned since this resolved last.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        // No code of others runs under the lock; after a panic of ours the lines are still lines.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Board;
    use crate::proto::LogLine;

    fn line(message: &str) -> LogLine {
        LogLine {
            message: message.to_owned(),
            ..LogLine::default()
        }
    }

    #[test]
    fn lines_are_taken_in_order_and_a_thousand_at_a_time() {
        let board = Board::default();
        for number in 0..1_500 {
            board.pin(line(&number.to_string()));
        }
        let taken: Vec<_> = std::iter::from_fn(|| board.take()).collect();
        assert_eq!(
            taken.iter().map(|log| log.lines.len()).collect::<Vec<_>>(),
            [1_000, 500]
        );
        assert_eq!(taken[1].lines[0].message, "1000");
        assert_eq!((board.pinned(), board.taken()), (1_500, 1_500));
    }

    #[test]
    fn what_nobody_takes_is_bounded() {
        let board = Board::default();
        let long = "x".repeat(10_000);
        for _ in 0..2_000 {
            board.pin(line(&long));
        }
        assert!(board.pinned() < 1_700);
    }
}
