"""What an object store's failures mean, in sentences. What it or its client says is never passed on as it is: there may be keys in it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from entrepot.errors import SettingsError, Unavailable
from entrepot.outages import storage_unavailable

log = logging.getLogger(__name__)

STATUS = re.compile(r"status code: (\d{3})")
CODE = re.compile(r"<Code>(\w{1,64})</Code>")
QUERY = re.compile(r"\?[^\s,)\"']*")
REFUSALS = {"400", "401", "403"}
SHORTEST_SECRET = 4
MOST = 400


class Failures:
    """Turns the errors of one store into ours."""

    def __init__(self, url: str, secrets: Iterable[str]) -> None:
        self._url = url
        self._secrets = sorted({one for one in secrets if len(one) >= SHORTEST_SECRET}, key=len, reverse=True)

    def __repr__(self) -> str:
        return f"Failures({self._url!r})"

    def text(self, error: BaseException) -> str:
        """An error's own text in one line, without secrets and without the queries of URLs, for operators."""
        text = QUERY.sub("?…", " ".join(str(error).partition("Debug source")[0].split()))
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text[:MOST]

    @contextmanager
    def told(self) -> Iterator[None]:
        """Whatever the store refuses or fails at becomes Unavailable; that an object is missing (FileNotFoundError) does not."""
        try:
            yield
        except (BaseError, TimeoutError) as error:
            raise self.unavailable(error) from None

    def unavailable(self, error: BaseException) -> Unavailable:
        """What to tell a client, after the operator was told in the log."""
        reason = reason_of(error)
        log.warning("The object store %s failed: %s. %s", self._url, reason, self.text(error))
        return storage_unavailable(
            f"The object store that holds the files cannot be used just now ({reason}). Nothing was changed; try again in a moment."
        )

    def at_start(self, error: BaseException) -> SettingsError | Unavailable:
        """What to tell an operator whose server is about to start: wrong settings stay wrong, everything else may pass."""
        status, code = status_of(error), code_of(error)
        if code == "NoSuchBucket" or (status == "404" and not code):
            return SettingsError(f"There is no bucket of {self._url}. Create it, or correct the setting storage_url.")
        if status == "301" or "incorrectly configured region" in str(error):
            return SettingsError(f"The bucket of {self._url} lies in another region. Correct `region` in storage_options, or AWS_REGION.")
        if status in REFUSALS or isinstance(error, PermissionDeniedError | UnauthenticatedError):
            return SettingsError(
                f"The object store refuses to list {self._url} with the credentials that it was given ({code or status or 'denied'}). "
                "Check the keys in storage_options, or the AWS_… variables, and what they may do: list, read, write and delete."
            )
        return self.unavailable(error)


def status_of(error: BaseException) -> str:
    """The HTTP status that the store answered with, or nothing."""
    found = STATUS.search(str(error))
    return found.group(1) if found else ""


def code_of(error: BaseException) -> str:
    """S3's own name for what is wrong, or nothing."""
    found = CODE.search(str(error))
    return found.group(1) if found else ""


def reason_of(error: BaseException) -> str:
    """Why, in a few words that hold nothing of the request."""
    status = status_of(error)
    if status:
        return f"it answers {status} {code_of(error)}".rstrip()
    if isinstance(error, TimeoutError) or "TimedOut" in str(error):
        return "it does not answer in time"
    return "it cannot be reached"
