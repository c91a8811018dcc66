"""One stream between this worker and a replica, from Hello to its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import grpc

from .._proto import worker_service_pb2 as pb
from .batches import MAX_LOG_LINES, batches, settles
from .in_flight import InFlight, Result
from .lease_clock import LeaseClock
from .running_attempt import key_of

if TYPE_CHECKING:
    Call = grpc.aio.StreamStreamCall[pb.WorkRequest, pb.WorkResponse]

WELCOME_SECONDS = 10.0

_log = logging.getLogger("arkitect")


class Session:
    def __init__(
        self,
        call: Call,
        in_flight: InFlight,
        clock: LeaseClock,
        slots: int,
        on_welcome: Callable[[pb.Welcome], None],
    ) -> None:
        self.welcome: pb.Welcome | None = None
        """The server's answer to Hello."""
        self.was_of_use = False
        """A task or an acknowledged beat has come."""
        self._call = call
        self._in_flight = in_flight
        self._clock = clock
        self._slots = slots
        self._on_welcome = on_welcome
        self._loop = asyncio.get_running_loop()
        self._credit = 0
        self._given_up: str | None = None
        self._server_drains = False
        self._drain_sent = False
        self._beat_due = False
        self._beat_timer: asyncio.TimerHandle | None = None
        # When the beat was sent that is not acknowledged yet, and how many log lines had been. Never more than one beat: when
        # its acknowledgement is here, so is all that was assigned before, and the next one lists it. A lease that beats do not
        # list is taken back.
        self._beat_sent: tuple[float, int] | None = None
        self._settle_id = 0
        # What to make of an acknowledgement, by its settle_id: results, and log lines that were sent before them.
        self._sent: dict[int, tuple[list[Result], int]] = {}

    async def run(self, hello: pb.Hello) -> None:
        """Returns when the server or a drain has ended the stream; raises AioRpcError or ConnectionError when it broke."""
        writer: asyncio.Task[None] | None = None
        try:
            await self._greet(hello)
            writer = asyncio.create_task(self._write())
            # A writer that fails ends the stream, and so the reader.
            writer.add_done_callback(self._writer_ended)
            while True:
                response = await self._call.read()
                if not isinstance(response, pb.WorkResponse):
                    return
                self._take(response)
        except asyncio.CancelledError:
            # gRPC raises it for a call that we have cancelled ourselves, too.
            if self._given_up is None:
                raise
            raise ConnectionError(self._given_up) from None
        finally:
            self._call.cancel()
            if self._beat_timer is not None:
                self._beat_timer.cancel()
            if writer is not None:
                writer.cancel()
                await asyncio.wait([writer])

    async def _greet(self, hello: pb.Hello) -> None:
        sent_at = self._loop.time()
        hello.in_flight.extend(self._in_flight.leases())
        # A server that is there but does not answer must not hold us up.
        await asyncio.wait_for(self._call.write(pb.WorkRequest(hello=hello)), WELCOME_SECONDS)
        response = await asyncio.wait_for(self._call.read(), WELCOME_SECONDS)
        if not isinstance(response, pb.WorkResponse) or response.WhichOneof("message") != "welcome":
            raise ConnectionError("The server did not answer Hello with Welcome.")
        self.welcome = response.welcome
        self._clock.renew(sent_at, self.welcome.lease_ms / 1000)
        self._in_flight.begin_stream({key_of(lease) for lease in self.welcome.confirmed})
        self._on_welcome(self.welcome)
        self._set_beat_timer()

    def _take(self, response: pb.WorkResponse) -> None:
        match response.WhichOneof("message"):
            case "assign":
                self.was_of_use = True
                for assignment in response.assign.tasks:
                    self._credit -= 1
                    self._in_flight.start(assignment)
            case "beat_ack":
                self.was_of_use = True
                self._take_beat_ack(response.beat_ack)
            case "cancel":
                for lease in response.cancel.leases:
                    self._in_flight.cancel(key_of(lease))
            case "ack":
                self._take_ack(response.ack)
            case "drain":
                _log.info("The server gives no more tasks: %s", response.drain.reason)
                self._server_drains = True
                self._in_flight.changed.set()

    def _take_beat_ack(self, ack: pb.BeatAck) -> None:
        if self._beat_sent is not None:
            sent_at, lines = self._beat_sent
            self._clock.renew(sent_at)
            self._in_flight.logs.arrived(lines)
            self._beat_sent = None
            self._in_flight.changed.set()
        for lease in ack.lost:
            self._in_flight.lose(key_of(lease))
        for lease in ack.cancel:
            self._in_flight.cancel(key_of(lease))

    def _take_ack(self, ack: pb.Ack) -> None:
        for settled in ack.settled:
            if settled.status in ("lost", "refused"):
                _log.warning("The result of task %s is %s. %s", settled.task_id, settled.status, settled.message)
        results, lines = self._sent.pop(ack.settle_id, ([], 0))
        self._in_flight.logs.arrived(lines)
        self._in_flight.acknowledge(results)

    async def _write(self) -> None:
        while not self._is_done():
            await self._in_flight.changed.wait()
            self._in_flight.changed.clear()
            await self._write_what_there_is()
        await self._call.done_writing()

    def _is_done(self) -> bool:
        return (self._server_drains or self._drain_sent) and self._in_flight.is_settled

    async def _write_what_there_is(self) -> None:
        """One round. What comes up while it waits for the stream is gathered, and goes into the next one together."""
        if self._in_flight.no_more and not self._drain_sent:
            self._drain_sent = True
            await self._send(pb.WorkRequest(drain=pb.Drain(reason="The worker ends.")))
        if self._beat_sent is None and (self._beat_due or self._in_flight.has_results_with_news):
            self._beat_due = False
            self._beat_sent = (self._loop.time(), self._in_flight.logs.sent_so_far)
            await self._send(pb.WorkRequest(beat=self._in_flight.beat()))
        # Taken before the lines: whatever an attempt logged before its end is among them.
        results = self._in_flight.take_results()
        await self._send_logs()
        for request, inside in settles(result for result in results if not isinstance(result.outcome, pb.Reject)):
            await self._send_settle(request, inside)
        await self._send_rejects([result for result in results if isinstance(result.outcome, pb.Reject)])
        if more := self._take_credit():
            await self._send(pb.WorkRequest(credit=pb.Credit(slots=more)))

    async def _send_logs(self) -> None:
        for lines in batches(self._in_flight.logs.waiting(), MAX_LOG_LINES):
            await self._send(pb.WorkRequest(log=pb.Log(lines=lines)))
            self._in_flight.logs.sent(len(lines))

    async def _send_rejects(self, rejects: list[Result]) -> None:
        """They are not acknowledged: sent is all that they can be."""
        if rejects:
            await self._send(pb.WorkRequest(reject=pb.Reject(leases=[result.lease for result in rejects])))
            self._in_flight.acknowledge(rejects)

    async def _send_settle(self, request: pb.WorkRequest, inside: list[Result]) -> None:
        self._settle_id += 1
        request.settle.settle_id = self._settle_id
        if more := self._take_credit():
            request.settle.credit = more
        self._sent[self._settle_id] = (inside, self._in_flight.logs.sent_so_far)
        await self._send(request)

    async def _send(self, request: pb.WorkRequest) -> None:
        await self._call.write(request)

    def _take_credit(self) -> int:
        """Slots that are neither taken nor promised to the server."""
        if self._server_drains or self._in_flight.no_more:
            return 0
        more = max(0, self._slots - self._in_flight.slots_taken - self._credit)
        self._credit += more
        return more

    def _set_beat_timer(self) -> None:
        assert self.welcome is not None
        self._beat_timer = self._loop.call_later(self.welcome.heartbeat_ms / 1000, self._beat)

    def _beat(self) -> None:
        if self._clock.is_silent:
            self._give_up("The server has not answered for too long.")
            return
        self._beat_due = True
        self._in_flight.changed.set()
        self._set_beat_timer()

    def _writer_ended(self, writer: asyncio.Task[None]) -> None:
        if not writer.cancelled() and (error := writer.exception()):
            if not isinstance(error, (grpc.RpcError, asyncio.InvalidStateError)):
                _log.error("What was to be sent could not be.", exc_info=error)
            self._give_up(f"Writing failed: {error}")

    def _give_up(self, reason: str) -> None:
        self._given_up = reason
        self._call.cancel()
