"""What the URLs of a channel mean."""

from __future__ import annotations

import re

from entrepot.plugin import AddressedTarget, DocumentTarget, FileTarget, NoticesTarget, RefusalTarget, Target

from entrepot_conda import channeldata
from entrepot_conda.documents import renderings, shards_folder
from entrepot_conda.name import is_subdir, split_filename

_shard = re.compile(r"(?P<sha256>[0-9a-f]{64})\.msgpack\.zst", re.ASCII)
_elsewhere = re.compile(
    r"(current_repodata|patch_instructions)\.json(\.zst|\.bz2|\.gz)?|(repodata_from_packages|channeldata)\.json\.(zst|bz2|gz)"
    r"|(repodata|run_exports)\.json\.(bz2|gz)|.*\.jlap|notices\.json|rss\.xml|index\.html"
)
_not_served = RefusalTarget(404, "This channel serves repodata_shards.msgpack.zst, repodata.json.zst and repodata.json, and nothing of this name.")


def locate(rest: str) -> Target | None:
    """The target of a channel's URL by what follows the channel, decoded. Clients try what only other servers have on every call."""
    if rest == "notices.json":
        return NoticesTarget()
    if rest == channeldata.file_name:
        return DocumentTarget(channeldata.document, channeldata.file_name)
    subdir, _, below = rest.rpartition("/")
    if _elsewhere.fullmatch(below) and (not subdir or is_subdir(subdir)):
        return _not_served
    if subdir.endswith(f"/{shards_folder}"):
        return _locate_shard(subdir.removesuffix(f"/{shards_folder}"), below)
    if not is_subdir(subdir):
        return None
    if below in renderings:
        return DocumentTarget(subdir, below)
    return FileTarget(rest) if split_filename(below) else None


def _locate_shard(subdir: str, below: str) -> Target | None:
    match = _shard.fullmatch(below)
    return AddressedTarget(subdir, "shard", match["sha256"]) if match and is_subdir(subdir) else None
