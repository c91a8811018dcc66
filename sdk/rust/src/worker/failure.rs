use std::fmt::Display;

use crate::error::chain;

/// Why an attempt failed, as a handler says it. Any error becomes one by `?`: `HANDLER_ERROR`, retryable, with the error's message
/// and what it comes from.
///
/// It is no [`std::error::Error`] itself, or errors could not be turned into it.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskFailure {
    /// `UPPER_SNAKE_CASE`, at most 100 characters, stable, for programs. What is not written so is rewritten.
    pub code: String,
    /// A sentence for people; what is longer than 4,000 characters is cut.
    pub message: String,
    /// Whether another attempt may help.
    pub retryable: bool,
    /// Seconds until the next attempt, 0 to 604,800, instead of the task's backoff.
    pub retry_after_seconds: Option<f64>,
}

impl TaskFailure {
    /// A failure after which another attempt may help.
    pub fn new(code: impl Into<String>, message: impl Display) -> Self {
        Self {
            code: code.into(),
            message: message.to_string(),
            retryable: true,
            retry_after_seconds: None,
        }
    }

    /// The failure for an error that has no code of its own, and for those that are no [`std::error::Error`].
    pub fn handler_error(message: impl Display) -> Self {
        Self::new("HANDLER_ERROR", message)
    }

    /// Another attempt would not help: the task fails for good.
    #[must_use]
    pub fn not_retryable(mut self) -> Self {
        self.retryable = false;
        self
    }

    /// The next attempt begins after so many seconds, 0 to 604,800, whatever the task's backoff.
    #[must_use]
    pub fn retry_after_seconds(mut self, seconds: f64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    pub(super) fn timeout(seconds: u64) -> Self {
        Self::new("TIMEOUT", format!("The attempt took longer than {seconds} seconds."))
    }

    pub(super) fn parameters(why: impl Display) -> Self {
        let message = format!("The parameters do not fit the handler: {why}. Create the task anew.");
        Self::new("INVALID_PARAMETERS", message).not_retryable()
    }

    pub(super) fn result(why: impl Display) -> Self {
        Self::new("RESULT_NOT_STORABLE", format!("The handler's result {why}.")).not_retryable()
    }
}

impl<E: std::error::Error> From<E> for TaskFailure {
    fn from(error: E) -> Self {
        Self::handler_error(chain(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::TaskFailure;

    #[test]
    fn any_error_becomes_a_retryable_failure() {
        fn handler() -> Result<u8, TaskFailure> {
            Ok("three".parse::<u8>()?)
        }
        let failure = handler().expect_err("no number");
        assert_eq!((failure.code.as_str(), failure.retryable), ("HANDLER_ERROR", true));
        assert_eq!(failure.message, "invalid digit found in string");
    }
}
