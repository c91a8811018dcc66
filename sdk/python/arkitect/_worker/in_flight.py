"""Everything a worker has and the server does not: attempts that run, results, log lines. It outlives the streams."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice

from .._proto import worker_service_pb2 as pb
from ..context import StopReason
from .handlers import Handler
from .log_lines import LogLines
from .outcome import Outcome
from .report import Report
from .running_attempt import Key, RunningAttempt, key_of

# What the server accepts in one message.
MAX_LEASES = 10_000
# Checkpoints in one beat. The server accepts messages of 8 MiB, and the leases take up to 1 MiB.
MAX_NEWS_BYTES = 2 * 1024 * 1024

_log = logging.getLogger("arkitect")


class Result:
    """The outcome of an attempt, until the server has acknowledged it."""

    __slots__ = ("key", "lease", "outcome", "report")

    def __init__(self, lease: pb.Lease, outcome: Outcome, report: Report) -> None:
        self.key = key_of(lease)
        self.lease = lease
        self.outcome = outcome
        self.report = report


class InFlight:
    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self.changed = asyncio.Event()
        """Set when there may be something to send."""
        self.no_more = False
        """The worker is draining: what is assigned now is rejected."""
        self.logs = LogLines(self._line_came)
        self._handlers = handlers
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._running: dict[Key, RunningAttempt] = {}
        # Handlers whose attempt is over although they have not ended: they still take a slot.
        self._stuck: set[RunningAttempt] = set()
        self._results: dict[Key, Result] = {}
        self._unsent: dict[Key, Result] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def slots_taken(self) -> int:
        return len(self._running) + len(self._stuck)

    @property
    def is_settled(self) -> bool:
        """Nothing runs, everything is sent and every result acknowledged."""
        return not (self._running or self._results or len(self.logs))

    @property
    def has_results_with_news(self) -> bool:
        """Whether an attempt that is over has reported something which a beat must tell before its result."""
        return any(result.report.changed for result in self._unsent.values())

    def drain(self) -> None:
        """From now on nothing is taken."""
        self.no_more = True
        self.changed.set()

    def start(self, assignment: pb.Assignment) -> None:
        lease = assignment.lease
        handler = self._handlers.get(assignment.type)
        if self.no_more or handler is None:
            if handler is None:
                _log.error("A task of the type %s came, for which there is no handler here.", assignment.type)
            self._keep(Result(lease, pb.Reject(leases=[lease]), Report(lease)))
            self.changed.set()
            return
        self._idle.clear()
        attempt = RunningAttempt(assignment, handler, self.logs.add, self._attempt_over, self._handler_ended)
        self._running[key_of(lease)] = attempt

    def leases(self) -> list[pb.Lease]:
        """For Hello: what must stay this worker's, unacknowledged results included."""
        return [holder.lease for holder in islice(self._holders(self._results), MAX_LEASES)]

    def beat(self) -> pb.Beat:
        """The leases of all that is not settled on this stream, and as much of what has changed as goes into one message."""
        beat, news = pb.Beat(), 0
        # Results first: they wait for their news to be told.
        for holder in islice(self._holders(self._unsent), MAX_LEASES):
            message = beat.leases.add()
            holder.report.fill(message, with_news=news < MAX_NEWS_BYTES)
            if message.HasField("checkpoint"):
                news += message.checkpoint.ByteSize()
        return beat

    def begin_stream(self, confirmed: set[Key]) -> None:
        """The server has said which leases are still this worker's: all others are gone. The rest is sent again."""
        for key in list(self._running):
            if key not in confirmed:
                self.lose(key)
        self._results = {key: result for key, result in self._results.items() if key in confirmed}
        self._unsent = dict(self._results)
        self.logs.send_again()
        for holder in self._holders(self._results):
            holder.report.send_again()
        self.changed.set()

    def cancel(self, key: Key) -> None:
        if attempt := self._running.get(key):
            attempt.stop("cancelled")

    def lose(self, key: Key) -> None:
        """A result that is on its way is left alone: its acknowledgement tells."""
        if attempt := self._running.get(key):
            _log.warning("The lease of attempt %d of task %s is lost.", key[1], key[0])
            attempt.drop()

    def lose_all(self) -> None:
        for key in list(self._running):
            self.lose(key)

    def stop_all(self, reason: StopReason) -> None:
        for attempt in list(self._running.values()):
            attempt.stop(reason)

    def reject_all(self) -> None:
        for attempt in list(self._running.values()):
            attempt.reject()

    async def wait_until_idle(self) -> None:
        """Until no attempt runs."""
        await self._idle.wait()

    def take_results(self) -> list[Result]:
        """Those that were not sent on this stream, oldest first, but for those with news."""
        results = [result for result in self._unsent.values() if not result.report.changed]
        for result in results:
            del self._unsent[result.key]
        return results

    def acknowledge(self, results: Iterable[Result]) -> None:
        """The server has them."""
        for result in results:
            self._results.pop(result.key, None)
        self.changed.set()

    def _holders(self, results: dict[Key, Result]) -> Iterator[Result | RunningAttempt]:
        yield from results.values()
        yield from self._running.values()

    def _keep(self, result: Result) -> None:
        self._results[result.key] = self._unsent[result.key] = result

    def _attempt_over(self, attempt: RunningAttempt, outcome: Outcome | None) -> None:
        key = key_of(attempt.lease)
        del self._running[key]
        self._stuck.add(attempt)
        if outcome is not None:
            self._keep(Result(attempt.lease, outcome, attempt.report))
        if not self._running:
            self._idle.set()
        self.changed.set()

    def _handler_ended(self, attempt: RunningAttempt) -> None:
        self._stuck.discard(attempt)
        self.changed.set()

    def _line_came(self) -> None:
        if threading.get_ident() == self._thread:
            self.changed.set()
        else:
            # The loop may be closed: a thread can outlive its worker.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self.changed.set)
