"""What a handler has reported and the server does not know yet."""

from __future__ import annotations

from google.protobuf.struct_pb2 import Struct

from .._proto import worker_service_pb2 as pb


class Report:
    """The latest progress and checkpoint of an attempt. Written in the handler's thread, read in the event loop."""

    __slots__ = ("_checkpoint", "_is_closed", "_lease", "_progress", "changed")

    def __init__(self, lease: pb.Lease) -> None:
        self._lease = lease
        self._progress: tuple[float, str | None] | None = None
        self._checkpoint: Struct | None = None
        self._is_closed = False
        self.changed = False
        """Whether there is something that was not sent yet."""

    def close(self) -> None:
        """The attempt is over: what a handler that goes on reports is of no use."""
        self._is_closed = True

    def set_progress(self, percent: float, message: str | None) -> None:
        if self._is_closed:
            return
        self._progress = (percent, message)
        self.changed = True

    def set_checkpoint(self, checkpoint: Struct) -> None:
        if self._is_closed:
            return
        self._checkpoint = checkpoint
        self.changed = True

    def send_again(self) -> None:
        """The stream broke: what it took may not have arrived."""
        self.changed = self._progress is not None or self._checkpoint is not None

    def fill(self, message: pb.LeaseReport, *, with_news: bool) -> None:
        """For a beat: the lease, and what has changed if it is to be with news."""
        message.lease.CopyFrom(self._lease)
        if not (with_news and self.changed):
            return
        # Before the values are read: what another thread writes in between is sent once more, rather than never.
        self.changed = False
        if self._progress is not None:
            message.progress, text = self._progress
            if text is not None:
                message.progress_message = text
        if self._checkpoint is not None:
            message.checkpoint.CopyFrom(self._checkpoint)
