from __future__ import annotations

import asyncio
import os
import sys
import threading

import pytest
from running import PATIENCE_SECONDS, run, run_worker, status_of

from arkitect import ArkitectError, NewTask, TaskFailure, Worker


async def test_a_handler_sees_its_task(client, new_worker):
    worker = new_worker("seer", labels={"zone": "a"})
    seen = []

    @worker.handler("seen")
    async def handle(context, parameters):
        seen.append((context.task, parameters, context.checkpoint, context.cancelled.is_set()))

    async with run_worker(worker):
        new = NewTask("look", type="seen", queue="q", priority="low", parameters={"n": 1}, labels={"a": "b"}, start="auto")
        task = await run(client, new)
    [(told, parameters, checkpoint, is_cancelled)] = seen
    assert (told.id, told.name, told.type, told.queue, told.priority) == (task.id, "look", "seen", "q", "low")
    assert (told.tenant_id, told.labels, told.attempt, told.max_attempts) == (
        task.tenant_id,
        {"a": "b"},
        1,
        task.max_attempts,
    )
    assert (told.timeout_seconds, parameters, checkpoint, is_cancelled) == (task.timeout_seconds, {"n": 1}, None, False)
    assert task.worker_id == worker.id


async def test_a_handler_gets_the_trace_that_its_task_was_created_in(client, new_worker):
    worker = new_worker()
    worker.register("traced", lambda context, _parameters: dict(context.trace))
    trace = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "tracestate": "rojo=1"}
    async with run_worker(worker):
        traced = await client.create(NewTask("traced", type="traced", start="auto"), trace=trace, wait_seconds=20)
        assert (traced.trace_id, traced.result) == ("4bf92f3577b34da6a3ce929d0e0e4736", trace)
        created = await client.create_many([NewTask("many", type="traced", start="auto")], trace={"traceparent": trace["traceparent"]})
        assert created.items[0].task.trace_id == traced.trace_id
        untraced = await client.create(NewTask("not traced", type="traced", start="auto"), wait_seconds=20)
        assert (untraced.trace_id, untraced.result) == (None, {})


async def test_connected_workers_are_listed(client, new_worker):
    worker = new_worker("listed", slots=3, queues=["one", "two"], labels={"zone": "a"})
    worker.register("listed", lambda _context, parameters: parameters)
    async with run_worker(worker):
        await run(client, NewTask("connected", type="listed", queue="one", start="auto"))
        [found] = [each for each in await client.list_workers() if each.id == worker.id]
    assert (found.name, found.state, found.door, found.slots) == ("listed", "connected", "grpc", 3)
    assert (set(found.types), set(found.queues), found.labels) == ({"listed"}, {"one", "two"}, {"zone": "a"})
    assert found.sdk.startswith("arkitect-python/")


async def test_only_tasks_of_its_queues_come(client, new_worker):
    worker = new_worker(queues="mine")
    worker.register("queued", lambda _context, _parameters: "done")
    async with run_worker(worker):
        other = await client.create(NewTask("other", type="queued", queue="not-mine", start="auto"))
        mine = await run(client, NewTask("mine", type="queued", queue="mine", start="auto"))
        assert (mine.result, (await client.get(other.id)).status) == ("done", "queued")
        await client.cancel(other.id)


async def test_as_many_as_slots_run_at_the_same_time(client, new_worker):
    worker = new_worker(slots=3)
    together, most, now = asyncio.Event(), 0, 0

    @worker.handler("crowd")
    async def crowd(_context, _parameters):
        nonlocal most, now
        now += 1
        most = max(most, now)
        if now == 3:
            together.set()
        await together.wait()
        now -= 1

    tasks = [NewTask(f"crowd {number}", type="crowd", start="auto") for number in range(30)]
    async with run_worker(worker):
        answer = await client.create_many(tasks)
        for item in answer.items:
            await status_of(client, item.task.id, "completed")
    assert most == 3


