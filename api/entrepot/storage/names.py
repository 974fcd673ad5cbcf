"""What a blob is called in every storage."""

from __future__ import annotations

import re

ROOT = "sha256"
DIGEST = re.compile(r"[0-9a-f]{64}")


def name_of(sha256: str) -> str:
    """`sha256/ab/cd/<hex>`. Raises ValueError for what is no digest: it might lead elsewhere."""
    if not DIGEST.fullmatch(sha256):
        raise ValueError("a blob's name is the hexadecimal sha256 of its bytes")
    return f"{ROOT}/{sha256[:2]}/{sha256[2:4]}/{sha256}"
