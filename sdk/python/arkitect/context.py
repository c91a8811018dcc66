"""What a handler is told, and what it can tell."""

from __future__ import annotations

import asyncio
import json
import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ._json import Json, JsonObject, NotJsonError, to_struct
from ._proto import worker_service_pb2 as pb
from ._worker.report import Report
from ._worker.text import storable

Level: TypeAlias = Literal["debug", "info", "warn", "error"]
StopReason: TypeAlias = Literal["cancelled", "timeout", "lease_lost", "drain"]

_MAX_FREE_JSON = 64 * 1024
_MAX_LOG_MESSAGE = 10_000
_MAX_PROGRESS_MESSAGE = 1_000


@dataclass(frozen=True, slots=True)
class AssignedTask:
    """The task that an attempt runs."""

    id: str
    tenant_id: str
    name: str
    type: str
    queue: str
    priority: str
    labels: dict[str, str]
    attempt: int
    """This attempt, from 1."""
    max_attempts: int
    """Attempts before the task fails."""
    timeout_seconds: int
    """Seconds this attempt may take."""
    parameters: JsonObject


class Cancellation:
    """Whether an attempt is to stop. Safe in any thread."""

    def __init__(self) -> None:
        self._reason: StopReason | None = None
        self._in_loop = asyncio.Event()
        self._in_thread = threading.Event()

    @property
    def reason(self) -> StopReason | None:
        """cancelled (somebody wants it), timeout, lease_lost (its result is of no use) or drain (the worker ends)."""
        return self._reason

    def is_set(self) -> bool:
        return self._reason is not None

    async def wait(self) -> None:
        """Returns when the attempt is to stop. For coroutines: where they wait, they also get asyncio.CancelledError."""
        await self._in_loop.wait()

    def wait_in_thread(self, timeout_seconds: float | None = None) -> bool:
        """For plain functions: waits until the attempt is to stop, or for so long; answers whether it is to stop."""
        return self._in_thread.wait(timeout_seconds)

    def set(self, reason: StopReason) -> None:
        """The first reason stays. For the worker, in its event loop."""
        if self._reason is None:
            self._reason = reason
            self._in_loop.set()
            self._in_thread.set()


class Context:
    """One attempt, for its handler. All of it is safe in any thread, and nothing in it waits."""

    def __init__(
        self,
        task: AssignedTask,
        checkpoint: JsonObject | None,
        lease: pb.Lease,
        report: Report,
        send_log: Callable[[pb.LogLine], None],
        trace: Mapping[str, str],
    ) -> None:
        self.task = task
        self.checkpoint = checkpoint
        """What the last attempt kept with `save_checkpoint`, or None."""
        self.trace = trace
        """The trace that the attempt belongs to: `traceparent`, and `tracestate` if there is one, as OpenTelemetry's `extract` takes them.

        Empty when the task has none."""
        self.cancelled = Cancellation()
        """Set when the attempt is to stop."""
        self._lease = lease
        self._report = report
        self._send_log = send_log

    def progress(self, percent: float, message: str | None = None) -> None:
        """Percent, 0 to 100; what is outside is brought inside. The message is cut after 1,000 characters.

        Goes out with the next beat of the worker, and always before the attempt's end.
        """
        if math.isfinite(percent):
            percent = min(100.0, max(0.0, round(percent, 2)))
            text = None if message is None else storable(message, _MAX_PROGRESS_MESSAGE)
            self._report.set_progress(percent, text)

    def log(self, level: Level, message: str, data: Mapping[str, Json] | None = None) -> None:
        """A line for the task's log, cut after 10,000 characters. `data` is a JSON object of at most 64 KiB.

        A line whose data cannot be stored says so instead of it.
        """
        line = pb.LogLine(lease=self._lease, level=level, message=storable(str(message), _MAX_LOG_MESSAGE))
        if data is not None:
            try:
                _refuse_large(data, "data")
                line.data.CopyFrom(to_struct(data, "data"))
            except ValueError as error:
                line.data.CopyFrom(to_struct({"refused": storable(str(error), _MAX_LOG_MESSAGE)}))
        self._send_log(line)

    def save_checkpoint(self, checkpoint: Mapping[str, Json]) -> None:
        """What the next attempt gets if this one does not succeed: a JSON object of at most 64 KiB, else ValueError.

        It replaces the one before. Goes out with the next beat of the worker, and always before the attempt's end.
        """
        _refuse_large(checkpoint, "checkpoint")
        self._report.set_checkpoint(to_struct(checkpoint, "checkpoint"))


def _refuse_large(value: Mapping[str, Json], name: str) -> None:
    try:
        size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass"))
    except (TypeError, ValueError, RecursionError):
        # Not JSON: the conversion that follows names the place.
        return
    if size > _MAX_FREE_JSON:
        raise NotJsonError(f"is {size} bytes of JSON; at most {_MAX_FREE_JSON} are accepted", name)