@pytest.mark.parametrize("error", [ValueError("boom"), SystemExit(3), BaseException("base"), asyncio.CancelledError()])
@pytest.mark.parametrize("kind", ["coroutine", "thread"])
async def test_whatever_a_handler_raises_fails_its_attempt_alone(error, kind, client, new_worker):
    worker = new_worker()

    def plain(_context, parameters):
        if parameters["raise"]:
            raise error
        return "fine"

    async def coroutine(context, parameters):
        return plain(context, parameters)

    worker.register("raises", coroutine if kind == "coroutine" else plain)
    async with run_worker(worker):
        bad = await run(client, NewTask("bad", type="raises", parameters={"raise": True}, start="auto"))
        good = await run(client, NewTask("good", type="raises", parameters={"raise": False}, start="auto"))
    assert (bad.status, bad.error.code, bad.error.retryable) == ("failed", "HANDLER_ERROR", True)
    assert good.result == "fine"


async def test_a_message_of_an_error_is_kept(client, new_worker):
    worker = new_worker()

    @worker.handler("complains")
    async def complain(_context, _parameters):
        raise ValueError("nul \0 and \ud800 " + "x" * 5_000)

    async with run_worker(worker):
        task = await run(client, NewTask("complaint", type="complains", start="auto"))
    assert task.error.message.startswith("ValueError: nul \ufffd and ? xxx")
    assert len(task.error.message) == 4_000


async def test_a_failure_may_name_its_wait(client, new_worker):
    worker = new_worker()

    @worker.handler("later")
    async def later(_context, _parameters):
        raise TaskFailure("BUSY", "come again", retry_after_seconds=3_600)

    async with run_worker(worker):
        task = await client.create(NewTask("patient", type="later", max_attempts=2, start="auto"))
        task = await status_of(client, task.id, "scheduled")
    assert 3_500 < (task.run_at - task.updated_at).total_seconds() < 3_700
    assert (task.error.code, task.error.message) == ("BUSY", "come again")


@pytest.mark.parametrize("code", ["not upper", "", "A" * 101, "9A"])
def test_a_failure_needs_a_good_code(code):
    with pytest.raises(ValueError, match="UPPER_SNAKE_CASE"):
        TaskFailure(code, "no")


@pytest.mark.parametrize("kind", ["coroutine", "stubborn", "thread"])
async def test_an_attempt_that_takes_too_long_fails_as_timeout(kind, client, new_worker):
    worker, reasons = new_worker(), []

    async def coroutine(context, _parameters):
        try:
            await asyncio.Event().wait()
        finally:
            reasons.append(context.cancelled.reason)

    async def stubborn(context, _parameters):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            reasons.append(context.cancelled.reason)
        return "nevertheless"

    def thread(context, _parameters):
        assert context.cancelled.wait_in_thread(PATIENCE_SECONDS)
        reasons.append(context.cancelled.reason)

    worker.register("slow", {"coroutine": coroutine, "stubborn": stubborn, "thread": thread}[kind])
    async with run_worker(worker):
        task = await run(client, NewTask("slow", type="slow", timeout_seconds=1, start="auto"))
    assert (task.status, task.error.code, task.error.retryable) == ("failed", "TIMEOUT", True)
    assert task.error.message == "The attempt took longer than 1 seconds."
    assert reasons == ["timeout"]


@pytest.mark.parametrize(
    ("result", "problem"),
    [
        ({"when": object()}, "The handler's result.when is of the type object, which is not JSON."),
        ("x" * 4 * 1024 * 1024, "The handler's result is too large; at most 1 MiB of JSON is accepted."),
    ],
    ids=["not JSON", "too large"],
)
async def test_a_result_that_cannot_be_stored_fails_its_attempt(result, problem, client, new_worker):
    worker = new_worker()
    worker.register("unstorable", lambda _context, _parameters: result)
    async with run_worker(worker):
        task = await run(client, NewTask("unstorable", type="unstorable", start="auto", max_attempts=3))
    assert (task.status, task.attempt, task.error.code) == ("failed", 1, "RESULT_NOT_STORABLE")
    assert (task.error.message, task.error.retryable) == (problem, False)


