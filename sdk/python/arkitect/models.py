"""What the client takes and answers. Fields have the names of the contract; what says nothing is None."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from ._json import Json, JsonObject
from .errors import FieldProblem

Item = TypeVar("Item")
Cursor = TypeVar("Cursor", str, int)


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long a failed attempt waits before the next."""

    kind: str | None = None
    """How the wait grows: fixed, linear or exponential. Default: exponential."""
    delay_seconds: float | None = None
    """Seconds before the second attempt, 0 to 86,400. Default: 1."""
    max_delay_seconds: float | None = None
    """No wait is longer than this many seconds, 0 to 604,800. Default: 300."""
    jitter: float | None = None
    """Share of the wait that is random, 0 to 1. Default: 0.2."""


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task to create, or what an existing one is to become."""

    name: str
    """What people call it: 1 to 255 characters."""
    type: str | None = None
    """Which handler runs it: a-z, 0-9 and . _ : -, at most 100. Default: the server's setting TASKS_DEFAULT_TYPE."""
    queue: str | None = None
    """The line in which it waits: a-z, 0-9 and . _ : -, at most 100. Default: default."""
    priority: str | None = None
    """low, medium, high or critical. Default: medium."""
    parameters: Mapping[str, Json] | None = None
    """The handler's input: at most 256 KiB and 32 levels deep. Default: empty."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """At most 64 pairs to filter by: keys of 1 to 63 of A-Z a-z 0-9 . _ / -, values of at most 255 characters."""
    max_attempts: int | None = None
    """Attempts before it fails, 1 to 100. Default: the handler's, else 1."""
    timeout_seconds: int | None = None
    """Seconds one attempt may take, 1 to 86,400. Default: the handler's, else 300."""
    backoff: Backoff | None = None
    """How long a failed attempt waits before the next."""
    run_at: datetime | None = None
    """Not before this time, which needs a time zone. Implies start: auto. Default: at once."""
    start: str | None = None
    """manual leaves it pending until `execute`, auto queues it at once. Refused by `replace`. Default: manual."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChanges:
    """The fields of a task to change; those that are None stay. Their rules are those of NewTask."""

    name: str | None = None
    type: str | None = None
    queue: str | None = None
    priority: str | None = None
    parameters: Mapping[str, Json] | None = None
    """Merged into what is there (RFC 7396): None as a value takes a key away."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Merged into what is there; `remove_labels` of `update` takes some away."""
    max_attempts: int | None = None
    timeout_seconds: int | None = None
    backoff: Backoff | None = None
    run_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TaskError:
    """Why an attempt failed."""

    code: str
    """UPPER_SNAKE_CASE, for programs."""
    message: str
    """A sentence for people."""
    retryable: bool
    """Whether another attempt could have helped."""
    attempt: int
    """The attempt that failed, from 1."""


@dataclass(frozen=True, slots=True)
class Task:
    """A task as it is."""

    id: str
    tenant_id: str
    name: str
    type: str
    queue: str
    priority: str
    status: str
    """pending, scheduled, blocked, queued, running, cancelling, completed, failed or cancelled."""
    parameters: JsonObject
    labels: dict[str, str]
    result: Json
    """What the handler returned; None until completed, too."""
    error: TaskError | None
    """Why the latest attempt failed."""
    progress: float
    """Percent, 0 to 100."""
    progress_message: str | None
    attempt: int
    """Attempts started so far."""
    max_attempts: int
    timeout_seconds: int
    backoff: Backoff
    run_at: datetime | None
    worker_id: str | None
    """Who runs or ran the latest attempt."""
    created_by: str
    trace_id: str | None
    """The trace that it belongs to, when the call that created it had one."""
    created_at: datetime
    updated_at: datetime
    queued_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    version: int
    """Grows with every change; `version` of a changing call."""
    replayed: bool = False
    """Of `create` alone: whether the idempotency key found the answer of an earlier call."""

    @property
    def finished(self) -> bool:
        """Whether it is completed, failed or cancelled."""
        return self.status in ("completed", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class TaskRefusal:
    """Why one task of many was refused."""

    code: str
    detail: str
    errors: tuple[FieldProblem, ...]


@dataclass(frozen=True, slots=True)
class CreatedTask:
    """One of many: the task, or why it was refused."""

    index: int
    """Place in the request, from 0."""
    task: Task | None
    error: TaskRefusal | None


@dataclass(frozen=True, slots=True)
class CreatedTasks:
    """What became of each task of `create_many`."""

    created: int
    failed: int
    items: Sequence[CreatedTask]
    """In the order in which they were given."""
    replayed: bool
    """Whether the idempotency key found the answer of an earlier call."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Item, Cursor]):
    """Some of many."""

    items: Sequence[Item]
    next_cursor: Cursor | None
    """`cursor` of the next page; None on the last."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One execution of a task."""

    attempt: int
    """From 1."""
    status: str
    """running, cancelling, completed, failed, cancelled, lost (its worker went silent) or released (it shut down)."""
    worker_id: str
    started_at: datetime
    finished_at: datetime | None
    error: TaskError | None


@dataclass(frozen=True, slots=True)
class TaskLog:
    """One line that a handler logged."""

    id: int
    """Grows with every line."""
    attempt: int
    level: str
    """debug, info, warn or error."""
    message: str
    data: Json
    at: datetime


@dataclass(frozen=True, slots=True)
class TaskLogLine:
    """The line of a task_log event."""

    level: str
    message: str
    data: Json


@dataclass(frozen=True, slots=True)
class TaskEvent:
    """Something that happened to a task: the task as it was then, without parameters and result."""

    seq: int
    """Grows over the whole cluster; the number to resume from."""
    action: str
    """task_created, task_updated, task_queued, task_started, task_progress, task_log, task_completed, task_failed,
    task_cancelled or task_deleted."""
    at: datetime
    id: str
    """The task."""
    name: str | None
    type: str | None
    queue: str | None
    priority: str | None
    status: str | None
    """Its state after the event."""
    labels: dict[str, str]
    error: TaskError | None
    progress: float | None
    progress_message: str | None
    attempt: int | None
    max_attempts: int | None
    run_at: datetime | None
    worker_id: str | None
    created_by: str | None
    created_at: datetime | None
    queued_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    version: int | None
    log: TaskLogLine | None
    """The line, of task_log alone."""


@dataclass(frozen=True, slots=True)
class ConnectedWorker:
    """A worker that is connected, or was a moment ago."""

    id: str
    name: str
    state: str
    """connected, draining or gone (its leases run out)."""
    door: str
    """How it is connected: grpc or http."""
    replica_id: str
    """The replica that it is connected to."""
    types: Sequence[str]
    queues: Sequence[str]
    """None at all means every queue."""
    slots: int
    """Attempts it can run at the same time."""
    in_flight: int
    """Attempts it runs."""
    labels: dict[str, str]
    sdk: str | None
    connected_at: datetime
    last_beat_at: datetime
