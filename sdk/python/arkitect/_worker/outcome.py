"""What an attempt ended with."""

from __future__ import annotations

import asyncio
import logging
from typing import TypeAlias

from .._json import Json, NotJsonError, fill_value
from .._proto import worker_service_pb2 as pb
from ..context import StopReason
from ..errors import TaskFailure
from .text import storable

Outcome: TypeAlias = pb.Complete | pb.Fail | pb.Reject

_MAX_MESSAGE = 4_000
# The server accepts 1 MiB of JSON. As a message the same JSON can be several times as large, and less than 4 MiB pass.
_MAX_RESULT_BYTES = 3 * 1024 * 1024

_log = logging.getLogger("arkitect")


def outcome_of(handler: asyncio.Task[Json], lease: pb.Lease, reason: StopReason | None, timeout_seconds: int) -> Outcome:
    """`reason` is why the handler was told to stop, if it was."""
    if reason == "timeout":
        return timed_out(lease, timeout_seconds)
    error = asyncio.CancelledError() if handler.cancelled() else handler.exception()
    if error is None:
        return _completed(lease, handler.result())
    if isinstance(error, TaskFailure):
        return pb.Fail(
            lease=lease,
            code=error.code,
            message=storable(str(error.message), _MAX_MESSAGE),
            retryable=error.retryable,
            retry_after_seconds=error.retry_after_seconds,
        )
    if reason == "drain":
        return pb.Reject(leases=[lease])
    if reason == "cancelled":
        return _failed(lease, "CANCELLED", "The attempt was cancelled.")
    _log.error("The attempt %d of task %s failed.", lease.attempt, lease.task_id, exc_info=error)
    if isinstance(error, asyncio.CancelledError):
        return _failed(lease, "HANDLER_ERROR", "The handler cancelled itself.")
    return _failed(lease, "HANDLER_ERROR", _describe(error))


def timed_out(lease: pb.Lease, timeout_seconds: int) -> pb.Fail:
    return _failed(lease, "TIMEOUT", f"The attempt took longer than {timeout_seconds} seconds.")


def _completed(lease: pb.Lease, result: Json) -> Outcome:
    complete = pb.Complete(lease=lease)
    try:
        fill_value(complete.result, result, "result")
    except NotJsonError as error:
        return _not_storable(lease, f"The handler's {error}.")
    except Exception as error:
        # A mapping of somebody else's may do anything when it is read.
        return _failed(lease, "HANDLER_ERROR", f"The handler's result could not be read: {_describe(error)}")
    if complete.ByteSize() > _MAX_RESULT_BYTES:
        return _not_storable(lease, "The handler's result is too large; at most 1 MiB of JSON is accepted.")
    return complete


def _not_storable(lease: pb.Lease, message: str) -> pb.Fail:
    failed = _failed(lease, "RESULT_NOT_STORABLE", message)
    failed.retryable = False
    return failed


def _failed(lease: pb.Lease, code: str, message: str) -> pb.Fail:
    return pb.Fail(lease=lease, code=code, message=storable(message, _MAX_MESSAGE), retryable=True)


def _describe(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
