"""Calling handlers, whatever they are."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

from .._json import Json, JsonObject
from ..context import Context

Handler: TypeAlias = Callable[[Context, JsonObject], Any]


def is_coroutine_function(handler: Handler) -> bool:
    """Also of an object whose __call__ is one."""
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(getattr(handler, "__call__", None))  # noqa: B004


async def call(handler: Handler, context: Context) -> Json:
    """Awaits a coroutine function; runs any other function in a thread of its own."""
    try:
        if is_coroutine_function(handler):
            return await handler(context, context.task.parameters)
        return await _call_in_thread(handler, context)
    except SystemExit as error:
        # asyncio would end the loop, and with it the worker.
        raise RuntimeError(f"The handler called sys.exit({error.code!r}).") from error


async def _call_in_thread(handler: Handler, context: Context) -> Json:
    loop = asyncio.get_running_loop()
    result: asyncio.Future[Json] = loop.create_future()
    variables = contextvars.copy_context()

    def settle(value: Json, error: BaseException | None) -> None:
        if result.cancelled():
            return
        if error is None:
            result.set_result(value)
        else:
            result.set_exception(error)

    def run() -> None:
        value: Json = None
        error: BaseException | None = None
        try:
            value = variables.run(handler, context, context.task.parameters)
        except StopIteration as stop:
            # A future refuses it.
            error = RuntimeError("The handler raised StopIteration.")
            error.__cause__ = stop
        except BaseException as raised:
            error = raised
        try:
            loop.call_soon_threadsafe(settle, value, error)
        except RuntimeError:
            # The loop is closed: the worker has ended, and nobody waits for this any more.
            return

    # Not from a pool: its threads would keep a process from ending whose handler does not.
    threading.Thread(target=run, name=f"arkitect-{context.task.type}", daemon=True).start()
    return await result
