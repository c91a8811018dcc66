"""Pauses between tries to connect."""

from __future__ import annotations

import random

SHORTEST_SECONDS = 0.2
LONGEST_SECONDS = 10.0


class Pauses:
    """Doubling, with jitter: many clients of a server that comes back must not all come at once."""

    def __init__(self) -> None:
        self._ceiling = SHORTEST_SECONDS

    def next(self) -> float:
        """Seconds to wait before the next try, 0.2 to 10."""
        self._ceiling = min(LONGEST_SECONDS, self._ceiling * 2)
        return random.uniform(SHORTEST_SECONDS, self._ceiling)

    def reset(self) -> None:
        """A connection was of use: the next pause is short again."""
        self._ceiling = SHORTEST_SECONDS
