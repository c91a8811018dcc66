from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from server import Server, new_directory

from arkitect import Client, Worker


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One for all tests of this process."""
    with new_directory() as directory:
        one = Server(directory)
        try:
            one.start()
            yield one
        finally:
            one.stop()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    async with Client(server.address) as one:
        yield one


@pytest.fixture
def new_worker(server: Server) -> Callable[..., Worker]:
    """Makes a worker, of the options of Worker; it does not run yet."""

    def make(name: str = "test", **options: Any) -> Worker:
        return Worker(name, address=server.address, **options)

    return make
