//! The closed vocabularies of the contract, as enums that stay open: a newer server may say a word that this version does not
//! know.

/// Defines such an enum with its conversions from and to the words on the wire.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)+
            /// A word that this version of the SDK does not know.
            Other(String),
        }

        impl $name {
            /// The word of the contract.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                match word.as_str() {
                    $($word => Self::$variant,)+
                    _ => Self::Other(word),
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                Self::from(word.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> Self {
                word.as_str().to_owned()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::from)
            }
        }
    };
}

words! {
    /// The state of a task.
    Status {
        /// Created, and waits to be executed.
        Pending = "pending",
        /// Waits for its time.
        Scheduled = "scheduled",
        /// Waits for other tasks.
        Blocked = "blocked",
        /// Waits in its queue for a worker.
        Queued = "queued",
        /// An attempt runs.
        Running = "running",
        /// An attempt runs that was told to stop.
        Cancelling = "cancelling",
        /// Ended with a result.
        Completed = "completed",
        /// Ended with an error.
        Failed = "failed",
        /// Ended because somebody wanted it to.
        Cancelled = "cancelled",
    }
}

impl Status {
    /// Whether nothing more happens unless the task is retried: completed, failed or cancelled.
    pub fn is_finished(&self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

words! {
    /// The state of one attempt.
    AttemptStatus {
        /// It runs.
        Running = "running",
        /// It runs and was told to stop.
        Cancelling = "cancelling",
        /// It reached its end.
        Completed = "completed",
        /// It failed.
        Failed = "failed",
        /// It was cancelled.
        Cancelled = "cancelled",
        /// Its worker went silent.
        Lost = "lost",
        /// Its worker handed it back.
        Released = "released",
    }
}

words! {
    /// How urgent a task is; more urgent ones are claimed first.
    Priority {
        /// After all others.
        Low = "low",
        /// The default.
        Medium = "medium",
        /// Before most.
        High = "high",
        /// Before all others.
        Critical = "critical",
    }
}

words! {
    /// How the wait after a failed attempt grows.
    BackoffKind {
        /// Always the same.
        Fixed = "fixed",
        /// The delay times the number of the attempt.
        Linear = "linear",
        /// Doubles each time.
        Exponential = "exponential",
    }
}

words! {
    /// When a new task joins its queue.
    Start {
        /// When it is executed.
        Manual = "manual",
        /// At once.
        Auto = "auto",
    }
}

words! {
    /// How much a log line matters.
    LogLevel {
        /// For who looks for a fault.
        Debug = "debug",
        /// What happens.
        Info = "info",
        /// What should not happen and does no harm yet.
        Warn = "warn",
        /// What went wrong.
        Error = "error",
    }
}

words! {
    /// What an event tells.
    Action {
        /// It was created.
        Created = "task_created",
        /// Something else about it changed.
        Updated = "task_updated",
        /// It joined its queue.
        Queued = "task_queued",
        /// An attempt started.
        Started = "task_started",
        /// Its handler reported progress.
        Progress = "task_progress",
        /// Its handler logged a line.
        Log = "task_log",
        /// It ended with a result.
        Completed = "task_completed",
        /// It ended with an error.
        Failed = "task_failed",
        /// It was cancelled.
        Cancelled = "task_cancelled",
        /// It is gone.
        Deleted = "task_deleted",
    }
}

words! {
    /// How a worker is connected.
    WorkerState {
        /// It gets tasks.
        Connected = "connected",
        /// It gets no more tasks.
        Draining = "draining",
        /// Its connection broke; its leases run out.
        Gone = "gone",
    }
}

words! {
    /// How one list is sorted.
    Order {
        /// Oldest first.
        Asc = "asc",
        /// Newest first.
        Desc = "desc",
    }
}
