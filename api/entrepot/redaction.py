"""Secrets do not reach the log: what looks like one by its place or its form is replaced before a line is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

HIDDEN = "***"
_places = re.compile(
    r"""
    (?P<path> /t/ | %2Ft%2F )                              (?P<a> (?: (?!%2F) [^/\s"'?&] )+ )
  | (?P<staged> /upload/-/ )                          (?P<b> [^/\s"'?]+ )
  | (?P<scheme> \b (?:bearer|basic) \s+ | \btoken \s+ (?=ent-) ) (?P<c> [^\s"',;]+ )
  | (?P<cookie> \b (?:set-)?cookie ["']? \s* [:=,]+ \s* b?["']? )  (?P<h> [^"'\r\n]+ )
  | (?P<session> entrepot_session ["']? \s* [:=,]+ \s* b?["']? )  (?P<i> [^\s"',;]+ )
  | (?P<header> \b (?:authorization|proxy-authorization|x-api-key) ["']? \s* [:=,]+ \s* b?["']? (?: (?:bearer|basic|token)\s+ )? )
                                                           (?P<d> [^\s"',;]+ )
  | (?P<user> \b [a-z][a-z0-9+.-]{0,30} :// [^/\s:@"']* : )     (?P<e> [^\s"'/]+ (?= @ ) )
  | (?P<query> [?&;] (?:x-amz-(?:signature|credential|security-token) | x-goog-(?:signature|credential) | awsaccesskeyid | signature | sig | token
        | access_token | api_key | password) = )           (?P<f> [^&\s"';]+ )
  | (?P<password> password ["']? \s* [:=] \s* b? )         (?P<j> "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | [^\s"',;)}&]+ )
  | \b (?P<g> ent-[A-Za-z0-9]{8,} )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_hints = re.compile(
    r"/t/|%2ft|/upload/|bearer|basic|authorization|api[-_]key|cookie|_session|token|@|sig|x-amz|x-goog|awsaccess|password|ent-", re.IGNORECASE
)
"""Whether it is worth while to look closely."""
KEPT = ("path", "staged", "scheme", "cookie", "session", "header", "user", "query", "password")
"""What says that the next is a secret, and is shown."""
_known: list[str] = []
SHORTEST = 4
"""A known secret shorter than this is not looked for: it would blank out every other word."""
_sounds_secret = re.compile(r"secret|password|passphrase|token|credential|key$", re.IGNORECASE)


def redacted(text: str) -> str:
    """The text without secrets."""
    for secret in _known:
        if secret in text:
            text = text.replace(secret, HIDDEN)
    return _places.sub(_hide, text) if _hints.search(text) else text


def _hide(match: re.Match[str]) -> str:
    kept = next((match[name] for name in KEPT if match[name]), "")
    return kept + HIDDEN


def hide(*secrets: str | None) -> None:
    """Never show these, wherever they stand: a password of the settings, say."""
    for secret in secrets:
        if secret and len(secret) >= SHORTEST:
            _known.extend(form for form in {secret, repr(secret)[1:-1], quote(secret, safe="")} if form not in _known)
    _known.sort(key=len, reverse=True)


def hide_password(url: str) -> None:
    """Never show the password of a URL of the settings, as it is written there and as it is meant."""
    try:
        password = urlsplit(url).password
    except ValueError:
        return
    if password:
        hide(password, unquote(password))


def hide_named(values: Mapping[str, Any]) -> None:
    """Never show the values whose names sound like a secret's: of the environment, of the plugins' settings."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            hide_named(value)
        elif isinstance(value, str) and len(value) >= 8 and _sounds_secret.search(name) and "/" not in value[:1]:
            hide(value)
