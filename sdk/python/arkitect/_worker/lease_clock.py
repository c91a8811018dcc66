"""How long the leases are good for without a word from the server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

# The handlers must be stopped before the leases have passed, so this share of their time is not used.
MARGIN = 0.1
# Without an answer for this share of their time the stream is given up, which leaves time for another one.
SILENCE = 0.6


class LeaseClock:
    """Calls on_expired when no beat was acknowledged for too long. All times are those of the event loop: monotonic."""

    def __init__(self, on_expired: Callable[[], None]) -> None:
        self._on_expired = on_expired
        self._loop = asyncio.get_running_loop()
        self._seconds = 0.0
        self._renewed_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_silent(self) -> bool:
        """Whether the server has not answered for so long that another stream is the better chance."""
        return self._loop.time() - self._renewed_at > self._seconds * SILENCE

    def renew(self, sent_at: float, seconds: float | None = None) -> None:
        """A message that was sent at `sent_at` was acknowledged, after which leases are good for `seconds`."""
        self._seconds = seconds or self._seconds
        self._renewed_at = sent_at
        self.stop()
        expires_at = sent_at + self._seconds * (1 - MARGIN)
        self._timer = self._loop.call_at(expires_at, self._on_expired)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
