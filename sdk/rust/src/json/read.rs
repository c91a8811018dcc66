//! Protobuf into JSON: the field numbers are those of `google/protobuf/struct.proto`.

use prost::DecodeError;
use prost::bytes::{Buf, BufMut};
use prost::encoding::{DecodeContext, WireType, check_wire_type, decode_key, decode_varint, encode_varint, skip_field};
use serde_json::{Map, Value};

use super::number;

/// More levels than the server stores; enough to say no to a message that only wants to overflow our stack.
const MAX_DEPTH: usize = 200;

#[expect(deprecated, reason = "prost has no other way for a Message that is written by hand")]
fn malformed(why: &'static str) -> DecodeError {
    DecodeError::new(why)
}

/// The content of a length-delimited field.
fn take<'a>(wire_type: WireType, buf: &mut &'a [u8]) -> Result<&'a [u8], DecodeError> {
    check_wire_type(WireType::LengthDelimited, wire_type)?;
    let length = usize::try_from(decode_varint(buf)?).unwrap_or(usize::MAX);
    let (content, rest) = buf
        .split_at_checked(length)
        .ok_or_else(|| malformed("JSON is cut off"))?;
    *buf = rest;
    Ok(content)
}

fn text(content: &[u8]) -> Result<String, DecodeError> {
    String::from_utf8(content.to_vec()).map_err(|_| malformed("a string in JSON is not UTF-8"))
}

/// Merges a whole message: `field` takes the fields it knows, what it leaves is skipped.
fn merge_all(
    mut buf: &[u8],
    mut field: impl FnMut(u32, WireType, &mut &[u8]) -> Result<bool, DecodeError>,
) -> Result<(), DecodeError> {
    while buf.has_remaining() {
        let (tag, wire_type) = decode_key(&mut buf)?;
        if !field(tag, wire_type, &mut buf)? {
            skip_field(wire_type, tag, &mut buf, DecodeContext::default())?;
        }
    }
    Ok(())
}

fn read_value(content: &[u8], depth: usize) -> Result<Value, DecodeError> {
    let mut value = Value::Null;
    merge_all(content, |tag, wire_type, buf| {
        merge_value(&mut value, tag, wire_type, buf, depth)
    })?;
    Ok(value)
}

pub fn merge_value(
    value: &mut Value,
    tag: u32,
    wire_type: WireType,
    buf: &mut &[u8],
    depth: usize,
) -> Result<bool, DecodeError> {
    *value = match tag {
        1 | 4 => {
            check_wire_type(WireType::Varint, wire_type)?;
            let varint = decode_varint(buf)?;
            if tag == 4 {
                Value::Bool(varint != 0)
            } else {
                Value::Null
            }
        }
        2 => {
            check_wire_type(WireType::SixtyFourBit, wire_type)?;
            number(
                buf.try_get_f64_le()
                    .map_err(|_| malformed("a number in JSON is cut off"))?,
            )
        }
        3 => Value::String(text(take(wire_type, buf)?)?),
        5 => {
            let mut map = Map::new();
            let content = take(wire_type, buf)?;
            merge_all(content, |tag, wire_type, buf| {
                merge_object(&mut map, tag, wire_type, buf, depth + 1)
            })?;
            Value::Object(map)
        }
        6 => Value::Array(read_list(take(wire_type, buf)?, depth + 1)?),
        _ => return Ok(false),
    };
    Ok(true)
}

fn read_list(content: &[u8], depth: usize) -> Result<Vec<Value>, DecodeError> {
    deep_enough(depth)?;
    let mut items = Vec::new();
    merge_all(content, |tag, wire_type, buf| {
        if tag == 1 {
            items.push(read_value(take(wire_type, buf)?, depth)?);
        }
        Ok(tag == 1)
    })?;
    Ok(items)
}

pub fn merge_object(
    map: &mut Map<String, Value>,
    tag: u32,
    wire_type: WireType,
    buf: &mut &[u8],
    depth: usize,
) -> Result<bool, DecodeError> {
    if tag != 1 {
        return Ok(false);
    }
    deep_enough(depth)?;
    let (mut key, mut value) = (String::new(), Value::Null);
    merge_all(take(wire_type, buf)?, |tag, wire_type, buf| {
        match tag {
            1 => key = text(take(wire_type, buf)?)?,
            2 => value = read_value(take(wire_type, buf)?, depth)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    map.insert(key, value);
    Ok(true)
}

fn deep_enough(depth: usize) -> Result<(), DecodeError> {
    if depth > MAX_DEPTH {
        Err(malformed("JSON is nested too deeply"))
    } else {
        Ok(())
    }
}

/// Prost hands over one field of a buffer of any kind: the field's bytes, key and all, become a slice of their own.
pub fn merge_one(
    tag: u32,
    wire_type: WireType,
    buf: &mut impl Buf,
    ctx: DecodeContext,
    field: impl FnOnce(&mut &[u8]) -> Result<bool, DecodeError>,
) -> Result<(), DecodeError> {
    let mut content = Vec::new();
    match wire_type {
        WireType::Varint => encode_varint(decode_varint(buf)?, &mut content),
        WireType::SixtyFourBit => {
            content.put_f64_le(
                buf.try_get_f64_le()
                    .map_err(|_| malformed("a number in JSON is cut off"))?,
            );
        }
        WireType::LengthDelimited => {
            let length = usize::try_from(decode_varint(buf)?).unwrap_or(usize::MAX);
            if length > buf.remaining() {
                return Err(malformed("JSON is cut off"));
            }
            encode_varint(length as u64, &mut content);
            content.put(buf.take(length));
        }
        _ => return skip_field(wire_type, tag, buf, ctx),
    }
    field(&mut content.as_slice()).map(|_| ())
}
