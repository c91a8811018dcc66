"""Messages of the contract to models."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from ._json import Json, from_struct, from_value
from ._proto import task_service_pb2 as pb
from ._proto import worker_service_pb2 as worker_pb
from .errors import FieldProblem
from .models import (
    Attempt,
    Backoff,
    ConnectedWorker,
    CreatedTask,
    Task,
    TaskError,
    TaskEvent,
    TaskLog,
    TaskLogLine,
    TaskRefusal,
)

T = TypeVar("T")


def task(given: pb.Task, *, replayed: bool = False) -> Task:
    return Task(
        id=given.id,
        tenant_id=given.tenant_id,
        name=given.name,
        type=given.type,
        queue=given.queue,
        priority=given.priority,
        status=given.status,
        parameters=from_struct(given.parameters),
        labels=dict(given.labels),
        result=from_value(given.result),
        error=_error(given),
        progress=given.progress,
        progress_message=_present(given, "progress_message", given.progress_message),
        attempt=given.attempt,
        max_attempts=given.max_attempts,
        timeout_seconds=given.timeout_seconds,
        backoff=_backoff(given.backoff),
        run_at=_time(given.run_at),
        worker_id=_present(given, "worker_id", given.worker_id),
        created_by=given.created_by,
        trace_id=_present(given, "trace_id", given.trace_id),
        created_at=_moment(given.created_at),
        updated_at=_moment(given.updated_at),
        queued_at=_time(given.queued_at),
        started_at=_time(given.started_at),
        finished_at=_time(given.finished_at),
        version=given.version,
        replayed=replayed,
    )


def created_task(given: pb.CreatedTask) -> CreatedTask:
    return CreatedTask(
        index=given.index,
        task=task(given.task) if given.HasField("task") else None,
        error=_refusal(given.error) if given.HasField("error") else None,
    )


def attempt(given: pb.Attempt) -> Attempt:
    return Attempt(
        attempt=given.attempt,
        status=given.status,
        worker_id=given.worker_id,
        started_at=_moment(given.started_at),
        finished_at=_time(given.finished_at),
        error=_error(given),
    )


def task_log(given: pb.TaskLog) -> TaskLog:
    return TaskLog(given.id, given.attempt, given.level, given.message, _data(given), _moment(given.at))


def task_event(given: pb.TaskEvent) -> TaskEvent:
    return TaskEvent(
        seq=given.seq,
        action=given.action,
        at=_moment(given.at),
        id=given.id,
        name=_present(given, "name", given.name),
        type=_present(given, "type", given.type),
        queue=_present(given, "queue", given.queue),
        priority=_present(given, "priority", given.priority),
        status=_present(given, "status", given.status),
        labels=dict(given.labels),
        error=_error(given),
        progress=_present(given, "progress", given.progress),
        progress_message=_present(given, "progress_message", given.progress_message),
        attempt=_present(given, "attempt", given.attempt),
        max_attempts=_present(given, "max_attempts", given.max_attempts),
        run_at=_time(given.run_at),
        worker_id=_present(given, "worker_id", given.worker_id),
        created_by=_present(given, "created_by", given.created_by),
        created_at=_time(given.created_at),
        queued_at=_time(given.queued_at),
        started_at=_time(given.started_at),
        finished_at=_time(given.finished_at),
        version=_present(given, "version", given.version),
        log=TaskLogLine(given.log.level, given.log.message, _data(given.log)) if given.HasField("log") else None,
    )


def connected_worker(given: worker_pb.Worker) -> ConnectedWorker:
    return ConnectedWorker(
        id=given.id,
        name=given.name,
        state=given.state,
        door=given.door,
        replica_id=given.replica_id,
        types=tuple(given.types),
        queues=tuple(given.queues),
        slots=given.slots,
        in_flight=given.in_flight,
        labels=dict(given.labels),
        sdk=_present(given, "sdk", given.sdk),
        connected_at=_moment(given.connected_at),
        last_beat_at=_moment(given.last_beat_at),
    )


def _error(given: pb.Task | pb.Attempt | pb.TaskEvent) -> TaskError | None:
    if not given.HasField("error"):
        return None
    error = given.error
    return TaskError(error.code, error.message, error.retryable, error.attempt)


def _refusal(given: pb.TaskRefusal) -> TaskRefusal:
    return TaskRefusal(given.code, given.detail, tuple(FieldProblem(each.field, each.message) for each in given.errors))


def _backoff(given: pb.Backoff) -> Backoff:
    return Backoff(given.kind, given.delay_seconds, given.max_delay_seconds, given.jitter)


def _data(given: pb.TaskLog | pb.TaskLogLine) -> Json:
    return from_value(given.data) if given.HasField("data") else None


def _present(given: pb.Task | pb.TaskEvent | worker_pb.Worker, field: str, value: T) -> T | None:
    return value if given.HasField(field) else None


def _time(text: str) -> datetime | None:
    return _moment(text) if text else None


def _moment(text: str) -> datetime:
    # Python 3.10 does not know the Z.
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
