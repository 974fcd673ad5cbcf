"""Blobs in an object store, under the same names as in a folder: `sha256/ab/cd/<hex>` below the prefix of `storage_url`.

Uploads are spooled on this machine first. A store that is away answers Unavailable within seconds; nothing is remembered of that, so the first
request after it has come back is served.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import re
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import quote

import obstore
from obstore.exceptions import BaseError

from entrepot.errors import NotFound, SettingsError, Unavailable
from entrepot.storage.failures import code_of, status_of
from entrepot.storage.names import ROOT, name_of
from entrepot.storage.spool import Spool, SpoolFolder, unavailable

if TYPE_CHECKING:
    from obstore import Attributes

    from entrepot.storage.connect import Place

OBJECT = re.compile(rf"{ROOT}/([0-9a-f]{{2}})/([0-9a-f]{{2}})/(\1\2[0-9a-f]{{60}})")
WHOLE = 1 << 20
"""Up to this size a blob is one quick request."""
PART = 5 << 20
PARTS_AT_ONCE = 3
MOST_PARTS = 10_000
PIECE = 256 << 10
"""What is read of a blob at once, at least, while it is streamed."""
FIRST_BYTES = 6.0
STALL = 15.0
LINK_SECONDS = 60
THREADS = 32
ATTRIBUTES: Attributes = {"Content-Type": "application/octet-stream", "Content-Disposition": "attachment"}
"""What the store says of every blob, whoever asks it: never a page."""
MISSING = "The server does not have the bytes of this file."


class ObjectStorage:
    """Storage in an object store."""

    def __init__(self, place: Place, spool_folder: Path) -> None:
        self._place = place
        self._spools = SpoolFolder(spool_folder)
        self.spool_folder = spool_folder
        self.threads = ThreadPoolExecutor(THREADS, "storage")
        """Its own: a store that does not answer must not keep the threads that render and inspect waiting."""

    def __repr__(self) -> str:
        return f"ObjectStorage({self._place.url!r})"

    def probe(self) -> None:
        """See Storage. Lists: of a bucket or a key that is wrong, the answers to nothing else tell."""
        try:
            obstore.list_with_delimiter(self._place.quick, f"{ROOT}/probe")
        except (BaseError, FileNotFoundError) as error:
            raise self._place.failures.at_start(error) from None

    def check_links(self) -> None:
        """Raises SettingsError where links cannot be signed with the credentials at hand."""
        if self._place.signer is None:
            try:
                obstore.sign(self._place.quick, "GET", "x", timedelta(seconds=LINK_SECONDS))
            except BaseError as error:
                raise SettingsError(
                    f"Links to {self._place.url} cannot be signed ({self._place.failures.text(error)}). "
                    "Give the keys in storage_options, or set downloads to stream."
                ) from None

    def spool(self) -> Spool:
        """See Storage."""
        return self._spools.new()

    def put(self, spool: Spool) -> None:
        """See Storage."""
        try:
            name, size = name_of(spool.sha256), spool.size
            try:
                file = spool.open()
            except OSError as error:
                raise unavailable(error) from error
            with file, self._place.failures.told():
                if size <= WHOLE:
                    obstore.put(self._place.quick, name, file.read(), attributes=ATTRIBUTES, use_multipart=False)
                else:
                    self._put_parts(name, size, file)
        finally:
            spool.discard()

    def _put_parts(self, name: str, size: int, file: BinaryIO) -> None:
        with suppress(FileNotFoundError):
            obstore.head(self._place.quick, name)  # a store that is away says so now, not after a minute
        part = max(PART, -(-size // MOST_PARTS))
        obstore.put(self._place.bulk, name, file, attributes=ATTRIBUTES, chunk_size=part, max_concurrency=PARTS_AT_ONCE)

    def put_bytes(self, sha256: str, body: bytes) -> None:
        """See Storage."""
        name = name_of(sha256)
        if hashlib.sha256(body).hexdigest() != sha256:
            raise ValueError(f"these bytes are not {sha256}")
        with self._place.failures.told():
            store = self._place.quick if len(body) <= WHOLE else self._place.bulk
            obstore.put(store, name, body, attributes=ATTRIBUTES, use_multipart=False)

    def path(self, sha256: str) -> Path | None:
        """See Storage: in no file."""
        name_of(sha256)
        return None

    def where(self, sha256: str) -> str:
        """See Storage."""
        return f"{self._place.url.rstrip('/')}/{name_of(sha256)}"

    def open(self, sha256: str) -> BinaryIO:
        """See Storage. Each read is a request."""
        size = self.size(sha256)
        if size is None:
            raise NotFound(MISSING)
        return cast(BinaryIO, io.BufferedReader(_Reader(self, sha256, size), WHOLE))

    def read(self, sha256: str, start: int, stop: int) -> bytes:
        """Some of a blob's bytes; fewer where it ends. Raises NotFound, Unavailable."""
        try:
            with self._place.failures.told():
                return bytes(obstore.get_range(self._place.quick, name_of(sha256), start=start, end=stop))
        except FileNotFoundError as error:
            raise self._missing(error) from None

    def size(self, sha256: str) -> int | None:
        """See Storage."""
        try:
            with self._place.failures.told():
                return obstore.head(self._place.quick, name_of(sha256))["size"]
        except FileNotFoundError:
            return None

    def delete(self, sha256: str) -> None:
        """See Storage."""
        with suppress(FileNotFoundError), self._place.failures.told():
            obstore.delete(self._place.quick, name_of(sha256))

    def blobs(self) -> Iterator[tuple[str, int]]:
        """See Storage. A page of the listing is in memory at a time."""
        with self._place.failures.told():
            for page in obstore.list(self._place.quick, ROOT, chunk_size=1000):
                for found in page:
                    name = OBJECT.fullmatch(found["path"])
                    if name:
                        yield name.group(3), found["size"]

    def sweep(self, older_than: float) -> int:
        """See Storage. Parts of large uploads that died stay in the store: this client cannot list them, a rule of the bucket's removes them."""
        return self._spools.sweep(older_than)

    async def chunks(self, sha256: str, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """See Storage. A transfer that breaks off, or that a slow reader has held up for too long for the store, goes on where it stopped."""
        name = name_of(sha256)
        while start < stop:
            begun_at = start
            try:
                async with asyncio.timeout(FIRST_BYTES):
                    found = await obstore.get_async(self._place.bulk, name, options={"range": (start, stop)})
                stream = found.stream(min_chunk_size=PIECE)
                while True:
                    async with asyncio.timeout(STALL):
                        chunk = bytes(await anext(stream))
                    start += len(chunk)
                    yield chunk
            except StopAsyncIteration:
                return
            except FileNotFoundError as error:
                raise self._missing(error) from None
            except (BaseError, TimeoutError) as error:
                if status_of(error) == "416":  # it is shorter than it should be
                    return
                if start == begun_at:
                    raise self._place.failures.unavailable(error) from None

    def _missing(self, error: FileNotFoundError) -> NotFound | Unavailable:
        """The object is not there, or nothing is."""
        return self._place.failures.unavailable(error) if code_of(error) == "NoSuchBucket" else NotFound(MISSING)

    async def link(self, sha256: str, *, basename: str, media_type: str, cache_control: str) -> str:
        """See Link."""
        name, signer = name_of(sha256), self._place.signer
        if signer is not None:
            headers = {
                "response-content-type": media_type,
                "response-content-disposition": f"attachment; filename*=UTF-8''{quote(basename)}",
                "response-cache-control": cache_control,
            }
            return signer.link(name, headers, seconds=LINK_SECONDS)
        with self._place.failures.told():
            async with asyncio.timeout(FIRST_BYTES):  # the machine's own role may have to be asked for
                return await obstore.sign_async(self._place.quick, "GET", name, timedelta(seconds=LINK_SECONDS))


class _Reader(io.RawIOBase):
    """A blob as a file that can be read and sought in."""

    def __init__(self, storage: ObjectStorage, sha256: str, size: int) -> None:
        self._storage = storage
        self._sha256 = sha256
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if at < 0:
            raise ValueError("a position before the start of a file")
        self._at = at
        return at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # always called with one
        stop = min(self._at + len(buffer), self._size)
        if self._at >= stop:
            return 0
        body = self._storage.read(self._sha256, self._at, stop)
        buffer[: len(body)] = body
        self._at += len(body)
        return len(body)
