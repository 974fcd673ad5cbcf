"""From the settings `storage_url` and `storage_options` to an object store: `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from entrepot.errors import SettingsError
from entrepot.storage.failures import Failures
from entrepot.storage.presign import Presigner

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

Store = S3Store | GCSStore | AzureStore

STORES: Mapping[str, type[Store]] = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}
CLIENT_OPTIONS = ("allow_http", "allow_invalid_certificates", "proxy_url", "root_certificate", "user_agent")
"""Options of the connection; all others are the store's."""
ENDPOINTS = ("endpoint", "endpoint_url", "endpoint_url_s3")
SHAPE = "give it as s3://bucket/prefix, gs://bucket/prefix or az://container/prefix"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
PREFIX = re.compile(r"(?!\.\.?(?:/|$))[A-Za-z0-9._=-]+(?:/(?!\.\.?(?:/|$))[A-Za-z0-9._=-]+)*")

QUICK = timedelta(seconds=5)
"""How long a request may take that moves few bytes: after so long the store counts as away."""
LONG = timedelta(seconds=60)
"""How long a part of a large file may take."""
CONNECT = timedelta(seconds=3)
BACKOFF = {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=1), "base": 2}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the blobs are, and the ways to reach it."""

    url: str
    quick: Store
    """For requests that move few bytes."""
    bulk: Store
    """For large files."""
    signer: Presigner | None
    """Signs links with the headers of their answer; None where the store's keys are not in the settings or the environment."""
    failures: Failures


def connect(url: str, options: Mapping[str, str]) -> Place:
    """Make the store that the settings name, without a word to it. Raises SettingsError."""
    scheme, bucket, prefix = parse(url)
    given = {name.lower(): value for name, value in options.items()}
    failures = Failures(url, secrets=[value for name, value in (*given.items(), *os.environ.items()) if _is_secret(name)])
    client: dict[str, Any] = {name: given.pop(name) for name in CLIENT_OPTIONS if name in given}
    if scheme == "s3":
        given.setdefault("disable_bulk_delete", "true")  # one blob is deleted at a time, and not every S3 server knows the other way
    if _check_endpoint(scheme, given).startswith("http:"):
        client.setdefault("allow_http", True)
    for name in ("allow_http", "allow_invalid_certificates"):
        if isinstance(client.get(name), str):
            client[name] = client[name].lower() in ("1", "true", "yes", "on")

    def store(timeout: timedelta, retries: int) -> Store:
        # what the dictionaries hold is as the settings give it; obstore refuses what it does not know
        how: ClientConfig = {**client, "timeout": timeout, "connect_timeout": CONNECT}  # type: ignore[typeddict-item]
        again: RetryConfig = {"max_retries": retries, "retry_timeout": timeout, "backoff": BACKOFF}  # type: ignore[typeddict-item]
        return STORES[scheme](bucket, prefix=prefix or None, config=given, client_options=how, retry_config=again)  # type: ignore[arg-type]

    try:
        quick, bulk = store(QUICK, 2), store(LONG, 3)
        return Place(url, quick, bulk, _signer(quick, given) if isinstance(quick, S3Store) else None, failures)
    except (BaseError, ValueError) as error:
        raise SettingsError(f"The object store of the setting storage_url cannot be used: {failures.text(error)}") from None


def parse(url: str) -> tuple[str, str, str]:
    """The scheme, the bucket and the prefix. Raises SettingsError, without the URL where there may be a password in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise SettingsError(f"The setting storage_url is not a URL: {SHAPE}.") from None
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise SettingsError(f"The setting storage_url may hold no keys, no query and no fragment: {SHAPE}, and the keys in storage_options.")
    prefix = parts.path.strip("/")
    if parts.scheme not in STORES or not NAME.fullmatch(parts.netloc) or (prefix and not PREFIX.fullmatch(prefix)):
        raise SettingsError(
            f"The setting storage_url is {url[:200]!r}, which names no object store: {SHAPE}, in plain letters, digits, '.', '_', '-'."
        )
    return parts.scheme, parts.netloc, prefix


def _check_endpoint(scheme: str, options: Mapping[str, str]) -> str:
    """The endpoint that is in force, or nothing. Raises SettingsError where it is no URL: the store's own code would not survive that."""
    endpoint = next((options[name] for name in (*ENDPOINTS, *(f"aws_{name}" for name in ENDPOINTS)) if options.get(name)), "")
    if not endpoint and scheme == "s3":
        endpoint = next((os.environ[f"AWS_{name.upper()}"] for name in ENDPOINTS if os.environ.get(f"AWS_{name.upper()}")), "")
    try:
        parts = urlsplit(endpoint)
        wrong = bool(endpoint) and (parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None or parts.port == 0)
    except ValueError:
        wrong = True
    if wrong or not endpoint.isascii() or not endpoint.isprintable() or " " in endpoint:
        raise SettingsError("The endpoint of the object store (storage_options, or AWS_ENDPOINT_URL) is no URL like https://s3.example.org.")
    return endpoint


def _signer(store: S3Store, options: Mapping[str, str]) -> Presigner | None:
    """A signer with the keys of the settings or the environment; a machine's own role signs by the store's own means."""

    def known(*names: str) -> str:
        found = [options.get(name) or options.get(f"aws_{name}") or os.environ.get(f"AWS_{name.upper()}") for name in names]
        return next((value for value in found if value), "")

    key, secret = known("access_key_id"), known("secret_access_key")
    if not key or not secret:
        return None
    address = obstore.sign(store, "GET", "x", timedelta(minutes=1)).partition("?")[0]  # the store knows how its URLs are made
    region = known("region", "default_region") or "us-east-1"
    return Presigner(address.removesuffix("x"), region=region, key=key, secret=secret, token=known("session_token", "token"))


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in ("secret", "token", "key", "sas", "password", "credential", "service_account"))
