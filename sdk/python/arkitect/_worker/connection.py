"""Keeps a worker connected: one session after the other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import grpc

from .._connection import Endpoint
from .._proto import worker_service_pb2 as pb
from .._proto.worker_service_pb2_grpc import WorkerServiceStub
from .._reconnect import Pauses
from ..errors import from_rpc_error
from .in_flight import InFlight
from .lease_clock import LeaseClock
from .session import Session

# Answers to a first Hello that another try would get again.
REFUSALS = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNIMPLEMENTED,
)

_log = logging.getLogger("arkitect")


class Connection:
    def __init__(
        self,
        endpoint: Endpoint,
        hello: pb.Hello,
        in_flight: InFlight,
        clock: LeaseClock,
        on_welcome: Callable[[pb.Welcome], None],
    ) -> None:
        self._endpoint = endpoint
        self._hello = hello
        self._in_flight = in_flight
        self._clock = clock
        self._on_welcome = on_welcome
        self._was_welcome = False
        self._session: Session | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a stream over which results can go."""
        return self._session is not None and self._session.welcome is not None

    async def stay(self) -> None:
        """Returns when the worker drains and all is settled. Raises ArkitectError when the first Hello was refused."""
        pauses = Pauses()
        while True:
            reason = await self._serve(pauses)
            if self._in_flight.no_more and self._in_flight.is_settled:
                return
            seconds = pauses.next()
            _log.warning("Not connected to %s; trying again in %.1f s. %s", self._endpoint.address, seconds, reason)
            await asyncio.sleep(seconds)

    async def _serve(self, pauses: Pauses) -> str:
        """One session; answers why it ended."""
        # A channel for each: one that broke would keep to the waits of its own, and to an address that is gone.
        channel = self._endpoint.open()
        call = WorkerServiceStub(channel).Work(metadata=self._endpoint.metadata)
        session = self._session = Session(call, self._in_flight, self._clock, self._hello.slots, self._welcomed)
        hello = pb.Hello()
        hello.CopyFrom(self._hello)
        try:
            await session.run(hello)
        except grpc.aio.AioRpcError as error:
            if not self._was_welcome and error.code() in REFUSALS:
                raise from_rpc_error(error) from None
            return f"{error.code().name}: {error.details()}"
        except asyncio.TimeoutError:
            return "The server did not answer Hello."
        except (ConnectionError, asyncio.InvalidStateError) as error:
            return str(error)
        finally:
            if session.was_of_use:
                pauses.reset()
            self._session = None
            await channel.close()
        return "The server ended the stream."

    def _welcomed(self, welcome: pb.Welcome) -> None:
        self._was_welcome = True
        self._on_welcome(welcome)
        _log.info("Connected to %s as %s.", self._endpoint.address, welcome.worker_id)
