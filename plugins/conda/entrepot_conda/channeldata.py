"""channeldata.json: a line about each name of a channel, across its subdirs (CEP 38)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from entrepot.plugin import Entry, Parts, StoredFile

from entrepot_conda.index import milliseconds
from entrepot_conda.record import patched
from entrepot_conda.version import version_key

document = "channeldata"
"""The name of the document, which no subdir can have."""
file_name = "channeldata.json"
traits = ("activate.d", "binary_prefix", "deactivate.d", "post_link", "pre_link", "pre_unlink", "text_prefix")
"""What is said of a package to be so or not."""
_links = ("dev_url", "doc_url", "home", "source_url")
_build_number = 8


def entry(file: StoredFile) -> Entry:
    """What the line about a name is made from. The newest version comes last."""
    record = patched(file)
    about = {
        "license": record.get("license"),
        "name": file.name,
        "run_exports": record.get("run_exports") or None,
        "subdir": record["subdir"],
        "summary": file.summary or None,
        "timestamp": milliseconds(record.get("timestamp", file.uploaded_at)) // 1000,
        "traits": file.attributes.get("traits") or None,
        "version": record["version"],
        **{key: file.attributes["about"].get(key) for key in _links},
    }
    body = orjson.dumps({key: value for key, value in about.items() if value is not None}, option=orjson.OPT_SORT_KEYS)
    return Entry(document, {document: body}, version_key(record["version"]) + b"\0" + record["build_number"].to_bytes(_build_number, "big"))


def part(entries: Sequence[bytes]) -> bytes:
    """The subdirs of a name in a line of their own, which no other line repeats, then its pair with a comma in front.

    This one part is made of what its entries say, and not of their bytes: it sums them up. The newest version speaks for the name.
    """
    files = [orjson.loads(one) for one in entries]
    newest: dict[str, Any] = files[-1]
    subdirs = sorted({file["subdir"] for file in files})
    held = {trait for file in files for trait in file.get("traits", ())}
    about = {key: newest[key] for key in ("license", "summary", "version", *_links) if key in newest}
    about |= {trait: trait in held for trait in traits}
    about["run_exports"] = {file["version"]: file["run_exports"] for file in files if "run_exports" in file}
    about["subdirs"] = subdirs
    about["timestamp"] = max(file["timestamp"] for file in files)
    pair = orjson.dumps(newest["name"]) + b":" + orjson.dumps(about, option=orjson.OPT_SORT_KEYS)
    return " ".join(subdirs).encode() + b"\n," + pair


def render(parts: Parts) -> Iterator[bytes]:
    """`channeldata.json`."""
    subdirs: set[bytes] = set()
    pairs: list[bytes] = []
    for body in parts.bodies():
        line, _, pair = body.partition(b"\n")
        subdirs.update(line.split())
        pairs.append(pair)
    yield b'{"channeldata_version":1,"packages":{' + b"".join(pairs)[1:]
    yield b'},"subdirs":' + orjson.dumps([subdir.decode() for subdir in sorted(subdirs)]) + b"}"
