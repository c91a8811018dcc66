from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.struct_pb2 import Value

from arkitect import NotJsonError
from arkitect._json import fill_value, from_value, to_struct


def to_value(json: Any, name: str = "") -> Value:
    value = Value()
    fill_value(value, json, name)
    return value


def nested(levels: int) -> dict:
    value: dict = {}
    for _ in range(levels - 1):
        value = {"in": value}
    return value


@pytest.mark.parametrize(
    "json",
    [
        None,
        True,
        False,
        0,
        -7,
        2**53,
        1.5,
        1e300,
        "",
        "ünïcode ✓ 🎈",
        [],
        {},
        [[], {}],
        {"a": {"b": [1, None, {"c": "d"}]}},
    ],
)
def test_json_is_the_same_afterwards(json):
    found = from_value(to_value(json))
    assert found == json
    assert type(found) is type(json)


def test_tuples_are_lists_and_whole_floats_are_int():
    found = from_value(to_value((1.0, 2)))
    assert found == [1, 2]
    assert all(type(number) is int for number in found)


@pytest.mark.parametrize(
    ("json", "problem"),
    [
        ({"a": [1, {"b": object()}]}, "result.a[1].b is of the type object, which is not JSON"),
        ({"a": float("nan")}, "result.a must be a finite number"),
        ([2**53 + 1], "result[0] is too large to be kept exactly; send whole numbers beyond 2^53 as text"),
        ({1: 2}, "result has the key 1; keys must be str"),
        (["\ud800"], "result[0] holds an unpaired surrogate"),
        ({"\ud800": 1}, "result holds an unpaired surrogate in its keys"),
        (b"bytes", "result is of the type bytes, which is not JSON"),
    ],
)
def test_what_is_not_json_is_named_by_its_place(json, problem):
    with pytest.raises(NotJsonError) as caught:
        to_value(json, "result")
    assert str(caught.value) == problem


def test_what_is_nested_too_deeply_is_refused():
    to_value(nested(32))
    to_struct(nested(32))
    cycle: dict = {}
    cycle["in"] = cycle
    for value in (nested(33), cycle):
        with pytest.raises(NotJsonError, match="nested too deeply; at most 32 levels are accepted"):
            to_value(value)
        with pytest.raises(NotJsonError, match="nested too deeply; at most 32 levels are accepted"):
            to_struct(value)


def test_an_object_must_be_a_mapping():
    with pytest.raises(NotJsonError, match="parameters must be an object; it is of the type list"):
        to_struct([1], "parameters")
