"""The scenarios that every SDK runs: sdk/conformance."""

from __future__ import annotations

import json
from typing import Any

import pytest
from running import finished, run_worker, status_of
from server import REPOSITORY

from arkitect import Backoff, Context, NewTask, TaskFailure

SCENARIOS = json.loads((REPOSITORY / "sdk" / "conformance" / "scenarios.json").read_text())


async def conformance(context: Context, parameters: dict[str, Any]) -> Any:
    for line in parameters.get("log", ()):
        context.log(line["level"], line["message"], line.get("data"))
    for report in parameters.get("progress", ()):
        context.progress(report["percent"], report["message"])
    if "checkpoint" in parameters:
        context.save_checkpoint(parameters["checkpoint"])
    if context.task.attempt < parameters.get("fail_until_attempt", 0):
        raise TaskFailure("NOT_YET", "not yet")
    if parameters.get("wait_for_cancel"):
        await context.cancelled.wait()
    if failure := parameters.get("fail"):
        raise TaskFailure(failure["code"], failure["message"], retryable=failure["retryable"])
    if parameters.get("return_checkpoint"):
        return {"checkpoint": context.checkpoint}
    return parameters.get("return")


def conformance_in_thread(context: Context, parameters: dict[str, Any]) -> Any:
    """The same as a plain function."""
    if parameters.get("wait_for_cancel"):
        context.cancelled.wait_in_thread()
        raise RuntimeError("cancelled")
    handling = conformance(context, parameters)
    try:
        handling.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("It waits only to be cancelled.")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["name"])
@pytest.mark.parametrize("handler", [conformance, conformance_in_thread], ids=["coroutine", "thread"])
async def test_conformance(scenario, handler, client, new_worker):
    worker = new_worker()
    worker.register("conformance", handler)
    fields = {**scenario["task"]}
    if "backoff" in fields:
        fields["backoff"] = Backoff(**fields["backoff"])
    async with run_worker(worker):
        task = await client.create(NewTask(scenario["name"], type="conformance", start="auto", **fields))
        if scenario.get("cancel_when_running"):
            await status_of(client, task.id, "running")
            await client.cancel(task.id)
        task = await finished(client, task.id)

    found = {
        "status": task.status,
        "result": task.result,
        "error_code": task.error and task.error.code,
        "error_retryable": task.error and task.error.retryable,
        "attempt": task.attempt,
        "progress": task.progress,
        "progress_message": task.progress_message,
        "logs": [line.message for line in (await client.logs(task.id)).items],
    }
    assert found == {**found, **scenario["expect"]}
    # Whole numbers are int again, and others are not.
    assert json.dumps(found["result"], sort_keys=True) == json.dumps(scenario["expect"].get("result", found["result"]), sort_keys=True)
