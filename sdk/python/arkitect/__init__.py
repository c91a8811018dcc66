"""Client and worker for ARKITECT Orchestrator."""

from ._connection import DEFAULT_ADDRESS, Tls
from ._json import Json, JsonObject, NotJsonError
from ._version import __version__
from .client import Client
from .context import AssignedTask, Cancellation, Context, Level, StopReason
from .errors import ArkitectError, FieldProblem, TaskFailure, WatchReset
from .models import (
    Attempt,
    Backoff,
    ConnectedWorker,
    CreatedTask,
    CreatedTasks,
    NewTask,
    Page,
    Task,
    TaskChanges,
    TaskError,
    TaskEvent,
    TaskLog,
    TaskLogLine,
    TaskRefusal,
)
from .watch import Watch
from .worker import Worker

__all__ = [
    "DEFAULT_ADDRESS",
    "ArkitectError",
    "AssignedTask",
    "Attempt",
    "Backoff",
    "Cancellation",
    "Client",
    "ConnectedWorker",
    "Context",
    "CreatedTask",
    "CreatedTasks",
    "FieldProblem",
    "Json",
    "JsonObject",
    "Level",
    "NewTask",
    "NotJsonError",
    "Page",
    "StopReason",
    "Task",
    "TaskChanges",
    "TaskError",
    "TaskEvent",
    "TaskFailure",
    "TaskLog",
    "TaskLogLine",
    "TaskRefusal",
    "Tls",
    "Watch",
    "WatchReset",
    "Worker",
    "__version__",
]
