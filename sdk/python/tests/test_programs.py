from __future__ import annotations

import signal

from programs import SDK, program
from running import PATIENCE_SECONDS, listed, run, run_worker, status_of

from arkitect import NewTask

EXAMPLE = "examples/first_worker.py"


async def test_the_first_worker_greets_and_ends_when_it_is_told(server, client):
    with program(EXAMPLE, server.address) as process:
        await listed(client, "first-worker")
        task = await run(client, NewTask("first", type="greet", parameters={"name": "Ada"}, start="auto"))
        assert (task.status, task.result) == ("completed", {"greeting": "Hello, Ada"})
        assert [line.message for line in (await client.logs(task.id)).items] == ["greeting"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0


def test_the_readme_shows_the_first_worker_as_it_is():
    text = (SDK / EXAMPLE).read_text()
    assert len(text.splitlines()) < 25
    assert f"```python\n{text}```\n" in (SDK / "README.md").read_text()


async def test_the_task_of_a_killed_worker_runs_elsewhere(server, client, new_worker):
    other = new_worker("other")
    other.register("rescued", lambda context, _parameters: context.task.attempt)
    with program("tests/killed_worker.py", server.address) as process:
        await listed(client, "killed")
        task = await client.create(NewTask("rescued", type="rescued", start="auto"))
        task = await status_of(client, task.id, "running")
        assert task.worker_id.startswith("killed")
        async with run_worker(other):
            process.kill()
            task = await status_of(client, task.id, "completed")
    assert (task.worker_id, task.result) == (other.id, 2)
    attempts = (await client.attempts(task.id)).items
    assert [(each.attempt, each.status) for each in attempts] == [(1, "lost"), (2, "completed")]
