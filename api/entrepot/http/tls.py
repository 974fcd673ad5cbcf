"""The server's certificate: can it be used, and read anew while the server runs."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from entrepot.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from entrepot.settings import Settings


def check_tls(settings: Settings) -> None:
    """Raises SettingsError where the certificate or its key cannot be used."""
    load_certificate(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), settings)


def load_certificate(context: ssl.SSLContext, settings: Settings) -> None:
    """Let a context use the certificate of the settings, if there is one. Raises SettingsError."""
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None or key is None:
        return
    _check_readable("tls_certificate", certificate)
    _check_readable("tls_key", key)
    try:
        context.load_cert_chain(certificate, key, password=_no_passphrase)
    except ssl.SSLError as error:
        reason = {"KEY_VALUES_MISMATCH": "the key is not that of the certificate"}.get(error.reason or "", "one of them is not what it should be")
        raise SettingsError(f"The certificate {certificate} and the key {key} cannot be used: {reason}. Both must be in PEM format.") from error


def _check_readable(name: str, path: Path) -> None:
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise SettingsError(f"The file {path} of the setting {name} cannot be read: {error.strerror}.") from error


def _no_passphrase() -> bytes:
    """A server starts without anybody there to type."""
    raise SettingsError("The key of the setting tls_key has a passphrase. Give one without: `openssl pkey -in key.pem -out plain.pem`.")
