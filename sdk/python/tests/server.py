"""The real server, as a process of its own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
NODE = REPOSITORY / "node_modules" / ".bin" / "node"
MAIN = REPOSITORY / "dist" / "main.js"
LEASE_SECONDS = 4


@contextmanager
def new_directory() -> Iterator[Path]:
    """One that others may enter, too: root starts the database as somebody else."""
    directory = Path(tempfile.mkdtemp(prefix="arkitect-python-"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


class Server:
    """Runs in `directory`, on ports that it picks at its first start and keeps."""

    def __init__(self, directory: Path, **settings: str) -> None:
        self._directory = directory
        self._settings = {"LOG_LEVEL": "warn", "ENGINE_LEASE_SECONDS": str(LEASE_SECONDS), **settings}
        self._ports = {"PORT": "0", "GRPC_PORT": "0"}
        self._process: subprocess.Popen[str] | None = None
        self.address = ""

    def start(self) -> None:
        """Returns when the server is ready."""
        keep = ("PATH", "HOME", "USER", "LANG", "TMPDIR")
        environment = {name: os.environ[name] for name in keep if name in os.environ}
        self._process = subprocess.Popen(
            [NODE, MAIN], cwd=self._directory, env=environment | self._settings | self._ports, stdout=subprocess.PIPE, text=True
        )
        output: list[str] = []
        assert self._process.stdout is not None
        for line in self._process.stdout:
            output.append(line)
            if found := re.search(r"REST and Socket\.IO +http://127\.0\.0\.1:(\d+)", line):
                self._ports["PORT"] = found[1]
            if found := re.search(r"gRPC +127\.0\.0\.1:(\d+)", line):
                self._ports["GRPC_PORT"] = found[1]
                self.address = f"127.0.0.1:{found[1]}"
            if "0" not in self._ports.values() and line.strip() == "":
                break
        else:
            raise RuntimeError(f"The server ended with {self._process.wait()}: {''.join(output)}")
        # What the server warns of belongs to the output of the test.
        self._reader = threading.Thread(target=lambda log: sys.stderr.writelines(log), args=[self._process.stdout])
        self._reader.start()

    @property
    def token(self) -> str:
        """The one that may do everything."""
        return (self._directory / "data" / "admin-token").read_text().strip()

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """As a crash would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(60)
            self._reader.join()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None
