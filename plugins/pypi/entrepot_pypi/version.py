"""Versions: PEP 440."""

from __future__ import annotations

from entrepot.plugin import ValidationError
from packaging.utils import canonicalize_version
from packaging.version import InvalidVersion, Version

_longest = 200
_pre_ranks = {"a": 1, "b": 2, "rc": 3}


def parsed(version: str) -> Version:
    """The version, understood. Raises ValidationError for what is none."""
    try:
        if len(version) <= _longest:
            return Version(version)
    except InvalidVersion:
        pass
    raise ValidationError(
        f"{version[:80]!r} is not a valid version: see PEP 440, for example 1.0, 1.0rc1 or 1.0.post1 (at most {_longest} characters)."
    )


def canonical(version: str) -> str:
    """The one spelling of a version: 1.0 and 1.0.0 are the same release."""
    return canonicalize_version(parsed(version))


def is_same(version: str, other: Version) -> bool:
    """Whether a spelling means this version. What is no version means none."""
    try:
        return parsed(version) == other
    except ValidationError:
        return False


def key(version: str) -> bytes:
    """Bytes that compare as the versions do, and none the beginning of another's: what follows a key never disturbs the order."""
    v = parsed(version)
    return b"".join((_number(v.epoch), _release(v), _suffixes(v), _local(v)))


def _number(value: int) -> bytes:
    """A natural number: the count of its bytes, plus one, then the bytes. 200 digits fit in 84 bytes."""
    body = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return bytes((len(body) + 1,)) + body


def _release(v: Version) -> bytes:
    release = list(v.release)
    while release and release[-1] == 0:
        release.pop()
    return b"".join(map(_number, release)) + b"\0"


def _suffixes(v: Version) -> bytes:
    """1.0.dev1 < 1.0a1.dev1 < 1.0a1 < 1.0b1 < 1.0rc1 < 1.0 < 1.0.post1.dev1 < 1.0.post1"""
    is_dev_only = v.pre is None and v.post is None and v.dev is not None
    pre = bytes((_pre_ranks[v.pre[0]],)) + _number(v.pre[1]) if v.pre is not None else (b"\0" if is_dev_only else b"\4")
    post = b"\0" if v.post is None else b"\1" + _number(v.post)
    dev = b"\1" if v.dev is None else b"\0" + _number(v.dev)
    return pre + post + dev


def _local(v: Version) -> bytes:
    """Words before numbers, fewer segments before more, no local version before any."""
    if v.local is None:
        return b"\0"
    segments = (b"\2" + _number(int(part)) if part.isdigit() else b"\1" + part.encode() + b"\0" for part in v.local.split("."))
    return b"\1" + b"".join(segments) + b"\0"
