//! JSON into protobuf: the field numbers are those of `google/protobuf/struct.proto`.

use prost::bytes::BufMut;
use prost::encoding::{encode_varint, encoded_len_varint};
use serde_json::{Map, Value};

/// Keys of the fields as they stand on the wire: number << 3 | wire type.
const NULL: u8 = 1 << 3;
const NUMBER: u8 = 2 << 3 | 1;
const STRING: u8 = 3 << 3 | 2;
const BOOL: u8 = 4 << 3;
const STRUCT: u8 = 5 << 3 | 2;
const LIST: u8 = 6 << 3 | 2;
/// The only field of `Struct` and of `ListValue`, and the key of an entry.
const FIRST: u8 = 1 << 3 | 2;
/// The value of an entry.
const SECOND: u8 = 2 << 3 | 2;

/// Bytes of a field with so many bytes in it: key, length, content.
fn field_len(content: usize) -> usize {
    1 + encoded_len_varint(content as u64) + content
}

pub fn value_len(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 2,
        Value::Number(_) => 9,
        Value::String(text) => field_len(text.len()),
        Value::Array(items) => field_len(list_len(items)),
        Value::Object(map) => field_len(object_len(map)),
    }
}

fn list_len(items: &[Value]) -> usize {
    items.iter().map(|item| field_len(value_len(item))).sum()
}

pub fn object_len(map: &Map<String, Value>) -> usize {
    map.iter().map(|(key, value)| field_len(entry_len(key, value))).sum()
}

fn entry_len(key: &str, value: &Value) -> usize {
    field_len(key.len()) + field_len(value_len(value))
}

fn put_head(key: u8, content: usize, buf: &mut impl BufMut) {
    buf.put_u8(key);
    encode_varint(content as u64, buf);
}

fn put_text(key: u8, text: &str, buf: &mut impl BufMut) {
    put_head(key, text.len(), buf);
    buf.put_slice(text.as_bytes());
}

pub fn put_value(value: &Value, buf: &mut impl BufMut) {
    match value {
        Value::Null => buf.put_slice(&[NULL, 0]),
        Value::Bool(yes) => buf.put_slice(&[BOOL, u8::from(*yes)]),
        Value::Number(number) => {
            buf.put_u8(NUMBER);
            buf.put_f64_le(number.as_f64().unwrap_or_default());
        }
        Value::String(text) => put_text(STRING, text, buf),
        Value::Array(items) => {
            put_head(LIST, list_len(items), buf);
            for item in items {
                put_head(FIRST, value_len(item), buf);
                put_value(item, buf);
            }
        }
        Value::Object(map) => {
            put_head(STRUCT, object_len(map), buf);
            put_object(map, buf);
        }
    }
}

pub fn put_object(map: &Map<String, Value>, buf: &mut impl BufMut) {
    for (key, value) in map {
        put_head(FIRST, entry_len(key, value), buf);
        put_text(FIRST, key, buf);
        put_head(SECOND, value_len(value), buf);
        put_value(value, buf);
    }
}
