"""Where the server is, and how to reach it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import grpc

DEFAULT_ADDRESS = "127.0.0.1:50051"

_OPTIONS = [
    # The server bounds what it sends, and by more than the 4 MiB that gRPC would accept: an answer may hold many tasks.
    ("grpc.max_receive_message_length", -1),
    # Finds out that the other side is gone without a word, as when a cable is cut: 30 s and 10 s.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    # By default gRPC waits up to 2 minutes before it tries an address again.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 10_000),
    # A channel of our own: the waits of one must not hold up another that was opened later.
    ("grpc.use_local_subchannel_pool", 1),
]


@dataclass(frozen=True, slots=True)
class Tls:
    """Encrypts the connection. All files are PEM."""

    ca_file: str | os.PathLike[str] | None = None
    """Who may have signed the server's certificate. Default: the authorities that gRPC knows."""
    certificate_file: str | os.PathLike[str] | None = None
    """The client's own certificate, with `key_file`, for a server that asks for one. Default: none."""
    key_file: str | os.PathLike[str] | None = None
    """The key of `certificate_file`. Default: none."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server, and who calls it."""

    address: str
    token: str | None
    tls: Tls | None

    @staticmethod
    def of(address: str | None, token: str | None, tls: Tls | None) -> Endpoint:
        """Takes from ARKITECT_GRPC_URL and ARKITECT_TOKEN what is not given."""
        where = address or os.environ.get("ARKITECT_GRPC_URL") or DEFAULT_ADDRESS
        scheme, found, rest = where.partition("://")
        if found:
            if scheme not in ("http", "https", "grpc", "grpcs"):
                raise ValueError(f"The address must be host:port, http://host:port or https://host:port; it is {where}")
            where = rest.rstrip("/")
            if scheme in ("https", "grpcs"):
                tls = tls or Tls()
        return Endpoint(where, token or os.environ.get("ARKITECT_TOKEN") or None, tls)

    def open(self) -> grpc.aio.Channel:
        """A new channel. It connects with the first call."""
        if self.tls is None:
            return grpc.aio.insecure_channel(self.address, options=_OPTIONS)
        return grpc.aio.secure_channel(self.address, _credentials(self.tls), options=_OPTIONS)

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()


def _credentials(tls: Tls) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(
        root_certificates=_read(tls.ca_file),
        private_key=_read(tls.key_file),
        certificate_chain=_read(tls.certificate_file),
    )


def _read(path: str | os.PathLike[str] | None) -> bytes | None:
    return None if path is None else Path(path).read_bytes()
