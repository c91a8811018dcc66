"""Generates arkitect/_proto from the contract in proto/arkitect/v1.

python generate.py           writes the files
python generate.py --check   fails when the files that are there are not what would be written
"""

from __future__ import annotations

import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

SDK = Path(__file__).resolve().parent
CONTRACT = SDK.parent.parent / "proto" / "arkitect" / "v1"
PACKAGE = Path("arkitect", "_proto")
SERVICES = ("task_service.proto", "worker_service.proto")


def generate(root: Path) -> None:
    """Writes the modules to arkitect/_proto below `root`."""
    # The contract's folder is mapped onto the package's, so that the modules import each other from where they are.
    arguments = [
        "protoc",
        f"-I{PACKAGE.as_posix()}={CONTRACT}",
        f"-I{files('grpc_tools') / '_proto'}",
        f"--python_out={root}",
        f"--pyi_out={root}",
        f"--grpc_python_out={root}",
        *((PACKAGE / service).as_posix() for service in SERVICES),
    ]
    if protoc.main(arguments) != 0:
        sys.exit("protoc could not read the contract; its messages are above.")


def stale(fresh: Path, kept: Path) -> list[str]:
    """Names of generated files that are missing, left over or different."""
    names = {path.name for folder in (fresh, kept) for path in folder.glob("*_pb2*.py*")}
    return sorted(name for name in names if _text(fresh / name) != _text(kept / name))


def _text(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def main() -> None:
    if sys.argv[1:] != ["--check"]:
        generate(SDK)
        return
    with tempfile.TemporaryDirectory() as directory:
        generate(Path(directory))
        names = stale(Path(directory) / PACKAGE, SDK / PACKAGE)
    if names:
        sys.exit(f"Not what the contract says: {', '.join(names)}. Run: python generate.py")


if __name__ == "__main__":
    main()
