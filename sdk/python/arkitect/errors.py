"""What a call can raise, and what a handler can."""

from __future__ import annotations

import re
from dataclasses import dataclass

import grpc
from google.rpc import error_details_pb2, status_pb2

DETAILS = "grpc-status-details-bin"
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,99}")
_MAX_RETRY_AFTER = 604_800


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One field that is not valid."""

    field: str
    """Its path, such as task.parameters.url."""
    message: str
    """What would be accepted."""


class ArkitectError(Exception):
    """A call that the server refused, or that did not reach it."""

    def __init__(
        self,
        code: str,
        message: str,
        errors: tuple[FieldProblem, ...] = (),
        status: grpc.StatusCode = grpc.StatusCode.UNKNOWN,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        """A stable code of the server, such as VALIDATION_FAILED or NOT_FOUND; the name of `status` when there was no answer."""
        self.message = message
        """A sentence for people."""
        self.errors = errors
        """The fields that are not valid, of VALIDATION_FAILED."""
        self.status = status
        """The status of gRPC."""


class WatchReset(ArkitectError):  # noqa: N818 -- it tells what happened to the watch
    """Some events of a watch are gone from the log: read your snapshot again, then watch since `seq`."""

    def __init__(self, seq: int) -> None:
        super().__init__("WATCH_RESET", "Some events are not in the log any more.", status=grpc.StatusCode.DATA_LOSS)
        self.seq = seq
        """Events after this one can be watched."""


class TaskFailure(Exception):  # noqa: N818 -- the word of the glossary; a handler raises it to fail its attempt
    """Raise it in a handler to say how the attempt failed. Any other exception fails it as HANDLER_ERROR, retryable.

    `code` is UPPER_SNAKE_CASE, at most 100 characters; anything else is a ValueError. `retry_after_seconds`, 0 to
    604,800, is the wait before the next attempt, instead of the task's backoff.
    """

    def __init__(self, code: str, message: str, *, retryable: bool = True, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        if not _CODE.fullmatch(code):
            raise ValueError(f"code must be UPPER_SNAKE_CASE, at most 100 characters; it is {code!r}")
        if retry_after_seconds is not None and not 0 <= retry_after_seconds <= _MAX_RETRY_AFTER:
            raise ValueError(f"retry_after_seconds must be 0 to {_MAX_RETRY_AFTER}; it is {retry_after_seconds}")
        self.code = code
        self.message = message
        self.retryable = retryable
        self.retry_after_seconds = retry_after_seconds


def from_rpc_error(error: grpc.aio.AioRpcError) -> ArkitectError:
    """The error of the server, from the details that came with the status."""
    code = error.code().name
    message = error.details() or f"The call ended with the status {code}."
    problems: list[FieldProblem] = []
    for key, packed in error.trailing_metadata() or ():
        if key == DETAILS and isinstance(packed, bytes):
            status = status_pb2.Status.FromString(packed)
            message = status.message or message
            code, problems = _read_details(status, code)
    return ArkitectError(code, message, tuple(problems), error.code())


def _read_details(status: status_pb2.Status, code: str) -> tuple[str, list[FieldProblem]]:
    info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    problems: list[FieldProblem] = []
    for detail in status.details:
        if detail.Unpack(info):
            code = info.reason or code
        elif detail.Unpack(request):
            problems += [FieldProblem(each.field, each.description) for each in request.field_violations]
    return code, problems
