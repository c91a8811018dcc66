"""Messages of a size that the server accepts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from google.protobuf.message import Message

from .._proto import worker_service_pb2 as pb
from .in_flight import Result

M = TypeVar("M", bound=Message)

# Far below what the server accepts, so that those after a large message need not wait for long.
MAX_BYTES = 2 * 1024 * 1024
MAX_LOG_LINES = 1_000
MAX_RESULTS = 1_000


def batches(messages: Iterable[M], most: int) -> Iterator[list[M]]:
    """In order; each at most `most` messages, and MAX_BYTES unless a single one is larger."""
    batch: list[M] = []
    size = 0
    for message in messages:
        bytes_more = message.ByteSize()
        if batch and (len(batch) == most or size + bytes_more > MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += bytes_more
    if batch:
        yield batch


def settles(results: Iterable[Result]) -> Iterator[tuple[pb.WorkRequest, list[Result]]]:
    """Settles of completed and failed attempts, each with the results in it."""
    request, inside, size = pb.WorkRequest(), list[Result](), 0
    for result in results:
        bytes_more = result.outcome.ByteSize()
        if inside and (len(inside) == MAX_RESULTS or size + bytes_more > MAX_BYTES):
            yield request, inside
            request, inside, size = pb.WorkRequest(), [], 0
        if isinstance(result.outcome, pb.Complete):
            request.settle.complete.append(result.outcome)
        elif isinstance(result.outcome, pb.Fail):
            request.settle.fail.append(result.outcome)
        inside.append(result)
        size += bytes_more
    if inside:
        yield request, inside
