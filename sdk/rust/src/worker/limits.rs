//! What the server accepts of a worker. It ends the stream of one that sends anything else, so nothing else is sent.

use serde_json::{Map, Value};

use super::failure::TaskFailure;
use crate::model::LogLevel;
use crate::proto;

const MAX_CODE: usize = 100;
const MAX_ERROR_MESSAGE: usize = 4_000;
const MAX_PROGRESS_MESSAGE: usize = 1_000;
const MAX_LOG_MESSAGE: usize = 10_000;
const MAX_RETRY_AFTER: f64 = 604_800.0;
const MAX_SMALL_JSON: usize = 64 * 1024;
const MAX_DEPTH: usize = 32;
/// The server's JavaScript writes 1e20 as 100000000000000000000.
const LONGER_NUMBER: usize = 17;

/// Text without NUL, which PostgreSQL does not store, and cut to a length in UTF-16 as the server counts it.
fn text(text: &str, max: usize) -> String {
    let mut length = 0;
    text.chars()
        .take_while(|character| {
            length += character.len_utf16();
            length <= max
        })
        .map(|character| if character == '\0' { '\u{fffd}' } else { character })
        .collect()
}

pub fn progress_message(message: &str) -> String {
    text(message, MAX_PROGRESS_MESSAGE)
}

pub fn log_message(message: &str) -> String {
    text(message, MAX_LOG_MESSAGE)
}

/// Percent, if it is a number at all.
pub fn percent(percent: f64) -> Option<f64> {
    (!percent.is_nan()).then(|| percent.clamp(0.0, 100.0))
}

pub fn level(level: LogLevel) -> String {
    match level {
        LogLevel::Other(_) => LogLevel::Info.into(),
        known => known.into(),
    }
}

pub fn fail(lease: proto::Lease, failure: &TaskFailure) -> proto::Fail {
    proto::Fail {
        lease: Some(lease),
        code: Some(code(&failure.code)),
        message: text(&failure.message, MAX_ERROR_MESSAGE),
        retryable: Some(failure.retryable),
        retry_after_seconds: failure
            .retry_after_seconds
            .filter(|seconds| !seconds.is_nan())
            .map(|seconds| seconds.clamp(0.0, MAX_RETRY_AFTER)),
    }
}

/// `not found` becomes `NOT_FOUND`.
fn code(code: &str) -> String {
    let mut upper: String = code
        .chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .skip_while(|character| !character.is_ascii_alphabetic())
        .collect();
    upper.truncate(MAX_CODE);
    if upper.is_empty() {
        "HANDLER_ERROR".to_owned()
    } else {
        upper
    }
}

/// What is wrong with the depth of a result; the server judges the rest. The sentence goes on from "the result".
pub fn result(value: &Value) -> Result<(), String> {
    if fits(value, MAX_DEPTH) {
        return Ok(());
    }
    Err(format!("is nested too deeply; at most {MAX_DEPTH} levels are accepted"))
}

fn fits(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| fits(item, levels - 1)),
        Value::Object(map) => levels > 0 && map.values().all(|value| fits(value, levels - 1)),
        _ => true,
    }
}

/// What is wrong with a checkpoint, or with what belongs to a log line. The sentence goes on from the name of the value.
pub fn small_json(map: &Map<String, Value>) -> Result<(), String> {
    let mut long_numbers = 0;
    for (key, value) in map {
        plain_entry(key, value, MAX_DEPTH - 1, &mut long_numbers)?;
    }
    let written = serde_json::to_string(map).map_or(0, |json| json.len());
    let bytes = written + LONGER_NUMBER * long_numbers;
    if bytes > MAX_SMALL_JSON {
        return Err(format!(
            "is {bytes} bytes of JSON; at most {MAX_SMALL_JSON} are accepted"
        ));
    }
    Ok(())
}

fn plain(value: &Value, depth_left: usize, long_numbers: &mut usize) -> Result<(), String> {
    if depth_left == 0 && matches!(value, Value::Object(_) | Value::Array(_)) {
        return Err(format!("is nested too deeply; at most {MAX_DEPTH} levels are accepted"));
    }
    match value {
        Value::String(text) => no_nul(text),
        Value::Array(items) => items
            .iter()
            .try_for_each(|item| plain(item, depth_left - 1, long_numbers)),
        Value::Object(map) => map
            .iter()
            .try_for_each(|(key, value)| plain_entry(key, value, depth_left - 1, long_numbers)),
        Value::Number(number) => {
            *long_numbers += usize::from(number.to_string().contains('e'));
            Ok(())
        }
        Value::Null | Value::Bool(_) => Ok(()),
    }
}

fn plain_entry(key: &str, value: &Value, depth_left: usize, long_numbers: &mut usize) -> Result<(), String> {
    if key == "__proto__" || (key == "constructor" && value.get("prototype").is_some()) {
        return Err(format!("has the key {key}, which the server never accepts"));
    }
    no_nul(key)?;
    plain(value, depth_left, long_numbers)
}

fn no_nul(text: &str) -> Result<(), String> {
    if text.contains('\0') {
        Err("must not hold NUL characters".to_owned())
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{code, log_message, percent, small_json};

    #[test]
    fn text_is_cut_as_the_server_counts_it_and_holds_no_nul() {
        assert_eq!(log_message(&"😀".repeat(6_000)).chars().count(), 5_000);
        assert_eq!(log_message("a\0b"), "a\u{fffd}b");
    }

    #[test]
    fn codes_are_upper_snake_case() {
        assert_eq!(code("not found"), "NOT_FOUND");
        assert_eq!(code("404_gone"), "GONE");
        assert_eq!(code("✓"), "HANDLER_ERROR");
        assert_eq!(code(&"X".repeat(200)).len(), 100);
    }

    #[test]
    fn progress_is_a_percentage() {
        assert_eq!(percent(120.0), Some(100.0));
        assert_eq!(percent(-1.0), Some(0.0));
        assert_eq!(percent(f64::NAN), None);
    }

    #[test]
    fn json_that_the_server_would_refuse_is_found() {
        let check = |value: Value| small_json(value.as_object().expect("an object"));
        let nested = |levels| (1..levels).fold(json!({}), |inner, _| json!({ "in": inner }));
        assert_eq!(check(json!({ "page": 7, "list": [1, null, { "deep": true }] })), Ok(()));
        assert_eq!(check(nested(32)), Ok(()));
        assert!(check(nested(33)).is_err());
        assert!(check(json!({ "text": "x".repeat(65_536) })).is_err());
        assert!(check(json!({ "text": "a\0b" })).is_err());
        assert!(check(json!({ "list": [{ "__proto__": 1 }] })).is_err());
        assert!(check(json!({ "constructor": { "prototype": {} } })).is_err());
        assert_eq!(check(json!({ "constructor": "Gustave Eiffel" })), Ok(()));
        assert!(check(json!({ "numbers": vec![1e20; 4_000] })).is_err());
    }
}
