from __future__ import annotations

import asyncio

from running import PATIENCE_SECONDS, run, run_worker

from arkitect import Client, NewTask, TaskEvent, Watch


async def until(watch: Watch, action: str) -> list[TaskEvent]:
    """The events up to the first one of this action."""
    events: list[TaskEvent] = []

    async def read() -> None:
        async for event in watch:
            events.append(event)
            if event.action == action:
                return

    await asyncio.wait_for(read(), PATIENCE_SECONDS)
    return events


async def test_a_watch_tells_what_happens_in_order(client, new_worker):
    worker = new_worker()

    @worker.handler("watched")
    async def watched(context, _parameters):
        context.log("warn", "half of it", {"n": 1})
        context.progress(50, "half of it")

    async with run_worker(worker), client.watch(type="watched") as watch:
        task = await run(client, NewTask("watched", type="watched", labels={"a": "b"}, start="auto"))
        events = await until(watch, "task_completed")
    assert {event.id for event in events} == {task.id}
    assert [event.seq for event in events] == sorted(event.seq for event in events)
    actions = [event.action for event in events]
    assert actions[0] == "task_created"
    assert {"task_started", "task_progress", "task_log"} < set(actions)
    log = events[actions.index("task_log")].log
    assert (log.level, log.message, log.data) == ("warn", "half of it", {"n": 1})
    progress = events[actions.index("task_progress")]
    assert (progress.progress, progress.progress_message, progress.labels) == (50, "half of it", {"a": "b"})
    assert events[-1].worker_id == task.worker_id
    assert watch.seq == events[-1].seq


async def test_a_watch_resumes_with_since_and_misses_nothing(client):
    async with client.watch(queue="resumed") as watch:
        first = await client.create(NewTask("first", queue="resumed"))
        assert (await anext(watch)).id == first.id
        seen = watch.seq
    second = await client.create(NewTask("second", queue="resumed"))
    async with client.watch(queue="resumed", since=seen) as watch:
        third = await client.create(NewTask("third", queue="resumed"))
        assert [(await anext(watch)).id, (await anext(watch)).id] == [second.id, third.id]


async def test_a_watch_goes_on_when_the_server_was_away(server, client):
    async with client.watch(queue="interrupted") as watch:
        before = await client.create(NewTask("before", queue="interrupted"))
        assert (await anext(watch)).id == before.id
        server.kill()
        server.start()
        # The client's connection may still be in its pause between two tries.
        async with Client(server.address) as another:
            after = await another.create(NewTask("after", queue="interrupted"))
        event = await asyncio.wait_for(anext(watch), PATIENCE_SECONDS)
        assert (event.id, event.name) == (after.id, "after")


async def test_a_closed_watch_ends_its_loop(client):
    async with client.watch(queue="closed") as watch:
        reading = asyncio.create_task(until(watch, "never"))
        await client.list(queue="closed")  # meanwhile it waits for an event
        watch.close()
        assert await asyncio.wait_for(reading, PATIENCE_SECONDS) == []
