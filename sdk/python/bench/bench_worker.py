"""Runs tasks of the type noop as fast as it can, and prints how many a second until it is stopped.

    python bench/bench_worker.py --slots 100

The server is the one of ARKITECT_GRPC_URL.
"""

from __future__ import annotations

import argparse
import asyncio

from arkitect import Context, JsonObject, Worker


async def main(slots: int) -> None:
    worker = Worker("bench-python", slots=slots)
    finished = 0

    @worker.handler("noop")
    async def noop(_context: Context, parameters: JsonObject) -> JsonObject:
        nonlocal finished
        finished += 1
        return parameters

    running = asyncio.create_task(worker.run())
    loop = asyncio.get_running_loop()
    while not running.done():
        begun, before = loop.time(), finished
        await asyncio.wait([running], timeout=1)
        print(f"{(finished - before) / (loop.time() - begun):.0f} tasks/s", flush=True)
    await running


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Runs noop tasks and prints how many a second.")
    parser.add_argument("--slots", type=int, default=100, help="tasks at the same time, 1 to 10,000 (100)")
    asyncio.run(main(parser.parse_args().slots))
