"""Python packages as they lie in folders: what mirrors, `dumb-pypi`, twine and download tools put beside them, and what their pages say."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from html.parser import HTMLParser
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

import orjson
from entrepot.plugin import Inspection, InvalidPackage, Listed, ValidationError

endings = (".whl", ".tar.gz", ".zip", ".egg", ".tar.bz2", ".tgz", ".exe", ".msi", ".rpm")
"""Also what Python packages once were: somebody who has such files shall hear that they are not taken."""

max_page = 256 << 20
_sidecar = ".metadata"
_companion = re.compile(
    r"index\.(html|json|v1_html|v1_json)|.*\.(whl|tar\.gz|zip|egg)\.(metadata|provenance|asc|sig|md5|sha256|sigstore|sigstore\.json|json)"
    r"|.*\.(publish|slsa)\.attestation|simple\.html|packages\.json|requirements.*\.txt|PKG-INFO",
    re.IGNORECASE,
)
_digests = ("sha256", "md5")
_yanked_for = "yanked"


def is_companion(basename: str) -> bool:
    """Whether this is a page of an index, a sidecar or a signature."""
    return _companion.fullmatch(basename) is not None


def read_companion(file: BinaryIO, basename: str) -> Mapping[str, Listed]:
    """What a page (PEP 503 or 691) says of the files it links to, or a `.metadata` sidecar of its file. Raises ValidationError."""
    if basename.endswith(_sidecar):
        body = _read(file)
        return {basename.removesuffix(_sidecar): Listed(record={"sidecar": hashlib.sha256(body).hexdigest()})}
    if basename in ("index.html", "index.v1_html"):
        page = _Page()
        page.feed(_read(file).decode("utf-8", "replace"))
        page.close()
        return page.listed
    if basename in ("index.json", "index.v1_json"):
        return dict(_listed(_read(file)))
    return {}


def check_place(inspection: Inspection, listed: Listed | None) -> Sequence[str]:
    """Any folder will do. A sidecar beside a file, or the digest of one in its page, is the file's own metadata."""
    if listed is not None and inspection.extras:
        found = hashlib.sha256(inspection.extras[0].body).hexdigest()
        for who, said in listed.record.items():
            if said != found:
                what = "The .metadata file beside it" if who == "sidecar" else "What its index page says of its metadata"
                raise InvalidPackage(f"{what} does not fit: the metadata in the file has the sha256 {found}, not {str(said)[:80]}.")
    return ()


def _read(file: BinaryIO) -> bytes:
    body = file.read(max_page + 1)
    if len(body) > max_page:
        raise ValidationError(f"It is larger than {max_page >> 20} MiB.")
    return body


class _Page(HTMLParser):
    """The links of a simple page."""

    def __init__(self) -> None:
        super().__init__()
        self.listed: dict[str, Listed] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        path = _path(given.get("href", "")) if tag == "a" else None
        if path is None:
            return
        algorithm, _, digest = urlsplit(given["href"]).fragment.partition("=")
        core = given.get("data-core-metadata", given.get("data-dist-info-metadata", ""))
        self.listed[path] = Listed(
            digests={algorithm: digest.lower()} if algorithm in _digests and digest else {},
            record={"page": core.removeprefix("sha256=")} if core.startswith("sha256=") else {},
            state={_yanked_for: given["data-yanked"] or True} if "data-yanked" in given else {},
        )


def _listed(body: bytes) -> Iterator[tuple[str, Listed]]:
    """The files of a JSON page."""
    try:
        page = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ValidationError(f"It is not valid JSON ({error}).") from error
    files: Any = page.get("files") if isinstance(page, dict) else None
    for file in files if isinstance(files, list) else ():
        path = _path(str(file.get("url", ""))) if isinstance(file, dict) else None
        if path is None:
            continue
        core = file.get("core-metadata", file.get("dist-info-metadata"))
        hashes = file.get("hashes")
        yield (
            path,
            Listed(
                digests={name: str(hashes[name]).lower() for name in _digests if name in hashes} if isinstance(hashes, dict) else {},
                record={"page": str(core["sha256"])} if isinstance(core, dict) and "sha256" in core else {},
                state={_yanked_for: str(file["yanked"]) if isinstance(file["yanked"], str) and file["yanked"] else True}
                if file.get("yanked") not in (None, False)
                else {},
            ),
        )


def _path(url: str) -> str | None:
    """The path of a relative link; None: it leads elsewhere."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return None if parts.scheme or parts.netloc or not parts.path or parts.path.startswith("/") else unquote(parts.path)
