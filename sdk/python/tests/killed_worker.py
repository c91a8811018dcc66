"""A worker that is never done: test_programs.py kills it."""

import asyncio

from arkitect import Context, JsonObject, Worker

worker = Worker("killed")


@worker.handler("rescued")
async def rescued(context: Context, _parameters: JsonObject) -> None:
    context.log("info", "begun")
    await asyncio.Event().wait()


if __name__ == "__main__":
    worker.main()
