"""info/index.json and its neighbours (CEP 34): checked field by field, and without what no index should repeat.

A client reads a whole repodata.json or shard at once, and a field of a wrong type makes it refuse every record in there. So every key to which conda,
rattler, mamba or libsolv give a meaning is either checked here or left out; the others are for nobody, and go in as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson
from entrepot.plugin import InvalidPackage, ValidationError

from entrepot_conda.name import check_build, check_name, check_subdir
from entrepot_conda.version import check_version

_dropped_by_conda_index = frozenset(
    ("arch", "platform", "has_prefix", "mtime", "ucs", "requires_features", "binstar", "target-triplet", "machine", "operatingsystem")
)
_digests_and_sizes = frozenset(("md5", "sha256", "size", "legacy_bz2_md5", "legacy_bz2_size", "attestations_sha256"))
_places = frozenset(("fn", "filename", "url", "urls", "channel", "schannel"))  # two are conda's aliases; mamba downloads from the first of `urls`
_for_a_server_to_say = _digests_and_sizes | _places | {"run_exports", "indexed_timestamp", "revoked"}
_for_an_installer_to_say = frozenset(("package_type", "build_string"))  # conda: what kind of installed thing this is, and an alias of `build`
_dropped = _dropped_by_conda_index | _for_a_server_to_say | _for_an_installer_to_say
_texts = ("license", "license_family", "features", "track_features", "python_site_packages_path", "preferred_env", "date")
_lists_of_specs = ("constrains", "requires")  # `requires` is what libsolv takes for more `depends`
_v3_only = ("extra_depends", "extra-depends", "flags")  # CEP 44, with conda's alias, and 45; CEP 43 is a `;` in a spec
_spec = re.compile(r"(?:[^\s:\x00-\x1f]+::)?[A-Za-z0-9_*][A-Za-z0-9_.*-]*(?:[ =<>!~\[][^\x00-\x1f\x7f]*)?")
_purl = re.compile(r"pkg:[a-z][a-z0-9.+-]*(?:/[A-Za-z0-9._~-]+)+(?:@[A-Za-z0-9._~+-]+)?")
_never_a_spec = re.compile(r"[<>=!~]{4}|(?!===)[<>=!~]{3}|[<>!~]=?\s*(?:$|[,|])")  # longer than any operator, or in front of nothing
_date = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_max_spec = 1024
_max_record = 128 << 10
"""In bytes of JSON. The longest honest records are those of meta-packages: about 600 exact dependencies (Anaconda's) make 25 kB."""
_max_build_number = 2**63 - 1
_day = 86_400_000
_last_second = 253_402_300_799  # the end of the year 9999: a larger timestamp is in milliseconds (conda and rattler alike)
_run_export_kinds = ("weak", "strong", "weak_constrains", "strong_constrains", "noarch")
_links = ("home", "dev_url", "doc_url", "source_url", "license_url")


def clean_index(index: Mapping[str, Any], *, now: int) -> dict[str, Any]:
    """The fields of index.json that go into records; `now` in milliseconds. Raises InvalidPackage for a field that clients could not read."""
    clean = {key: value for key, value in index.items() if key not in _dropped and value is not None}
    for key, check in (("name", check_name), ("version", check_version), ("build", check_build), ("subdir", check_subdir)):
        clean[key] = _checked(key, clean.get(key), check)
    clean["build_number"] = _whole("build_number", clean.get("build_number"), _max_build_number)
    clean["depends"] = _specs("depends", clean.get("depends", []))
    for key in _lists_of_specs:
        if key in clean:
            clean[key] = _specs(key, clean[key])
    for key in _texts:
        if key in clean:
            clean[key] = _text(key, clean[key])
    if "timestamp" in clean:
        _check_timestamp(clean["timestamp"], now)
    if not _date.fullmatch(clean.get("date", "2000-01-01")):
        raise InvalidPackage("info/index.json: date must be like 2013-05-21.")
    if "record_version" in clean:
        _whole("record_version", clean["record_version"], 1)  # conda leaves later ones out, and compares before it looks at the type
    _check_purls(clean.get("purls", []))
    _check_noarch(clean)
    _refuse_v3(clean)
    _check_length("info/index.json", clean)
    return clean


def clean_run_exports(document: Mapping[str, Any]) -> dict[str, list[str]]:
    """run_exports.json in its dict form, without empty lists. Raises InvalidPackage."""
    exports = {kind: _specs(f"run_exports.{kind}", document[kind]) for kind in _run_export_kinds if document.get(kind) is not None}
    exports = {kind: specs for kind, specs in exports.items() if specs}
    _check_length("run_exports", exports)
    return exports


def links(about: Mapping[str, Any]) -> dict[str, str]:
    """The links in about.json that a page may show: http and https alone."""
    found = {}
    for key in _links:
        value = about.get(key)
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, str) and re.fullmatch(r"https?://[^\s\x00-\x1f\"'<>]{1,2000}", first):
            found[key] = first
    return found


