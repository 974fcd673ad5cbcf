"""A channel as it lies in folders: what `conda index`, mirrors and other servers put beside packages, and what their index says."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import orjson
from entrepot.plugin import Inspection, InvalidPackage, Listed, ValidationError

from entrepot_conda.index import clean_index
from entrepot_conda.name import is_subdir

max_repodata = 512 << 20

_companion = re.compile(
    r".*repodata.*\.(json|msgpack)(\.(zst|bz2|gz|jlap|state|info\.json|lock))*|.*repodata.*\.jlap|[0-9a-f]{64}\.msgpack\.zst|"
    r"(channeldata|patch_instructions|run_exports|notices|instructions|recipe_log|cached_pkgs)\.json(\.(zst|bz2|gz))?|"
    r"index\.(html|json)|rss\.xml|.*\.(conda|tar\.bz2)\.(sig|asc|md5|sha256|sigstore|sigstore\.json|json)|repodata_shards\..*",
    re.IGNORECASE,
)
_systems = frozenset(("linux", "osx", "win", "freebsd", "emscripten", "wasi", "zos", "android", "ios"))
_identity = ("name", "version", "build", "build_number", "subdir")


def is_companion(basename: str) -> bool:
    """Whether this is an index of some kind, a shard, or a signature."""
    return _companion.fullmatch(basename) is not None


def read_companion(file: BinaryIO, basename: str) -> Mapping[str, Listed]:
    """The records of repodata.json, which has the hotfixes; its other forms say the same or less. Raises ValidationError."""
    if basename != "repodata.json":
        return {}
    body = file.read(max_repodata + 1)
    if len(body) > max_repodata:
        raise ValidationError(f"It is larger than {max_repodata >> 20} MiB.")
    try:
        repodata = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ValidationError(f"It is not valid JSON ({error}).") from error
    if not isinstance(repodata, dict):
        raise ValidationError("It is no repodata.")
    return dict(_listed(repodata))


def _listed(repodata: Mapping[str, Any]) -> Iterator[tuple[str, Listed]]:
    removed = repodata.get("removed")
    for name in removed if isinstance(removed, list | dict) else ():
        if isinstance(name, str):
            yield name, Listed(removed=True)
    for part in ("packages", "packages.conda"):
        records = repodata.get(part)
        for name, record in records.items() if isinstance(records, dict) else ():
            if isinstance(record, dict):
                digests = {key: record[key] for key in ("sha256", "md5") if isinstance(record.get(key), str)}
                yield name, Listed(digests=digests, record={"json": orjson.dumps(record)})  # as bytes it takes a fifth of the memory


def check_place(inspection: Inspection, folders: Sequence[str], listed: Listed | None) -> Sequence[str]:
    """A subdir's folder holds that subdir's packages. Answers how the record differs from the package, which is a hotfix."""
    folder = folders[-1] if folders else ""
    if _names_subdir(folder) and folder != inspection.platform:
        raise InvalidPackage(f"It lies in the folder {folder}, but by its content it belongs to {inspection.platform}. Move it there.")
    record = listed.record.get("json") if listed is not None else None
    changed = _changed(inspection.attributes["index"], orjson.loads(record)) if record else []
    if not changed:
        return ()
    return (f"repodata.json says something else than the package itself of: {', '.join(changed)}. Such a hotfix is not imported.",)


def _names_subdir(folder: str) -> bool:
    """Whether a folder is named after a platform; `old-packages` is spelled as one too."""
    return folder == "noarch" or (is_subdir(folder) and folder.partition("-")[0] in _systems)


def _changed(index: Mapping[str, Any], record: Mapping[str, Any]) -> list[str]:
    """The fields in which a record differs from a package's cleaned index.json, sorted."""
    known = {key: index[key] for key in _identity}
    try:
        said = clean_index({**known, **record}, now=int(time.time() * 1000))
    except ValidationError as error:
        return [f"a field that no client could read ({error.message})"]
    return sorted(key for key in {*index, *said} if (index.get(key) or None) != (said.get(key) or None))
