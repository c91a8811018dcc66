//! `google.protobuf.Struct` and `Value` as the JSON that they stand for.
//!
//! The generated messages hold these two types in place of the ones of `prost-types`: nothing is converted twice, and JSON
//! may be as deep as the server allows. Prost gives up at 100 nested messages, which is 33 levels of JSON objects.

mod read;
mod write;

use prost::bytes::{Buf, BufMut};
use prost::encoding::{DecodeContext, WireType};
use prost::{DecodeError, Message};
use serde::Serialize;
use serde_json::{Map, Number, Value};

/// A `google.protobuf.Value`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Json(pub Value);

/// A `google.protobuf.Struct`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Object(pub Map<String, Value>);

/// Whole numbers up to this one survive being a double.
const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;

/// The wire knows nothing but doubles; what is whole was whole before. What is not finite is no JSON.
fn number(double: f64) -> Value {
    if double.fract() == 0.0 && double.abs() <= MAX_WHOLE {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and in range")]
        let whole = double as i64;
        Value::from(whole)
    } else {
        Number::from_f64(double).map_or(Value::Null, Value::Number)
    }
}

/// What a program's value is in JSON, as an object. The error is a sentence that goes on from the name of the value.
pub fn object_of(value: impl Serialize) -> Result<Map<String, Value>, String> {
    match serde_json::to_value(value) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err("must be a JSON object".to_owned()),
        Err(error) => Err(format!("cannot be written as JSON: {error}")),
    }
}

impl Message for Json {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        write::put_value(&self.0, buf);
    }

    fn encoded_len(&self) -> usize {
        write::value_len(&self.0)
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), DecodeError> {
        read::merge_one(tag, wire_type, buf, ctx, |buf| {
            read::merge_value(&mut self.0, tag, wire_type, buf, 0)
        })
    }

    fn clear(&mut self) {
        self.0 = Value::Null;
    }
}

impl Message for Object {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        write::put_object(&self.0, buf);
    }

    fn encoded_len(&self) -> usize {
        write::object_len(&self.0)
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), DecodeError> {
        read::merge_one(tag, wire_type, buf, ctx, |buf| {
            read::merge_object(&mut self.0, tag, wire_type, buf, 1)
        })
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use serde_json::json;

    use super::{Json, Object};

    fn through_the_wire(value: serde_json::Value) -> serde_json::Value {
        let json = Json(value);
        let bytes = json.encode_to_vec();
        assert_eq!(bytes.len(), json.encoded_len());
        Json::decode(bytes.as_slice()).expect("what was written can be read").0
    }

    #[test]
    fn every_kind_of_json_comes_back_as_it_was() {
        for value in [
            json!(null),
            json!(true),
            json!(false),
            json!(0),
            json!(-7),
            json!(1.5),
            json!(""),
            json!("ünïcode ✓"),
            json!([]),
            json!({}),
            json!({ "": [1, "two", null, { "deep": {} }], "zero": 0, "no": false, "long": "x".repeat(300) }),
        ] {
            assert_eq!(through_the_wire(value.clone()), value);
        }
    }

    #[test]
    fn whole_numbers_come_back_as_integers() {
        assert_eq!(through_the_wire(json!(3.0)), json!(3));
        assert_eq!(
            through_the_wire(json!(9_007_199_254_740_992_i64)),
            json!(9_007_199_254_740_992_i64)
        );
        assert_eq!(through_the_wire(json!(1e300)), json!(1e300));
    }

    #[test]
    fn json_may_be_deeper_than_prost_lets_messages_be() {
        let mut value = json!("bottom");
        for _ in 0..64 {
            value = json!({ "down": [value] });
        }
        assert_eq!(through_the_wire(value.clone()), value);
    }

    #[test]
    fn json_that_would_overflow_the_stack_is_an_error() {
        let mut value = json!(1);
        for _ in 0..1_000 {
            value = json!([value]);
        }
        assert!(Json::decode(Json(value).encode_to_vec().as_slice()).is_err());
    }

    #[test]
    fn a_message_that_is_cut_off_is_an_error() {
        let object = json!({ "text": "hello", "number": 1 }).as_object().cloned().map(Object);
        let bytes = object.expect("an object").encode_to_vec();
        assert!(Object::decode(&bytes[..bytes.len() - 1]).is_err());
    }
}
