"""Runs tasks of a server in this process."""

from __future__ import annotations

import asyncio
import logging
import secrets
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

from ._connection import Endpoint, Tls
from ._proto import worker_service_pb2 as pb
from ._version import __version__
from ._worker.connection import Connection
from ._worker.handlers import Handler
from ._worker.in_flight import InFlight
from ._worker.lease_clock import LeaseClock

_log = logging.getLogger("arkitect")

H = TypeVar("H", bound=Handler)

# Seconds that handlers have to end after they were told to, when the time of the drain is up.
DRAIN_GRACE_SECONDS = 2.0
# Seconds for the last results and hand-backs to go through.
CLOSE_SECONDS = 5.0


class Worker:
    """Connects to a server, runs the handlers of the tasks it is given, and reports what becomes of them.

    name: what people call it: 1 to 100 of a-z A-Z 0-9 . _ : -, beginning with a letter or digit.
    address, token, tls: as of Client.
    queues: only tasks of these queues, at most 100. Default: all.
    slots: attempts it runs at the same time, 1 to 10,000. Default: 10.
    labels: about it, for people and lists. Default: none.
    drain_seconds: how long running handlers may still take when it is told to stop. Default: 30.
    """

    def __init__(
        self,
        name: str,
        *,
        address: str | None = None,
        token: str | None = None,
        tls: Tls | None = None,
        queues: Sequence[str] = (),
        slots: int = 10,
        labels: Mapping[str, str] | None = None,
        drain_seconds: float = 30,
    ) -> None:
        self._endpoint = Endpoint.of(address, token, tls)
        self._handlers: dict[str, Handler] = {}
        self._drain_seconds = drain_seconds
        self._id: str | None = None
        self._welcome = asyncio.Event()
        self._in_flight: InFlight | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop_wanted = asyncio.Event()
        self._hurry = asyncio.Event()
        self._hello = pb.Hello(
            name=name,
            # The same for as long as this object lives: it is how the server knows a worker that comes back.
            instance=secrets.token_hex(8),
            queues=[queues] if isinstance(queues, str) else queues,
            slots=slots,
            labels=labels,
            sdk=f"arkitect-python/{__version__}",
        )

    @property
    def id(self) -> str | None:
        """`worker_id` of its tasks; None before it was connected."""
        return self._id

    async def connected(self) -> None:
        """Returns when it is, or was, connected: from then on the server accepts tasks of its types."""
        await self._welcome.wait()

    def handler(self, type: str) -> Callable[[H], H]:
        """Decorates the handler of a type of tasks.

        It is called with a Context and the parameters, and returns any JSON, at most 1 MiB and 32 levels deep.
        A coroutine function runs in the event loop and is stopped by asyncio.CancelledError; any other function runs in
        a thread of its own and is to look at `context.cancelled`. An exception fails the attempt: see TaskFailure.
        """

        def register(handler: H) -> H:
            self.register(type, handler)
            return handler

        return register

    def register(self, type: str, handler: Handler) -> None:
        """What `handler` does, as a call. Before `run`; ValueError when the type has a handler already."""
        if type in self._handlers:
            raise ValueError(f"There is a handler for {type} already.")
        self._handlers[type] = handler

    def main(self) -> None:
        """Runs the worker as a program of its own, until SIGTERM or SIGINT. Logs to stderr unless logging is set up."""
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
        asyncio.run(self.run())

    async def run(self, *, handle_signals: bool = True) -> None:
        """Runs the worker until `stop`, or SIGTERM or SIGINT, and drains it: it takes no more tasks, running handlers may take
        up to `drain_seconds`, are then stopped, and what has not finished goes back to its queue. A second signal ends the
        wait.

        While the server is away it tries again for ever, and handlers go on as long as their leases hold. Raises
        ArkitectError when the server refuses the worker. Cancelling this coroutine stops handlers at once; their tasks
        run again when their leases are noticed to be gone.
        """
        if not self._handlers:
            raise ValueError("There is no handler: decorate a function with @worker.handler('TYPE').")
        self._loop = asyncio.get_running_loop()
        in_flight = self._in_flight = InFlight(self._handlers)
        clock = LeaseClock(in_flight.lose_all)
        del self._hello.types[:]
        self._hello.types.extend(self._handlers)
        connection = Connection(self._endpoint, self._hello, in_flight, clock, self._welcomed)
        staying = asyncio.create_task(connection.stay())
        try:
            with self._signals(handle_signals):
                if not await self._wanted(self._stop_wanted, staying):
                    in_flight.drain()
                    await self._drain(in_flight)
                    if connection.is_open or not in_flight.is_settled:
                        await asyncio.wait([staying], timeout=CLOSE_SECONDS)
                    if not in_flight.is_settled:
                        _log.error("The worker ends with results or hand-backs that the server does not have; those tasks run again.")
                if staying.done():
                    staying.result()
        finally:
            clock.stop()
            in_flight.lose_all()
            staying.cancel()
            await asyncio.wait([staying])
            self._stop_wanted.clear()
            self._hurry.clear()
            self._loop = self._in_flight = None

    def stop(self) -> None:
        """Drains the worker and ends `run`. Called again, it does not wait for handlers any more. Safe in any thread."""
        if self._loop is None:
            self._stop_wanted.set()
        else:
            self._loop.call_soon_threadsafe(self._stop)

    def _welcomed(self, welcome: pb.Welcome) -> None:
        self._id = welcome.worker_id
        self._welcome.set()

    def _stop(self) -> None:
        if self._stop_wanted.is_set():
            self._hurry.set()
        self._stop_wanted.set()
        if self._in_flight is not None:
            # At once: what ends from now on must not bring another task.
            self._in_flight.drain()

    async def _wanted(self, event: asyncio.Event, other: asyncio.Task[None], seconds: float | None = None) -> bool:
        """Waits for an event, but not longer than for the other; answers whether the other is done."""
        waiting = asyncio.create_task(event.wait())
        try:
            await asyncio.wait([waiting, other], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        return other.done()

    async def _drain(self, in_flight: InFlight) -> None:
        idle = asyncio.create_task(in_flight.wait_until_idle())
        try:
            if not await self._wanted(self._hurry, idle, self._drain_seconds):
                in_flight.stop_all("drain")
                await asyncio.wait([idle], timeout=DRAIN_GRACE_SECONDS)
                in_flight.reject_all()
        finally:
            idle.cancel()

    @contextmanager
    def _signals(self, wanted: bool) -> Iterator[None]:
        handled: list[signal.Signals] = []
        # Only the main thread gets signals.
        if wanted and self._loop is not None and threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                try:
                    self._loop.add_signal_handler(number, self._stop)
                except NotImplementedError:
                    # Windows: Ctrl-C cancels `run`.
                    continue
                handled.append(number)
        try:
            yield
        finally:
            for number in handled:
                if self._loop is not None:
                    self._loop.remove_signal_handler(number)
