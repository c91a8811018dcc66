"""Text for the database."""

from __future__ import annotations


def storable(text: str, longest: int) -> str:
    """PostgreSQL's text takes neither NUL nor unpaired surrogates; a handler's message must not fail for that."""
    return text[:longest].replace("\0", "\ufffd").encode(errors="replace").decode()
