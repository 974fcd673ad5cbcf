"""What PyPI asks of files beyond what makes them whole. Most of it every namespace asks of new files.

The strictness `public` alone insists on what a house of its own leaves open (local versions, platforms, its own classifiers), and on what good files
of today do otherwise; docs/clients/pypi-files.md has the reasons.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from email.utils import getaddresses
from urllib.parse import urlsplit

from entrepot.plugin import Objection, Strictness
from packaging.metadata import RawMetadata
from packaging.version import Version
from trove_classifiers import classifiers, deprecated_classifiers

from entrepot_pypi.name import normalized

_longest_summary = 512
_longest_label = 32
_longest_addresses = 2000
_address = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;.]+")
_direct = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\s*(\[[^]]*\])?\s*@")
_introduced = {"dynamic": (2, 2), "license_expression": (2, 4), "import_names": (2, 5), "import_namespaces": (2, 5)}
_known = frozenset(field.replace("_", "-").removesuffix("s") for field in RawMetadata.__annotations__) - {"description"}
"""Fields without the plural that packaging gives to some. Old sdists have a Description and, by a blank line too early, a body as well."""
newest = (2, 6)
"""The Metadata-Version that is known: 2.6 is PEP 808."""
_unwritten = (2, 0)
_linux = r"(x86_64|i686|aarch64|armv7l|ppc64|ppc64le|s390x|riscv64|loongarch64)"
_platform = re.compile(
    r"any|win32|win_(amd64|arm64|ia64)|linux_armv[67]l|manylinux(1|2010|2014)_" + _linux + r"|(manylinux|musllinux)_[0-9]+_[0-9]+_" + _linux + "|"
    r"macosx_[0-9]+_[0-9]+_(ppc|ppc64|i386|x86_64|arm64|intel|fat|fat3|fat32|fat64|universal|universal2)|"
    r"ios_[0-9]+_[0-9]+_(arm64|x86_64)_(iphoneos|iphonesimulator)|"
    r"android_[0-9]+_(armeabi_v7a|arm64_v8a|x86|x86_64)|(pyodide|pyemscripten)_[0-9]+_[0-9]+_wasm32"
)


def metadata_objections(raw: RawMetadata, unparsed: Iterable[str], metadata_version: tuple[int, int]) -> Iterator[Objection]:
    """What PyPI has against metadata that is valid; `unparsed` are the fields that `parse_email` could not make one value of."""
    if metadata_version > newest:
        yield _private(f"Metadata-Version is newer than {newest[0]}.{newest[1]}, which no installer knows yet: build the file with another tool.")
    if metadata_version == _unwritten:
        yield _public("Metadata-Version 2.0 is none that a standard has: build the file with a newer tool.")
    for field, version in _introduced.items():
        if field in raw and metadata_version < version:
            message = f"The metadata says {field.replace('_', '-')}, which its Metadata-Version does not know: build the file with a newer tool."
            yield _public(message) if field == "license_expression" else _private(message)
    if "+" in raw.get("version", ""):
        yield _public("The version has a local part behind a `+`: those are for private indexes.")
    if len(raw.get("summary", "")) > _longest_summary:
        yield _private(f"The summary is longer than {_longest_summary} characters.")
    yield from _direct_objections(raw)
    ambiguous = sorted(field for field in unparsed if field.removesuffix("s") in _known)
    if ambiguous:
        yield _public(f"The metadata says {', '.join(ambiguous)} more than once, or in bytes that are not UTF-8.")
    yield from _classifier_objections(raw.get("classifiers", []))
    for field, text in (("author-email", raw.get("author_email")), ("maintainer-email", raw.get("maintainer_email"))):
        if text is not None and not _are_addresses(text):
            yield _private(f"The field {field} holds something that is no e-mail address.")
    yield from _url_objections(raw.get("home_page"), raw.get("download_url"), raw.get("project_urls", {}))


def _direct_objections(raw: RawMetadata) -> Iterator[Objection]:
    """What no index has, and who installs from one has not asked for."""
    told = (("requires", raw.get("requires_dist", [])), ("provides", raw.get("provides_dist", [])), ("obsoletes", raw.get("obsoletes_dist", [])))
    for verb, requirements in told:
        direct = next((requirement for requirement in requirements if _direct.match(requirement)), None)
        if direct is not None:
            message = f"The metadata {verb} {direct[:100]!r}, which is a URL: name a project and a version."
            yield _private(message) if verb == "requires" else _public(message)


def _classifier_objections(given: Sequence[str]) -> Iterator[Objection]:
    for classifier in given:
        if classifier in deprecated_classifiers:
            instead = " or ".join(deprecated_classifiers[classifier])
            yield _public(f"The classifier {classifier!r} is deprecated{f': use {instead}' if instead else ''}.")
            return
        if classifier not in classifiers:
            yield _public(f"The classifier {classifier[:100]!r} is not known: see pypi.org/classifiers.")
            return


def _are_addresses(text: str) -> bool:
    """Of a long list as many are read as fit, none cut in two."""
    read = text if len(text) <= _longest_addresses else text[:_longest_addresses].rpartition(",")[0]
    addresses = getaddresses([read])
    return bool(addresses) and all(_address.fullmatch(address) for _, address in addresses)


def _url_objections(home_page: str | None, download_url: str | None, project_urls: Mapping[str, str]) -> Iterator[Objection]:
    for url in (home_page, download_url, *project_urls.values()):
        if url and not _is_url(url):
            yield _private(f"{url[:100]!r} in the metadata is no URL that begins with http or https.")
            break
    if any(not 1 <= len(label) <= _longest_label for label in project_urls):
        yield _private(f"The label of a project URL has 1 to {_longest_label} characters.")
    bare = next((label for label, url in project_urls.items() if not url), None)
    if bare is not None:
        yield _public(f"The Project-URL {bare[:100]!r} is not a label, a comma and a URL.")


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in text


def wheel_objections(basename: str, name: str, version: str, platform_tag: str) -> Iterator[Objection]:
    """What PyPI has against a wheel's filename; `name` and `version` are those of its metadata."""
    spelled = f"{_spelled(name)}-{Version(version)}-"
    if not basename.startswith(spelled):
        yield _public(f"The wheel's filename does not begin with the normalized name and version, {spelled}: build it with a newer tool.")
    wrong = next((tag for tag in platform_tag.split(".") if _platform.fullmatch(tag) is None), None)
    if wrong is not None:
        yield _public(f"The platform tag {wrong[:60]!r} says too little of what the wheel runs on: on Linux auditwheel gives it another.")


def sdist_objections(basename: str, name: str, version: str) -> Iterator[Objection]:
    """What PyPI has against an sdist's filename (PEP 625)."""
    spelled = f"{_spelled(name)}-{Version(version)}.tar.gz"
    if basename != spelled:
        yield _public(f"The sdist is to be named {spelled} (PEP 625): build it with a newer tool.")


def _spelled(name: str) -> str:
    """A name in filenames."""
    return normalized(name).replace("-", "_")


def _private(message: str) -> Objection:
    return Objection(Strictness.PRIVATE, message)


def _public(message: str) -> Objection:
    return Objection(Strictness.PUBLIC, message)