def milliseconds(timestamp: int) -> int:
    """A timestamp in milliseconds, which old packages give in seconds."""
    return timestamp if timestamp > _last_second else timestamp * 1000


def _checked(key: str, value: Any, check: Any) -> str:
    if not isinstance(value, str):
        raise InvalidPackage(f"info/index.json has no {key}, or one that is not a string.")
    try:
        return str(check(value))
    except ValidationError as error:
        raise InvalidPackage(f"info/index.json, {key}: {error.message}") from error


def _whole(key: str, value: Any, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise InvalidPackage(f"info/index.json: {key} must be a whole number from 0 to {most}.")
    return value


def _text(key: str, value: Any) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return (" " if key.endswith("features") else ", ").join(value)
    if not isinstance(value, str):
        raise InvalidPackage(f"info/index.json: {key} must be a string.")
    return value


def _specs(key: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(spec, str) for spec in value):
        raise InvalidPackage(f"{key} must be a list of strings.")
    for spec in value:
        if ";" in spec:
            raise InvalidPackage(f"{key}: {spec[:80]!r} is conditional (CEP 43), which older clients cannot read; this server does not take it yet.")
        if len(spec) > _max_spec or not _spec.fullmatch(spec) or _is_never_a_spec(spec):
            raise InvalidPackage(f"{key}: {spec[:80]!r} is no match specification (CEP 29).")
    return value


def _is_never_a_spec(spec: str) -> bool:
    """Whether no client could parse it. What is merely odd goes in."""
    unclosed = "[" in spec and not spec.rstrip().endswith("]")
    odd_quotes = any(spec.count(quote) % 2 for quote in "'\"")
    return unclosed or odd_quotes or spec.count("(") != spec.count(")") or _never_a_spec.search(spec) is not None


def _check_length(what: str, part: Mapping[str, Any]) -> None:
    """Everybody who reads the channel downloads it, and a few hundred bytes of an archive can unpack to a MiB."""
    length = len(orjson.dumps(part))
    if length > _max_record:
        raise InvalidPackage(f"{what} would make a record of {length} bytes; a record has up to {_max_record}.")


def _check_timestamp(timestamp: Any, now: int) -> None:
    if milliseconds(_whole("timestamp", timestamp, 2**53)) > now + _day:
        raise InvalidPackage(f"info/index.json: timestamp {timestamp} lies in the future. Set the clock of the machine that builds, and build again.")


def _check_purls(purls: Any) -> None:
    if not isinstance(purls, list) or not all(isinstance(purl, str) and _purl.fullmatch(purl) for purl in purls):
        raise InvalidPackage("info/index.json: purls must be a list of package URLs such as 'pkg:pypi/requests@2.0'.")


def _check_noarch(clean: dict[str, Any]) -> None:
    """Old packages say `true` for generic, and `false` for nothing."""
    noarch = clean.pop("noarch", False)
    if isinstance(noarch, bool):
        noarch = "generic" if noarch else None
    if noarch not in (None, "generic", "python"):
        raise InvalidPackage("info/index.json: noarch must be 'generic' or 'python'.")
    if noarch is not None:
        if clean["subdir"] != "noarch":
            raise InvalidPackage(f"info/index.json: a noarch package belongs into the subdir noarch, not {clean['subdir']}.")
        clean["noarch"] = noarch


def _refuse_v3(clean: dict[str, Any]) -> None:
    """An empty one says nothing, and of a wrong type (`false`) it would make clients refuse the whole index: it goes."""
    used = [key for key in _v3_only if clean.pop(key, None)]
    if used:
        raise InvalidPackage(f"info/index.json: {used[0]} needs the third revision of repodata (CEP 48), which this server does not write yet.")
