"""The server goes away and comes back, in all the ways it can."""

from __future__ import annotations

import asyncio
import signal

from running import PATIENCE_SECONDS, finished, run, run_worker, status_of
from server import LEASE_SECONDS

from arkitect import Client, NewTask


async def test_work_goes_on_after_the_server_was_killed(server, client, new_worker):
    worker, begun, go_on = new_worker(), asyncio.Event(), asyncio.Event()

    @worker.handler("survives")
    async def survives(_context, _parameters):
        begun.set()
        await go_on.wait()
        return "finished"

    async with run_worker(worker):
        task = await client.create(NewTask("survives", type="survives", start="auto"))
        await asyncio.wait_for(begun.wait(), PATIENCE_SECONDS)
        id = worker.id
        server.kill()
        # The handler ends while nobody listens: its result is kept and sent afterwards, or the task runs again.
        go_on.set()
        server.start()
        async with Client(server.address) as another:
            task = await finished(another, task.id)
            assert (task.status, task.result, task.worker_id) == ("completed", "finished", id)
            # The same worker, by the same name.
            assert [each.id for each in await another.list_workers() if each.state == "connected"] == [id]
            assert (await run(another, NewTask("next", type="survives", start="auto"))).worker_id == id


async def test_a_disconnected_worker_comes_back(client, new_worker):
    worker, stopped = new_worker(), asyncio.Event()
    begun: asyncio.Queue[int] = asyncio.Queue()

    @worker.handler("disconnected")
    async def disconnected(context, _parameters):
        begun.put_nowait(context.task.attempt)
        if context.task.attempt == 1:
            try:
                await asyncio.Event().wait()
            finally:
                assert context.cancelled.reason == "lease_lost"
                stopped.set()
        return context.task.attempt

    async with run_worker(worker):
        task = await client.create(NewTask("disconnected", type="disconnected", start="auto"))
        assert await asyncio.wait_for(begun.get(), PATIENCE_SECONDS) == 1
        await client.disconnect_worker(worker.id)
        await asyncio.wait_for(stopped.wait(), PATIENCE_SECONDS)
        assert (await status_of(client, task.id, "completed")).result == 2


async def test_handlers_stop_before_their_leases_have_passed(server, client, new_worker):
    worker, begun = new_worker(), asyncio.Event()
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[tuple[str, float]] = loop.create_future()

    @worker.handler("safe")
    async def safe(context, _parameters):
        if context.task.attempt > 1:
            return "again"
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set_result((context.cancelled.reason, loop.time()))

    async with run_worker(worker):
        task = await client.create(NewTask("safe", type="safe", start="auto"))
        await asyncio.wait_for(begun.wait(), PATIENCE_SECONDS)
        # It keeps its sockets open and says nothing, as a server that hangs.
        silent_since = loop.time()
        server.signal(signal.SIGSTOP)
        try:
            reason, at = await asyncio.wait_for(stopped, PATIENCE_SECONDS)
        finally:
            server.signal(signal.SIGCONT)
        assert reason == "lease_lost"
        assert at - silent_since < LEASE_SECONDS
        assert (await status_of(client, task.id, "completed")).result == "again"
