"""Creates tasks and looks at what becomes of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any

import grpc

from . import _from_proto, _to_proto
from ._connection import Endpoint, Tls
from ._proto import task_service_pb2 as pb
from ._proto import worker_service_pb2 as worker_pb
from ._proto.task_service_pb2_grpc import TaskServiceStub
from ._proto.worker_service_pb2_grpc import WorkerServiceStub
from ._to_proto import several
from .errors import ArkitectError, from_rpc_error
from .models import (
    Attempt,
    ConnectedWorker,
    CreatedTasks,
    NewTask,
    Page,
    Task,
    TaskChanges,
    TaskEvent,
    TaskLog,
)
from .watch import Watch


class Client:
    """Every call answers what the server answered, or raises ArkitectError.

    Use it in one event loop, with `async with` or `close`. Times must have a time zone.

    address: host:port, or with http:// or https:// before it. Default: ARKITECT_GRPC_URL, else 127.0.0.1:50051.
    token: sent with each call. Default: ARKITECT_TOKEN, else none, which a server on this machine accepts.
    tls: encrypts the connection. Default: none, unless the address begins with https://.
    timeout_seconds: how long a call may take; the seconds it was asked to wait come on top. Default: 30.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        token: str | None = None,
        tls: Tls | None = None,
        timeout_seconds: float = 30,
    ) -> None:
        self._endpoint = Endpoint.of(address, token, tls)
        self._timeout_seconds = timeout_seconds
        self._channel: grpc.aio.Channel | None = None
        self._task_stub: Any = None
        self._worker_stub: Any = None

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connection; calls under way are cancelled."""
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    async def create(
        self,
        task: NewTask,
        *,
        idempotency_key: str | None = None,
        wait_seconds: int | None = None,
        trace: Mapping[str, str] | None = None,
    ) -> Task:
        """Creates a task; it is stored when the answer comes.

        idempotency_key: the same key and task answer the first result again, another task is refused.
        wait_seconds: answer when the task is finished, or as it is after this many seconds, 0 to 60. Needs start="auto".
        trace: the trace that the task and its attempts are to belong to, as OpenTelemetry's `inject` fills a dict.
        """
        request = pb.CreateTaskRequest(task=_to_proto.new_task(task), idempotency_key=idempotency_key, wait_seconds=wait_seconds)
        response = await self._call(self._tasks.CreateTask, request, wait_seconds, trace)
        return _from_proto.task(response.task, replayed=response.replayed)

    async def create_many(
        self,
        tasks: Sequence[NewTask],
        *,
        atomic: bool = False,
        idempotency_key: str | None = None,
        trace: Mapping[str, str] | None = None,
    ) -> CreatedTasks:
        """Creates up to 1,000 tasks. Good ones are created beside bad ones, unless `atomic`: one bad task refuses all."""
        request = pb.CreateTasksRequest(tasks=[_to_proto.new_task(task) for task in tasks], atomic=atomic, idempotency_key=idempotency_key)
        response = await self._call(self._tasks.CreateTasks, request, trace=trace)
        items = tuple(_from_proto.created_task(item) for item in response.items)
        return CreatedTasks(response.created, response.failed, items, response.replayed)

    async def get(self, id: str) -> Task:
        """One task. NOT_FOUND when there is none."""
        response = await self._call(self._tasks.GetTask, pb.GetTaskRequest(id=id))
        return _from_proto.task(response.task)

    async def list(
        self,
        *,
        status: str | Sequence[str] = (),
        type: str | Sequence[str] = (),
        queue: str | Sequence[str] = (),
        priority: str | Sequence[str] = (),
        name: str | Sequence[str] = (),
        label: str | Sequence[str] = (),
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        order: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[Task, str]:
        """A page of tasks, newest first. All given filters must hold; of several values of one filter, one must.

        label: as key=value; within one, commas mean OR.
        created_after, created_before: created at this time or later, before this time.
        order: desc is newest first, asc oldest first. Default: desc.
        limit: at most this many, 1 to 200. Default: 50.
        cursor: the next_cursor of the page before.
        """
        request = pb.ListTasksRequest(
            status=several(status),
            type=several(type),
            queue=several(queue),
            priority=several(priority),
            name=several(name),
            label=several(label),
            created_after=None if created_after is None else _to_proto.time(created_after),
            created_before=None if created_before is None else _to_proto.time(created_before),
            order=order,
            limit=limit,
            cursor=cursor,
        )
        response = await self._call(self._tasks.ListTasks, request)
        return Page(tuple(map(_from_proto.task, response.items)), _cursor(response))

    async def list_all(self, **filters: Any) -> AsyncIterator[Task]:
        """All tasks of `list`, page after page; it takes the same filters."""
        page = await self.list(**filters)
        while True:
            for task in page.items:
                yield task
            if page.next_cursor is None:
                return
            page = await self.list(**{**filters, "cursor": page.next_cursor})

    async def replace(self, id: str, task: NewTask, *, version: int | None = None) -> Task:
        """Sets every editable field, absent ones to their default. Only before the first attempt.

        version: only if this is its version, else VERSION_MISMATCH.
        """
        request = pb.ReplaceTaskRequest(id=id, task=_to_proto.new_task(task), version=version)
        response = await self._call(self._tasks.ReplaceTask, request)
        return _from_proto.task(response.task)

    async def update(self, id: str, changes: TaskChanges, *, version: int | None = None, remove_labels: Sequence[str] = ()) -> Task:
        """Changes the given fields. Only before the first attempt.

        version: only if this is its version, else VERSION_MISMATCH.
        """
        request = pb.UpdateTaskRequest(id=id, task=_to_proto.new_task(changes), version=version, remove_labels=several(remove_labels))
        response = await self._call(self._tasks.UpdateTask, request)
        return _from_proto.task(response.task)

    async def delete(self, id: str, *, version: int | None = None) -> None:
        """Deletes a task that is not running.

        version: only if this is its version, else VERSION_MISMATCH.
        """
        await self._call(self._tasks.DeleteTask, pb.DeleteTaskRequest(id=id, version=version))

    async def execute(self, id: str, *, wait_seconds: int | None = None) -> Task:
        """Puts a pending task into its queue.

        wait_seconds: answer when the task is finished, or as it is after this many seconds, 0 to 60.
        """
        request = pb.ExecuteTaskRequest(id=id, wait_seconds=wait_seconds)
        response = await self._call(self._tasks.ExecuteTask, request, wait_seconds)
        return _from_proto.task(response.task)

    async def cancel(self, id: str) -> Task:
        """Ends a task that waits, and tells the worker of one that runs."""
        response = await self._call(self._tasks.CancelTask, pb.CancelTaskRequest(id=id))
        return _from_proto.task(response.task)

    async def retry(self, id: str) -> Task:
        """Queues a failed or cancelled task again, with a fresh budget of attempts."""
        response = await self._call(self._tasks.RetryTask, pb.RetryTaskRequest(id=id))
        return _from_proto.task(response.task)

    async def attempts(self, id: str, *, limit: int | None = None, cursor: int | None = None) -> Page[Attempt, int]:
        """The attempts of a task, oldest first; at most `limit`, 1 to 200 (50)."""
        request = pb.ListTaskAttemptsRequest(id=id, limit=limit, cursor=cursor)
        response = await self._call(self._tasks.ListTaskAttempts, request)
        return Page(tuple(map(_from_proto.attempt, response.items)), _cursor(response))

    async def logs(self, id: str, *, limit: int | None = None, cursor: int | None = None) -> Page[TaskLog, int]:
        """What the handler of a task logged, oldest first; at most `limit`, 1 to 200 (50)."""
        request = pb.ListTaskLogsRequest(id=id, limit=limit, cursor=cursor)
        response = await self._call(self._tasks.ListTaskLogs, request)
        return Page(tuple(map(_from_proto.task_log, response.items)), _cursor(response))

    async def events(self, id: str, *, limit: int | None = None, cursor: int | None = None) -> Page[TaskEvent, int]:
        """What happened to a task, oldest first; at most `limit`, 1 to 200 (50)."""
        request = pb.ListTaskEventsRequest(id=id, limit=limit, cursor=cursor)
        response = await self._call(self._tasks.ListTaskEvents, request)
        return Page(tuple(map(_from_proto.task_event, response.items)), _cursor(response))

    def watch(
        self,
        *,
        id: str | Sequence[str] = (),
        status: str | Sequence[str] = (),
        type: str | Sequence[str] = (),
        queue: str | Sequence[str] = (),
        priority: str | Sequence[str] = (),
        name: str | Sequence[str] = (),
        label: str | Sequence[str] = (),
        since: int | None = None,
    ) -> Watch:
        """Events of all tasks that match, as they happen: see Watch. Filters as of `list`.

        since: the last seq that was seen: what came after it comes first, in order and without a gap.
        """
        request = pb.WatchTasksRequest(
            id=several(id),
            status=several(status),
            type=several(type),
            queue=several(queue),
            priority=several(priority),
            name=several(name),
            label=several(label),
            since=since,
        )
        return Watch(lambda latest: self._tasks.WatchTasks(latest, metadata=self._endpoint.metadata), request)

    async def list_workers(self) -> Sequence[ConnectedWorker]:
        """The workers that are connected, of all replicas, oldest connection first."""
        response = await self._call(self._workers.ListWorkers, worker_pb.ListWorkersRequest())
        return tuple(map(_from_proto.connected_worker, response.items))

    async def drain_worker(self, id: str) -> None:
        """Gives a worker no more tasks; what it runs it may finish."""
        await self._call(self._workers.DrainWorker, worker_pb.DrainWorkerRequest(id=id))

    async def disconnect_worker(self, id: str) -> None:
        """Ends a worker's stream at once; its tasks go back to their queues."""
        await self._call(self._workers.DisconnectWorker, worker_pb.DisconnectWorkerRequest(id=id))

    @property
    def _tasks(self) -> Any:
        self._open()
        return self._task_stub

    @property
    def _workers(self) -> Any:
        self._open()
        return self._worker_stub

    def _open(self) -> None:
        # Not before the first call: a channel belongs to the event loop that runs when it is made.
        if self._channel is None:
            self._channel = self._endpoint.open()
            self._task_stub = TaskServiceStub(self._channel)
            self._worker_stub = WorkerServiceStub(self._channel)

    async def _call(
        self,
        method: Any,
        request: Any,
        wait_seconds: int | None = None,
        trace: Mapping[str, str] | None = None,
    ) -> Any:
        seconds = self._timeout_seconds + (wait_seconds or 0)
        metadata = self._endpoint.metadata + tuple((trace or {}).items())
        try:
            response = await method(request, timeout=seconds, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        if response is None:
            # What gRPC makes of an answer that could not be read; its reason is in the log.
            raise ArkitectError("INTERNAL", "The answer could not be read.", status=grpc.StatusCode.INTERNAL)
        return response


def _cursor(response: Any) -> Any:
    return response.next_cursor if response.HasField("next_cursor") else None
