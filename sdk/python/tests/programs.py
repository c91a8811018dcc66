"""Programs of their own that the tests run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SDK = Path(__file__).resolve().parents[1]


@contextmanager
def program(path: str, address: str) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a file of the SDK with this Python and this server; kills it if it is still there at the end."""
    environment = os.environ | {"ARKITECT_GRPC_URL": address}
    process = subprocess.Popen([sys.executable, SDK / path], env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
