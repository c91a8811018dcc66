from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from running import run, run_worker
from server import Server, new_directory

from arkitect import ArkitectError, Client, NewTask, Tls, Worker


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates of an authority of our own."""
    directory: Path = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(directory / "ca.pem"))
    for name, certificate in (("server", authority.issue_cert("127.0.0.1")), ("client", authority.issue_cert("client"))):
        certificate.cert_chain_pems[0].write_to_path(str(directory / f"{name}.pem"))
        certificate.private_key_pem.write_to_path(str(directory / f"{name}.key"))
    return directory


@pytest.fixture(scope="module")
def tls_server(files: Path) -> Iterator[Server]:
    with new_directory() as directory:
        one = Server(
            directory,
            GRPC_TLS_CERT_FILE=str(files / "server.pem"),
            GRPC_TLS_KEY_FILE=str(files / "server.key"),
            GRPC_TLS_CLIENT_CA_FILE=str(files / "ca.pem"),
            AUTH_ANONYMOUS_ROLE="none",
        )
        try:
            one.start()
            yield one
        finally:
            one.stop()


async def test_client_and_worker_prove_who_they_are(tls_server, files):
    tls = Tls(ca_file=files / "ca.pem", certificate_file=files / "client.pem", key_file=files / "client.key")
    worker = Worker("secret", address=tls_server.address, tls=tls, token=tls_server.token)
    worker.register("secret", lambda _context, _parameters: "kept")
    async with run_worker(worker), Client(tls_server.address, tls=tls, token=tls_server.token) as client:
        assert (await run(client, NewTask("secret", type="secret", start="auto"))).result == "kept"
    async with Client(tls_server.address, tls=tls) as client:
        with pytest.raises(ArkitectError, match="UNAUTHENTICATED"):
            await client.list()


async def test_a_client_without_certificate_is_not_let_in(tls_server, files):
    async with Client(f"https://{tls_server.address}", tls=Tls(ca_file=files / "ca.pem"), token=tls_server.token) as client:
        with pytest.raises(ArkitectError, match="UNAVAILABLE"):
            await client.list()


async def test_a_server_of_an_unknown_authority_is_not_trusted(tls_server):
    async with Client(f"https://{tls_server.address}", token=tls_server.token) as client:
        with pytest.raises(ArkitectError, match="UNAVAILABLE"):
            await client.list()
