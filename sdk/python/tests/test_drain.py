from __future__ import annotations

import asyncio

import pytest
from running import PATIENCE_SECONDS, run_worker, status_of

from arkitect import NewTask


async def test_a_stopped_worker_finishes_what_it_runs_and_takes_no_more(client, new_worker):
    worker, begun, go_on = new_worker(slots=1), asyncio.Event(), asyncio.Event()

    @worker.handler("finishes")
    async def finishes(_context, _parameters):
        begun.set()
        await go_on.wait()
        return "finished"

    async with run_worker(worker):
        first = await client.create(NewTask("first", type="finishes", start="auto"))
        await asyncio.wait_for(begun.wait(), PATIENCE_SECONDS)
        second = await client.create(NewTask("second", type="finishes", start="auto"))
        worker.stop()
        go_on.set()
    first, second = await client.get(first.id), await client.get(second.id)
    assert (first.status, first.result) == ("completed", "finished")
    assert (second.status, second.attempt) == ("queued", 0)
    await client.cancel(second.id)


@pytest.mark.parametrize("kind", ["coroutine", "thread that does not look"])
async def test_what_does_not_finish_in_time_goes_back_to_its_queue(kind, client, new_worker):
    worker, begun, release, reasons = new_worker(drain_seconds=0.1), asyncio.Event(), asyncio.Event(), []
    loop = asyncio.get_running_loop()

    async def coroutine(context, _parameters):
        context.save_checkpoint({"page": 3})
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            reasons.append(context.cancelled.reason)

    def thread(context, _parameters):
        context.save_checkpoint({"page": 3})
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result()

    type = f"drained-{kind.split()[0]}"
    worker.register(type, coroutine if kind == "coroutine" else thread)
    async with run_worker(worker):
        task = await client.create(NewTask("drained", type=type, start="auto"))
        await asyncio.wait_for(begun.wait(), PATIENCE_SECONDS)
    release.set()
    # It did not have to wait until the lease had run out.
    assert (await client.get(task.id)).status == "queued"
    assert [each.status for each in (await client.attempts(task.id)).items] == ["released"]
    assert reasons == (["drain"] if kind == "coroutine" else [])

    # Another worker goes on from where the first one was, and the hand-back was not an attempt of the task's.
    other = new_worker("other")
    other.register(type, lambda context, _parameters: context.checkpoint)
    async with run_worker(other):
        task = await status_of(client, task.id, "completed")
    assert (task.result, task.attempt, task.max_attempts, task.worker_id) == ({"page": 3}, 2, 1, other.id)


async def test_a_worker_that_is_told_twice_does_not_wait(client, new_worker):
    worker, begun = new_worker(), asyncio.Event()

    @worker.handler("hurried")
    async def hurried(_context, _parameters):
        begun.set()
        await asyncio.Event().wait()

    async with run_worker(worker):
        task = await client.create(NewTask("hurried", type="hurried", start="auto"))
        await asyncio.wait_for(begun.wait(), PATIENCE_SECONDS)
        worker.stop()
        worker.stop()
    assert (await client.get(task.id)).status == "queued"
    await client.cancel(task.id)


async def test_a_worker_that_the_server_drains_finishes_and_connects_again(client, new_worker):
    worker, begun, go_on = new_worker(), asyncio.Event(), asyncio.Event()

    @worker.handler("moved")
    async def moved(_context, _parameters):
        begun.set()
        await go_on.wait()
        return "finished"

    async with run_worker(worker):
        task = await client.create(NewTask("moved", type="moved", start="auto"))
        await asyncio.wait_for(begun.wait(), PATIENCE_SECONDS)
        await client.drain_worker(worker.id)
        go_on.set()
        assert (await status_of(client, task.id, "completed")).result == "finished"
        another = await client.create(NewTask("another", type="moved", start="auto"))
        assert (await status_of(client, another.id, "completed")).worker_id == worker.id
