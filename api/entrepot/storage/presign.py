"""Links to objects of an S3 store that work without a key for a minute: AWS Signature Version 4 in the query.

obstore signs links too, but none that say with which headers the store shall answer, and files of strangers need those.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"


class Presigner:
    """Signs links below one address with one key."""

    def __init__(self, address: str, *, region: str, key: str, secret: str, token: str = "") -> None:
        self._address = address
        self._host = urlsplit(address).netloc
        self._path = urlsplit(address).path
        self._region = region
        self._key = key
        self._token = token
        # the key of a day signs all its links; the class holds the secret nowhere else, and shows it in no repr
        self._day_key = lru_cache(maxsize=2)(lambda day: _derived(secret, day, region))

    def link(self, name: str, headers: Mapping[str, str], *, seconds: int, at: float | None = None) -> str:
        """A URL to GET the object; `headers` are the store's `response-…` parameters, which override what it would say of the object."""
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
        scope = f"{moment[:8]}/{self._region}/s3/aws4_request"
        parameters = {
            **headers,
            "X-Amz-Algorithm": ALGORITHM,
            "X-Amz-Credential": f"{self._key}/{scope}",
            "X-Amz-Date": moment,
            "X-Amz-Expires": str(seconds),
            "X-Amz-SignedHeaders": "host",
        }
        if self._token:
            parameters["X-Amz-Security-Token"] = self._token
        query = "&".join(f"{name}={value}" for name, value in sorted((_encoded(name), _encoded(value)) for name, value in parameters.items()))
        request = f"GET\n{self._path}{quote(name)}\n{query}\nhost:{self._host}\n\nhost\nUNSIGNED-PAYLOAD"
        text = f"{ALGORITHM}\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        signature = _mac(self._day_key(moment[:8]), text).hex()
        return f"{self._address}{quote(name)}?{query}&X-Amz-Signature={signature}"


def _encoded(text: str) -> str:
    return quote(text, safe="")


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


def _derived(secret: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = _mac(key, part)
    return key
