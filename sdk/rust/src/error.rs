use std::borrow::Cow;
use std::fmt;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::proto;

/// What a call answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A call that was refused or did not get through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    code: String,
    message: String,
    fields: Vec<FieldProblem>,
    /// Whether the same call may succeed unchanged.
    transient: bool,
}

/// One field that is not valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// Its path, such as `parameters.url`.
    pub field: String,
    /// What would be accepted.
    pub message: String,
}

impl Error {
    /// The server's code, such as `VALIDATION_FAILED` or `NOT_FOUND`, for programs. What never reached a server has the name of the
    /// gRPC status (`UNAVAILABLE`), or `INVALID_OPTIONS` when the options of this SDK are at fault.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// A sentence for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The fields that are not valid; empty unless the code is `VALIDATION_FAILED`.
    pub fn field_errors(&self) -> &[FieldProblem] {
        &self.fields
    }

    /// Whether the same call may succeed later: the server was not there, or too slow.
    pub fn is_transient(&self) -> bool {
        self.transient
    }

    /// A field that cannot even be sent.
    pub(crate) fn invalid(field: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            code: "VALIDATION_FAILED".to_owned(),
            message: format!("{field}: {message}"),
            fields: vec![FieldProblem {
                field: field.to_owned(),
                message,
            }],
            transient: false,
        }
    }

    /// Options that make no connection.
    pub(crate) fn options(message: impl Into<String>) -> Self {
        Self {
            code: "INVALID_OPTIONS".to_owned(),
            message: message.into(),
            fields: Vec::new(),
            transient: false,
        }
    }

    /// An answer that breaks the contract.
    pub(crate) fn unreadable(what: &str) -> Self {
        let message = format!("The server's answer cannot be read: {what}. Is this SDK as new as the server?");
        Self {
            code: "INTERNAL".to_owned(),
            message,
            fields: Vec::new(),
            transient: false,
        }
    }

    /// No connection.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self {
            code: "UNAVAILABLE".to_owned(),
            message: message.into(),
            fields: Vec::new(),
            transient: true,
        }
    }

    /// One task of many that was refused.
    pub(crate) fn refusal(refusal: proto::TaskRefusal) -> Self {
        let fields = refusal.errors.into_iter().map(FieldProblem::from).collect();
        Self {
            code: refusal.code,
            message: refusal.detail,
            fields,
            transient: false,
        }
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        let fields = status.get_details_bad_request().map_or_else(Vec::new, |bad| {
            bad.field_violations
                .into_iter()
                .map(|violation| FieldProblem {
                    field: violation.field,
                    message: violation.description,
                })
                .collect()
        });
        // What tonic says by itself has a source: the connection broke, whatever status that became.
        let grpc = if std::error::Error::source(&status).is_some() {
            Code::Unavailable
        } else {
            status.code()
        };
        let code = match status.get_details_error_info() {
            Some(info) if !info.reason.is_empty() => info.reason,
            _ => grpc_name(grpc).to_owned(),
        };
        let transient = matches!(grpc, Code::Unavailable | Code::DeadlineExceeded);
        Self {
            code,
            message: sentence(&status).into_owned(),
            fields,
            transient,
        }
    }
}

/// Tonic hides why there is no connection in the sources of its status.
fn sentence(status: &Status) -> Cow<'_, str> {
    match std::error::Error::source(status) {
        Some(source) => Cow::Owned(format!("{}: {}", status.message(), chain(source))),
        None => Cow::Borrowed(status.message()),
    }
}

/// An error and what it comes from, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let said = source.to_string();
        // Many errors repeat their source in their own words.
        if !line.contains(&said) {
            line = format!("{line}: {said}");
        }
        next = source.source();
    }
    line
}

fn grpc_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use tonic::{Code, Status};
    use tonic_types::{ErrorDetails, StatusExt as _};

    use super::{Error, FieldProblem};

    #[test]
    fn code_and_fields_come_from_the_details() {
        let mut details = ErrorDetails::with_error_info("VALIDATION_FAILED", "arkitect", []);
        details.add_bad_request_violation("name", "must not be empty");
        let error = Error::from(Status::with_error_details(
            Code::InvalidArgument,
            "name: must not be empty",
            details,
        ));
        assert_eq!(error.code(), "VALIDATION_FAILED");
        assert_eq!(error.message(), "name: must not be empty");
        assert_eq!(
            error.field_errors(),
            [FieldProblem {
                field: "name".into(),
                message: "must not be empty".into()
            }]
        );
        assert!(!error.is_transient());
    }

    #[test]
    fn a_status_without_details_has_the_name_of_its_status_as_code() {
        let error = Error::from(Status::unavailable("gone"));
        assert_eq!(error.to_string(), "UNAVAILABLE: gone");
        assert!(error.is_transient());
    }
}
