from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from running import run, run_worker, status_of

from arkitect import ArkitectError, Backoff, Client, FieldProblem, NewTask, TaskChanges, TaskFailure


async def test_a_created_task_is_answered_with_all_its_fields(client):
    run_at = datetime(2040, 1, 2, 3, 4, 5, 678_000, tzinfo=timezone(timedelta(hours=2)))
    new = NewTask(
        "report",
        type="echo",
        queue="slow",
        priority="high",
        parameters={"pages": [1, 2.5, None, {"empty": {}, "none": []}], "title": "ünïcode ✓", "draft": True},
        labels={"team": "reporting"},
        max_attempts=3,
        timeout_seconds=60,
        backoff=Backoff("linear", 2, 30, 0),
        run_at=run_at,
    )
    task = await client.create(new)
    assert (task.name, task.type, task.queue, task.priority) == ("report", "echo", "slow", "high")
    assert (task.parameters, task.labels) == (new.parameters, new.labels)
    assert isinstance(task.parameters["pages"][0], int)
    assert (task.max_attempts, task.timeout_seconds, task.backoff) == (3, 60, new.backoff)
    assert (task.status, task.attempt, task.run_at, task.result, task.error) == ("scheduled", 0, run_at, None, None)
    assert task.created_at.utcoffset() == timedelta(0)
    assert await client.get(task.id) == task


async def test_a_pending_task_is_changed_replaced_executed_and_deleted(client):
    task = await client.create(NewTask("old", type="echo", parameters={"a": 1, "b": 2}, labels={"x": "1", "y": "2"}))
    changes = TaskChanges(name="new", parameters={"a": None, "c": 3}, labels={"z": "3"})
    task = await client.update(task.id, changes, version=task.version, remove_labels=["x"])
    assert (task.name, task.parameters, task.labels) == ("new", {"b": 2, "c": 3}, {"y": "2", "z": "3"})

    task = await client.replace(task.id, NewTask("third", type="echo", parameters={"d": 4}))
    assert (task.name, task.parameters, task.labels) == ("third", {"d": 4}, {})

    task = await client.execute(task.id, wait_seconds=30)
    assert (task.status, task.result, task.finished) == ("completed", {"d": 4}, True)
    await client.delete(task.id)
    with pytest.raises(ArkitectError, match="NOT_FOUND") as caught:
        await client.get(task.id)
    assert (caught.value.code, caught.value.errors) == ("NOT_FOUND", ())


async def test_a_failed_task_is_retried_and_its_attempts_are_listed(client, new_worker):
    worker = new_worker()

    @worker.handler("second-time")
    async def second_time(context, _parameters):
        if context.task.attempt == 1:
            raise TaskFailure("FIRST_TIME", "not the first time", retryable=False)
        return context.task.attempt

    async with run_worker(worker):
        task = await run(client, NewTask("retried", type="second-time", start="auto"))
        assert (task.status, task.error.code, task.error.message) == ("failed", "FIRST_TIME", "not the first time")
        await client.retry(task.id)
        task = await status_of(client, task.id, "completed")
    assert (task.status, task.result) == ("completed", 2)
    attempts = (await client.attempts(task.id)).items
    assert [(each.attempt, each.status) for each in attempts] == [(1, "failed"), (2, "completed")]
    assert attempts[0].error.code == "FIRST_TIME"
    actions = [event.action for event in (await client.events(task.id)).items]
    assert actions[0] == "task_created"
    assert actions[-1] == "task_completed"


async def test_tasks_are_listed_page_after_page(client):
    names = [f"page-{number}" for number in range(5)]
    answer = await client.create_many([NewTask(name, queue="pages", labels={"of": "pages"}) for name in names])
    assert (answer.created, answer.failed) == (5, 0)
    assert [item.task.name for item in answer.items] == names

    first = await client.list(label="of=pages", order="asc", limit=2)
    assert [task.name for task in first.items] == names[:2]
    assert first.next_cursor is not None
    found = [task.name async for task in client.list_all(label="of=pages", queue=["pages"], order="asc", limit=2)]
    assert found == names
    assert (await client.list(status=["completed", "failed"], queue="pages")).items == ()


async def test_one_bad_task_of_many_is_refused_alone_and_its_fields_are_named(client):
    answer = await client.create_many([NewTask("good"), NewTask("", priority="urgent")])
    assert (answer.created, answer.failed) == (1, 1)
    refused = answer.items[1]
    assert (refused.index, refused.task, refused.error.code) == (1, None, "VALIDATION_FAILED")
    assert {problem.field for problem in refused.error.errors} == {"name", "priority"}


async def test_an_idempotency_key_answers_the_first_task_again(client):
    first = await client.create(NewTask("once"), idempotency_key="python-once")
    again = await client.create(NewTask("once"), idempotency_key="python-once")
    assert (again.id, first.replayed, again.replayed) == (first.id, False, True)
    with pytest.raises(ArkitectError) as caught:
        await client.create(NewTask("twice"), idempotency_key="python-once")
    assert caught.value.code == "IDEMPOTENCY_KEY_REUSED"


async def test_an_error_names_the_fields_that_are_not_valid(client):
    with pytest.raises(ArkitectError) as caught:
        await client.create(NewTask("", priority="urgent", max_attempts=0))
    error = caught.value
    assert error.code == "VALIDATION_FAILED"
    assert error.status.name == "INVALID_ARGUMENT"
    fields = {problem.field.removeprefix("task."): problem for problem in error.errors}
    assert set(fields) == {"name", "priority", "max_attempts"}
    assert all(isinstance(problem, FieldProblem) and problem.message for problem in error.errors)
    assert "critical" in fields["priority"].message


async def test_a_stale_version_is_refused(client):
    task = await client.create(NewTask("versioned"))
    with pytest.raises(ArkitectError) as caught:
        await client.update(task.id, TaskChanges(name="late"), version=task.version + 1)
    assert (caught.value.code, caught.value.status.name) == ("VERSION_MISMATCH", "FAILED_PRECONDITION")


async def test_a_server_that_is_not_there_is_unavailable():
    async with Client("127.0.0.1:1") as client:
        with pytest.raises(ArkitectError) as caught:
            await client.get("01a203f4-d9ad-763d-a518-7b95654d40e8")
    assert caught.value.code == "UNAVAILABLE"


async def test_the_admin_token_may_do_everything(server):
    async with Client(server.address, token=server.token) as client:
        assert (await client.create(NewTask("by the admin"))).created_by == "root"


async def test_a_wrong_token_is_refused(server):
    async with Client(server.address, token="not-the-token-of-this-server") as client:
        with pytest.raises(ArkitectError) as caught:
            await client.list()
    assert caught.value.code == "UNAUTHENTICATED"


async def test_address_and_token_come_from_the_environment(server, monkeypatch):
    monkeypatch.setenv("ARKITECT_GRPC_URL", f"http://{server.address}")
    async with Client() as client:
        assert (await client.create(NewTask("by environment"))).name == "by environment"
    monkeypatch.setenv("ARKITECT_TOKEN", "not-the-token-of-this-server")
    async with Client() as client:
        with pytest.raises(ArkitectError, match="UNAUTHENTICATED"):
            await client.list()


async def test_a_time_needs_a_time_zone(client):
    with pytest.raises(ValueError, match="time zone"):
        await client.create(NewTask("when", run_at=datetime(2040, 1, 1)))