async def test_the_deepest_json_goes_both_ways(client, new_worker):
    worker, deepest = new_worker(), {}
    for _ in range(31):
        deepest = {"in": deepest}

    @worker.handler("deep")
    async def deep(context, parameters):
        context.save_checkpoint(parameters)
        context.log("info", "deep", parameters)
        if context.task.attempt == 1:
            raise TaskFailure("AGAIN", "again", retry_after_seconds=0)
        return context.checkpoint

    async with run_worker(worker):
        task = await run(client, NewTask("deep", type="deep", parameters=deepest, max_attempts=2, start="auto"))
    assert (task.parameters, task.result) == (deepest, deepest)
    assert [found.result for found in (await client.list(type="deep")).items] == [deepest]
    assert [line.data for line in (await client.logs(task.id)).items] == [deepest, deepest]
    answer = await client.create_many([NewTask("deep", type="deep", parameters=deepest)])
    assert answer.items[0].task.parameters == deepest


async def test_many_large_results_arrive(client, new_worker):
    worker, gate = new_worker(slots=8), asyncio.Barrier(8) if sys.version_info >= (3, 11) else None
    text = "x" * 1_000_000

    @worker.handler("large")
    async def large(_context, _parameters):
        if gate is not None:
            await gate.wait()
        return text

    async with run_worker(worker):
        answer = await client.create_many([NewTask(f"large {number}", type="large", start="auto") for number in range(8)])
        for item in answer.items:
            assert (await status_of(client, item.task.id, "completed")).result == text


async def test_lines_and_progress_of_a_thread_are_kept(client, new_worker):
    worker, threads = new_worker(), set()

    @worker.handler("chatty")
    def chatty(context, _parameters):
        threads.add(threading.get_ident())
        for number in range(2_500):
            context.log("debug", f"line {number}", {"n": number})
        context.progress(120, "m" * 2_000)
        context.log("error", "bad data", {"bad": object()})
        context.log("error", "large data", {"large": "x" * 70_000})

    async with run_worker(worker):
        task = await run(client, NewTask("chatty", type="chatty", start="auto"))
    assert threads.isdisjoint({threading.get_ident()})
    assert (task.progress, len(task.progress_message)) == (100, 1_000)
    lines, cursor = [], None
    while True:
        page = await client.logs(task.id, limit=200, cursor=cursor)
        lines += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert [(line.message, line.data) for line in lines[:2_500]] == [(f"line {n}", {"n": n}) for n in range(2_500)]
    assert [line.data["refused"].split(";")[0] for line in lines[2_500:]] == [
        "data.bad is of the type object, which is not JSON",
        "data is 70012 bytes of JSON",
    ]


async def test_a_checkpoint_that_is_too_large_is_refused(client, new_worker):
    worker = new_worker()

    @worker.handler("hoarder")
    async def hoard(context, _parameters):
        with pytest.raises(ValueError, match="checkpoint is 70012 bytes of JSON; at most 65536 are accepted"):
            context.save_checkpoint({"large": "x" * 70_000})
        return "refused"

    async with run_worker(worker):
        assert (await run(client, NewTask("hoarder", type="hoarder", start="auto"))).result == "refused"


async def test_a_worker_that_the_server_refuses_says_why(server):
    nameless = Worker("no spaces please", address=server.address)
    nameless.register("any", lambda _context, _parameters: None)
    with pytest.raises(ArkitectError) as caught:
        await nameless.run()
    assert caught.value.code == "VALIDATION_FAILED"
    assert "name" in {problem.field.rpartition(".")[2] for problem in caught.value.errors}

    intruder = Worker("intruder", address=server.address, token="not-the-token-of-this-server")
    intruder.register("any", lambda _context, _parameters: None)
    with pytest.raises(ArkitectError, match="UNAUTHENTICATED"):
        await intruder.run()


async def test_a_worker_without_handlers_does_not_run(new_worker):
    with pytest.raises(ValueError, match="no handler"):
        await new_worker().run()
    worker = new_worker()
    worker.register("twice", os.getpid)
    with pytest.raises(ValueError, match="handler for twice already"):
        worker.register("twice", os.getpid)
