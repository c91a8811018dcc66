"""Events as they happen."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

import grpc

from . import _from_proto
from ._proto import task_service_pb2 as pb
from ._reconnect import Pauses
from .errors import WatchReset, from_rpc_error
from .models import TaskEvent

if TYPE_CHECKING:
    Call = grpc.aio.UnaryStreamCall[pb.WatchTasksRequest, pb.WatchTasksResponse]

_log = logging.getLogger("arkitect")


class Watch:
    """The events of a watch, in the order of `seq`; it goes on by itself, without a gap, when the server was away.

        async with client.watch(type="report") as watch:
            async for event in watch:
                print(event.seq, event.action, event.id)

    The body of `async with` begins when the server has said where the watch begins: what happens from then on is seen.
    Raises WatchReset when some events are gone from the log, and ArkitectError when the server refuses the watch or
    cannot be reached in the first place.
    """

    def __init__(self, start: Callable[[pb.WatchTasksRequest], Call], request: pb.WatchTasksRequest) -> None:
        self._start = start
        self._request = request
        self._call: Call | None = None
        self._pauses = Pauses()
        self._begun = False
        self._closed = False

    @property
    def seq(self) -> int | None:
        """The last seq that was seen: `since` of a watch that goes on from here. None before the watch began."""
        return self._request.since if self._request.HasField("since") else None

    async def __aenter__(self) -> Watch:
        await self._begin()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __aiter__(self) -> Watch:
        return self

    async def __anext__(self) -> TaskEvent:
        while not self._closed:
            call = self._call
            if call is None:
                await self._begin()
                continue
            message = await self._read(call)
            if message is None:
                continue
            if message.WhichOneof("message") == "start":
                self._take_start(message.start)
                continue
            self._request.since = message.event.seq
            self._pauses.reset()
            return _from_proto.task_event(message.event)
        raise StopAsyncIteration

    def close(self) -> None:
        """Ends the watch, and the loop over it."""
        self._closed = True
        if self._call is not None:
            self._call.cancel()
            self._call = None

    async def _begin(self) -> None:
        while self._call is None and not self._closed:
            self._call = self._start(self._request)
            message = await self._read(self._call)
            if message is not None:
                self._take_start(message.start)

    def _take_start(self, start: pb.WatchStart) -> None:
        self._begun = True
        self._request.since = start.seq
        if start.reset:
            self.close()
            raise WatchReset(start.seq)

    async def _read(self, call: Call) -> pb.WatchTasksResponse | None:
        """The next message, or None after a pause when the server went away."""
        try:
            message = await call.read()
            if isinstance(message, pb.WatchTasksResponse):
                return message
            reason = "The server ended the stream."
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE or not self._begun:
                self._call = None
                raise from_rpc_error(error) from None
            reason = error.details() or "The server is away."
        except asyncio.CancelledError:
            # gRPC raises it for a call that `close` has cancelled, too.
            if self._closed:
                return None
            raise
        self._call = None
        seconds = self._pauses.next()
        _log.info("The watch goes on in %.1f s. %s", seconds, reason)
        await asyncio.sleep(seconds)
        return None
