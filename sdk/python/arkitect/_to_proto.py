"""Models to messages of the contract."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from ._json import to_struct
from ._proto import task_service_pb2 as pb
from .models import Backoff, NewTask, TaskChanges


def new_task(task: NewTask | TaskChanges) -> pb.NewTask:
    return pb.NewTask(
        name=task.name,
        type=task.type,
        queue=task.queue,
        priority=task.priority,
        parameters=None if task.parameters is None else to_struct(task.parameters, "parameters"),
        labels=task.labels,
        max_attempts=task.max_attempts,
        timeout_seconds=task.timeout_seconds,
        backoff=None if task.backoff is None else backoff(task.backoff),
        run_at=None if task.run_at is None else time(task.run_at),
        start=task.start if isinstance(task, NewTask) else None,
    )


def backoff(given: Backoff) -> pb.Backoff:
    return pb.Backoff(
        kind=given.kind,
        delay_seconds=given.delay_seconds,
        max_delay_seconds=given.max_delay_seconds,
        jitter=given.jitter,
    )


def time(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    if moment.tzinfo is None:
        raise ValueError("A time needs a time zone, as in datetime.now(timezone.utc).")
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def several(given: str | Sequence[str]) -> Sequence[str]:
    """A filter of one value may be given without a list around it."""
    return [given] if isinstance(given, str) else given
