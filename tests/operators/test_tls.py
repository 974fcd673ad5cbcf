"""TLS: the server speaks it with the files that it is given, and takes up new ones without a restart."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import trustme
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, load_pem_private_key
from entrepot_process import COMMAND, Running, eventually, process_environment

if TYPE_CHECKING:
    from .conftest import Serve


class Certificates:
    """A CA, and the files that it makes."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.certificate, self.key = folder / "chain.pem", folder / "key.pem"
        self.trust = ssl.create_default_context()
        self.authority.configure_trust(self.trust)
        self.renew("localhost", "127.0.0.1")

    def renew(self, *names: str) -> None:
        """Put a new certificate where the old one was."""
        made = self.authority.issue_cert(*names)
        self.certificate.write_bytes(b"".join(one.bytes() for one in made.cert_chain_pems))
        self.key.write_bytes(made.private_key_pem.bytes())

    @property
    def settings(self) -> dict[str, Path]:
        """What tells a server of them."""
        return {"tls_certificate": self.certificate, "tls_key": self.key}

    def names(self, server: Running) -> set[str]:
        """Whom the certificate that the server shows is for."""
        with (
            socket.create_connection(("127.0.0.1", server.port), timeout=20) as plain,
            self.trust.wrap_socket(plain, server_hostname="localhost") as connection,
        ):
            shown = connection.getpeercert()
        assert shown is not None
        return {str(entry[1]) for entry in shown["subjectAltName"] if entry[0] == "DNS"}


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_server_speaks_tls_and_says_so(serve: Serve, certificates: Certificates, workers: int) -> None:
    server = serve(**certificates.settings, workers=workers)
    assert server.url.startswith("https://")
    assert httpx.get(f"{server.url}/healthz", verify=certificates.trust).json() == {"alive": True}
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{server.port}/healthz")
    with pytest.raises(httpx.ConnectError, match="certificate"):
        httpx.get(f"{server.url}/healthz")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_signal_makes_it_show_the_new_certificate_and_a_broken_one_changes_nothing(
    serve: Serve, certificates: Certificates, log: Path, workers: int
) -> None:
    server = serve(**certificates.settings, workers=workers)
    certificates.key.write_text("no key")
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: log.read_text().count("goes on with the certificate that it has") == workers)
    assert "renewed.localhost" not in certificates.names(server)
    certificates.renew("localhost", "renewed.localhost")
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: log.read_text().count("certificate was read again") == workers)
    assert all("renewed.localhost" in certificates.names(server) for _ in range(8))


def refusal(tmp_path: Path, **settings: object) -> str:
    """The sentence with which a server does not start."""
    environment = {**process_environment(), **{f"ENTREPOT_{name.upper()}": str(value) for name, value in settings.items()}}
    command = [*COMMAND, "serve", "--port", "0", "--data", str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False, timeout=60, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert not (tmp_path / "data").exists()
    return done.stderr


def test_one_file_without_the_other_is_one_sentence(tmp_path: Path, certificates: Certificates) -> None:
    for name in ("tls_certificate", "tls_key"):
        assert "give both files, or neither" in refusal(tmp_path, **{name: certificates.settings[name]})


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path, certificates: Certificates) -> None:
    certificates.key.unlink()
    assert f"{certificates.key} of the setting tls_key cannot be read: No such file" in refusal(tmp_path, **certificates.settings)


def test_a_key_of_another_certificate_is_one_sentence(tmp_path: Path, certificates: Certificates) -> None:
    certificates.key.write_bytes(certificates.authority.issue_cert("other").private_key_pem.bytes())
    assert "the key is not that of the certificate" in refusal(tmp_path, **certificates.settings)


def test_what_is_no_certificate_is_one_sentence(tmp_path: Path, certificates: Certificates) -> None:
    certificates.certificate.write_text("nothing")
    assert "Both must be in PEM format" in refusal(tmp_path, **certificates.settings)


def test_a_key_with_a_passphrase_is_one_sentence_and_nobody_is_asked_for_it(tmp_path: Path, certificates: Certificates) -> None:
    plain = certificates.key.read_bytes()
    encrypted = load_pem_private_key(plain, None).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"passphrase"))
    certificates.key.write_bytes(encrypted)
    assert "has a passphrase" in refusal(tmp_path, **certificates.settings)
