"""JSON values of Python to and from google.protobuf.Struct and Value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

from google.protobuf.struct_pb2 import NULL_VALUE, ListValue, Struct, Value

Json: TypeAlias = Any
"""None, bool, int, float, str, and lists and dicts of them."""

JsonObject: TypeAlias = dict[str, Any]
"""A dict with str keys and JSON values."""

# Levels of objects and lists that the server accepts. protobuf reads 100 levels of messages, which are 33 of objects.
MAX_DEPTH = 32
# Beyond this a whole number is not the same any more when it has been a double, which Value is.
MAX_WHOLE = 2**53


class NotJsonError(ValueError):
    """A value that cannot be sent as JSON; its text names the place."""

    def __init__(self, problem: str, path: str = "") -> None:
        self.problem = problem
        self.path = path
        super().__init__(f"{path} {problem}" if path else f"It {problem}")

    def below(self, step: str) -> NotJsonError:
        """The same problem, as seen from the value around."""
        return NotJsonError(self.problem, step + self.path)


def fill_value(value: Value, json: Json, name: str = "") -> None:
    """Fills a field that is part of a message already. Raises NotJsonError, with paths that begin with `name`."""
    try:
        _fill(value, json, MAX_DEPTH)
    except NotJsonError as error:
        raise error.below(name) from None


def to_struct(json: Mapping[str, Json], name: str = "") -> Struct:
    """Raises NotJsonError, with paths that begin with `name`."""
    struct = Struct()
    try:
        if not isinstance(json, Mapping):
            raise NotJsonError(f"must be an object; it is of the type {type(json).__name__}")
        _fill_struct(struct, json, MAX_DEPTH)
    except NotJsonError as error:
        raise error.below(name) from None
    return struct


def from_value(value: Value) -> Json:
    """Whole numbers come back as int."""
    match value.WhichOneof("kind"):
        case "string_value":
            return value.string_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() and abs(number) <= MAX_WHOLE else number
        case "bool_value":
            return value.bool_value
        case "struct_value":
            return from_struct(value.struct_value)
        case "list_value":
            return [from_value(item) for item in value.list_value.values]
        case _:
            return None


def from_struct(struct: Struct) -> JsonObject:
    return {key: from_value(value) for key, value in struct.fields.items()}


def _fill(target: Value, json: Json, depth: int) -> None:
    if json is None:
        target.null_value = NULL_VALUE
    elif isinstance(json, str):
        try:
            target.string_value = json
        except UnicodeEncodeError:
            raise NotJsonError("holds an unpaired surrogate") from None
    elif isinstance(json, bool):
        target.bool_value = json
    elif isinstance(json, (int, float)):
        target.number_value = _number(json)
    elif isinstance(json, Mapping):
        # An empty one must be there, too.
        target.struct_value.SetInParent()
        _fill_struct(target.struct_value, json, depth)
    elif isinstance(json, (list, tuple)):
        target.list_value.SetInParent()
        _fill_list(target.list_value, json, depth)
    else:
        raise NotJsonError(f"is of the type {type(json).__name__}, which is not JSON")


def _fill_struct(target: Struct, json: Mapping[str, Json], depth: int) -> None:
    if depth == 0:
        raise NotJsonError(f"is nested too deeply; at most {MAX_DEPTH} levels are accepted")
    fields = target.fields
    for key, item in json.items():
        if not isinstance(key, str):
            raise NotJsonError(f"has the key {key!r}; keys must be str")
        try:
            _fill(fields[key], item, depth - 1)
        except UnicodeEncodeError:
            raise NotJsonError("holds an unpaired surrogate in its keys") from None
        except NotJsonError as error:
            raise error.below(f".{key}") from None


def _fill_list(target: ListValue, json: list[Json] | tuple[Json, ...], depth: int) -> None:
    if depth == 0:
        raise NotJsonError(f"is nested too deeply; at most {MAX_DEPTH} levels are accepted")
    values = target.values
    for index, item in enumerate(json):
        try:
            _fill(values.add(), item, depth - 1)
        except NotJsonError as error:
            raise error.below(f"[{index}]") from None


def _number(number: float) -> float:
    if isinstance(number, int) and abs(number) > MAX_WHOLE:
        raise NotJsonError("is too large to be kept exactly; send whole numbers beyond 2^53 as text")
    if not math.isfinite(number):
        raise NotJsonError("must be a finite number")
    return number
