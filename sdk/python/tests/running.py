"""Running workers, and waiting for what becomes of tasks."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

from arkitect import Client, ConnectedWorker, NewTask, Task, Worker

PATIENCE_SECONDS = 30


@asynccontextmanager
async def run_worker(worker: Worker) -> AsyncIterator[Worker]:
    """Runs it inside the `async with`, where it is connected, and drains it at the end."""
    task = asyncio.create_task(worker.run(handle_signals=False))
    connected = asyncio.create_task(worker.connected())
    try:
        await asyncio.wait([task, connected], timeout=PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        assert worker.id or task.done(), f"It is not connected after {PATIENCE_SECONDS} s."
        yield worker
    finally:
        connected.cancel()
        worker.stop()
        await task


async def listed(client: Client, name: str) -> ConnectedWorker:
    """A worker that runs as a program of its own, as soon as it is connected."""
    async with asyncio.timeout(PATIENCE_SECONDS) if sys.version_info >= (3, 11) else nullcontext():
        while True:
            for worker in await client.list_workers():
                if worker.name == name and worker.state == "connected":
                    return worker
            await asyncio.sleep(0.05)


async def status_of(client: Client, id: str, *wanted: str) -> Task:
    """The task, as soon as it has one of these states."""
    async with client.watch(id=id) as watch:
        # Whatever it became before the watch began is here, and what comes after is in the watch.
        task = await client.get(id)
        if task.status in wanted:
            return task

        async def seen() -> None:
            async for event in watch:
                if event.status in wanted:
                    return

        await asyncio.wait_for(seen(), PATIENCE_SECONDS)
    return await client.get(id)


async def finished(client: Client, id: str) -> Task:
    return await status_of(client, id, "completed", "failed", "cancelled")


async def run(client: Client, task: NewTask) -> Task:
    """Creates a task that begins at once, and waits for its end."""
    created = await client.create(task, wait_seconds=PATIENCE_SECONDS)
    assert created.finished, f"It is {created.status} after {PATIENCE_SECONDS} s."
    return created
