"""A TCP proxy: a network between worker and server that can break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Proxy:
    """Forwards connections to `address` until it is told otherwise."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._host, self._port = host, int(port)
        self._is_open = True
        self._answers = asyncio.Event()
        self._answers.set()
        self._connections: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}
        self.address = ""

    def cut(self) -> None:
        """Breaks all connections, and those that come until `mend`."""
        self._is_open = False
        for writers in self._connections.values():
            for writer in writers:
                writer.transport.abort()

    def mend(self) -> None:
        self._is_open = True
        self._answers.set()

    def hold_answers(self) -> None:
        """What the server says does not arrive any more."""
        self._answers.clear()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Proxy]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            self.cut()
            self._answers.set()
            if self._connections:
                await asyncio.wait(self._connections)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if not self._is_open:
            writer.transport.abort()
            return
        writers = self._connections[task] = [writer]
        try:
            there, back = await asyncio.open_connection(self._host, self._port)
            writers.append(back)
            with suppress(OSError):
                await asyncio.gather(self._copy(reader, back), self._copy(there, writer, self._answers))
        finally:
            for each in writers:
                each.transport.abort()
            del self._connections[task]

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, gate: asyncio.Event | None = None) -> None:
        while data := await source.read(65_536):
            if gate is not None:
                await gate.wait()
            target.write(data)
            await target.drain()
        target.close()
