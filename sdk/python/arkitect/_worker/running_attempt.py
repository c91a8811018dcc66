"""One attempt that this worker runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TypeAlias

from .._json import Json, from_struct
from .._proto import worker_service_pb2 as pb
from ..context import AssignedTask, Context, StopReason
from .handlers import Handler, call, is_coroutine_function
from .outcome import Outcome, outcome_of, timed_out
from .report import Report

Key: TypeAlias = tuple[str, int]

# Seconds that a handler has to end after it was told to stop. Then its attempt ends without it.
STOP_GRACE_SECONDS = 5.0

_log = logging.getLogger("arkitect")


def key_of(lease: pb.Lease) -> Key:
    return (lease.task_id, lease.attempt)


class RunningAttempt:
    """Runs a handler, enforces its timeout and stops it.

    on_over is called when the attempt is over: with its outcome, or with None when that is of no use any more.
    on_end is called when the handler has really ended, which may be later. A slot is free only then.
    """

    def __init__(
        self,
        assignment: pb.Assignment,
        handler: Handler,
        send_log: Callable[[pb.LogLine], None],
        on_over: Callable[[RunningAttempt, Outcome | None], None],
        on_end: Callable[[RunningAttempt], None],
    ) -> None:
        self.lease = assignment.lease
        self.report = Report(assignment.lease)
        task = _task_of(assignment)
        checkpoint = from_struct(assignment.checkpoint) if assignment.HasField("checkpoint") else None
        self._context = Context(task, checkpoint, assignment.lease, self.report, self._log, _trace_of(assignment))
        self._send_log = send_log
        self._on_over = on_over
        self._on_end = on_end
        self._is_over = False
        # A thread cannot be cancelled: a plain function looks at its context.
        self._can_be_cancelled = is_coroutine_function(handler)
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(task.timeout_seconds, self._time_out)
        self._handler: asyncio.Task[Json] = self._loop.create_task(call(handler, self._context))
        self._handler.add_done_callback(self._handler_ended)

    def stop(self, reason: StopReason) -> None:
        """Tells the handler to stop; the attempt goes on until it has ended. The first reason stays."""
        if not self._context.cancelled.is_set():
            self._context.cancelled.set(reason)
            if self._can_be_cancelled:
                self._handler.cancel()

    def drop(self) -> None:
        """The lease is gone: stops the handler, and its outcome is of no use."""
        self._over(None)
        self.stop("lease_lost")

    def reject(self) -> None:
        """The handler did not stop in time: its attempt goes back to its queue."""
        self._over(pb.Reject(leases=[self.lease]))

    def _time_out(self) -> None:
        self.stop("timeout")
        self._timer = self._loop.call_later(STOP_GRACE_SECONDS, self._give_up)

    def _give_up(self) -> None:
        task = self._context.task
        _log.error("The handler of task %s did not stop after its timeout; its slot stays taken until it ends.", task.id)
        self._over(timed_out(self.lease, task.timeout_seconds))

    def _log(self, line: pb.LogLine) -> None:
        # Of a handler that goes on after its attempt is over nobody wants to hear.
        if not self._is_over:
            self._send_log(line)

    def _over(self, outcome: Outcome | None) -> None:
        if not self._is_over:
            self._is_over = True
            self.report.close()
            self._timer.cancel()
            self._on_over(self, outcome)

    def _handler_ended(self, handler: asyncio.Task[Json]) -> None:
        reason, seconds = self._context.cancelled.reason, self._context.task.timeout_seconds
        if self._is_over:
            # asyncio wants to see that somebody has looked.
            _ = handler.cancelled() or handler.exception()
        else:
            self._over(outcome_of(handler, self.lease, reason, seconds))
        self._on_end(self)


def _trace_of(assignment: pb.Assignment) -> dict[str, str]:
    return {name: getattr(assignment, name) for name in ("traceparent", "tracestate") if assignment.HasField(name)}


def _task_of(assignment: pb.Assignment) -> AssignedTask:
    return AssignedTask(
        id=assignment.lease.task_id,
        tenant_id=assignment.tenant_id,
        name=assignment.name,
        type=assignment.type,
        queue=assignment.queue,
        priority=assignment.priority,
        labels=dict(assignment.labels),
        attempt=assignment.lease.attempt,
        max_attempts=assignment.max_attempts,
        timeout_seconds=assignment.timeout_seconds,
        parameters=from_struct(assignment.parameters),
    )
