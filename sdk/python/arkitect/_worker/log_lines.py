"""Lines that handlers have logged, until it is known that the server has them."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

from .._proto import worker_service_pb2 as pb

# While the server is away, handlers may go on logging; memory must not.
MAX_LINES = 10_000

_log = logging.getLogger("arkitect")


class LogLines:
    """Lines are not acknowledged themselves: they have arrived when something is acknowledged that was sent after them.

    What has not by the time that a stream breaks is sent again, and so may come twice.
    """

    def __init__(self, on_line: Callable[[], None]) -> None:
        self._on_line = on_line
        self._waiting: deque[pb.LogLine] = deque()
        self._sent: deque[pb.LogLine] = deque(maxlen=MAX_LINES)
        self.sent_so_far = 0
        """How many were sent; grows for ever."""
        self._dropped = 0

    def __len__(self) -> int:
        """How many wait to be sent."""
        return len(self._waiting)

    def add(self, line: pb.LogLine) -> None:
        """Safe in any thread."""
        if len(self._waiting) < MAX_LINES:
            self._waiting.append(line)
        else:
            self._dropped += 1
            if self._dropped % MAX_LINES == 1:
                _log.warning("%d log lines so far were lost: they come faster than they can be sent.", self._dropped)
        self._on_line()

    def waiting(self) -> list[pb.LogLine]:
        """Those to be sent, oldest first. A copy, because threads go on adding lines."""
        return list(self._waiting.copy())

    def sent(self, count: int) -> None:
        """The oldest of those that wait are on their way."""
        self.sent_so_far += count
        for _ in range(count):
            self._sent.append(self._waiting.popleft())

    def arrived(self, sent_so_far: int) -> None:
        """What was sent while `sent_so_far` was this has arrived."""
        while len(self._sent) > self.sent_so_far - sent_so_far:
            self._sent.popleft()

    def send_again(self) -> None:
        """The stream broke."""
        self._waiting.extendleft(reversed(self._sent))
        self._sent.clear()
