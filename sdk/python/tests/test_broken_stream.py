"""The network between worker and server breaks; both go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from proxy import Proxy
from running import PATIENCE_SECONDS, finished, run, run_worker

from arkitect import NewTask, Worker


@pytest.fixture
async def proxy(server) -> AsyncIterator[Proxy]:
    async with Proxy(server.address).listening() as one:
        yield one


async def test_an_attempt_goes_on_while_its_stream_is_broken(proxy, client):
    worker, begun, go_on = Worker("cut", address=proxy.address), asyncio.Event(), asyncio.Event()

    @worker.handler("uncut")
    async def uncut(context, _parameters):
        context.progress(10, "before")
        begun.set()
        await go_on.wait()
        context.log("info", "after")
        return context.task.attempt

    async with run_worker(worker):
        task = await client.create(NewTask("uncut", type="uncut", start="auto"))
        await asyncio.wait_for(begun.wait(), PATIENCE_SECONDS)
        proxy.cut()
        proxy.mend()
        # Another task can only run over a new stream. Handed to the old one before it was known to be broken, it runs a second time.
        go_on.set()
        assert (await run(client, NewTask("next", type="uncut", start="auto"))).result in (1, 2)
        task = await finished(client, task.id)
    assert (task.status, task.attempt, task.result, task.progress_message) == ("completed", 1, 1, "before")
    assert [line.message for line in (await client.logs(task.id)).items] == ["after"]


async def test_a_result_is_kept_until_it_can_be_sent(proxy, client):
    worker, begun, go_on, ended = Worker("kept", address=proxy.address), asyncio.Event(), asyncio.Event(), asyncio.Event()

    @worker.handler("kept")
    async def kept(context, _parameters):
        begun.set()
        await go_on.wait()
        context.progress(90, "nearly")
        ended.set()
        return "kept"

    async with run_worker(worker):
        task = await client.create(NewTask("kept", type="kept", start="auto"))
        await asyncio.wait_for(begun.wait(), PATIENCE_SECONDS)
        proxy.cut()
        go_on.set()
        await asyncio.wait_for(ended.wait(), PATIENCE_SECONDS)
        proxy.mend()
        task = await finished(client, task.id)
    assert (task.status, task.attempt, task.result) == ("completed", 1, "kept")
    # Completed is 100 %, but what it said last was sent before its result.
    assert task.progress_message == "nearly"


async def test_a_result_whose_acknowledgement_is_lost_counts_once(proxy, client):
    worker, begun, go_on, runs = Worker("unacked", address=proxy.address), asyncio.Event(), asyncio.Event(), []

    @worker.handler("unacked")
    async def unacked(context, _parameters):
        runs.append(context.task.id)
        begun.set()
        await go_on.wait()
        return len(runs)

    async with run_worker(worker):
        task = await client.create(NewTask("unacked", type="unacked", start="auto"))
        await asyncio.wait_for(begun.wait(), PATIENCE_SECONDS)
        proxy.hold_answers()
        go_on.set()
        assert (await finished(client, task.id)).result == 1
        proxy.cut()
        proxy.mend()
        another = await run(client, NewTask("another", type="unacked", start="auto"))
    assert another.result == 2
    assert runs == [task.id, another.id]
    assert [each.status for each in (await client.attempts(task.id)).items] == ["completed"]


async def test_a_stopped_worker_waits_for_its_results_to_be_acknowledged(proxy, client):
    worker, begun, go_on = Worker("last", address=proxy.address), asyncio.Event(), asyncio.Event()

    @worker.handler("last")
    async def last(_context, _parameters):
        begun.set()
        await go_on.wait()
        return "last"

    async with run_worker(worker):
        task = await client.create(NewTask("last", type="last", start="auto"))
        await asyncio.wait_for(begun.wait(), PATIENCE_SECONDS)
        proxy.cut()
        go_on.set()
        worker.stop()
        proxy.mend()
    assert (await client.get(task.id)).result == "last"
