"""What conda-index prints of the same packages, record by record and key by key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ground import on_folder
from house import House, Person
from real_client import Client
from varied_conda import varied

ABSENT = "absent"
WANTED = {
    # null says nothing, and clients that want a list refuse it
    ("constrains", "null", ABSENT),
    ("depends", "null", "[]"),
    ("license", "null", ABSENT),
    ("preferred_env", "null", ABSENT),
    ("timestamp", "null", ABSENT),
    # the spellings of old packages, of which not every client knows each
    ("noarch", "true", '"generic"'),
    ("noarch", "false", ABSENT),
    ("license", '["MIT", "BSD-3-Clause"]', '"MIT, BSD-3-Clause"'),
    ("track_features", '["mkl", "vc14"]', '"mkl vc14"'),
    ("track_features", "[]", '""'),
    # what only a server may say
    ("channel", '"elsewhere"', ABSENT),
    ("fn", '"x"', ABSENT),
    ("url", '"https://example.org/x"', ABSENT),
    ("urls", '["https://example.org/x"]', ABSENT),
    ("filename", '"x"', ABSENT),
    ("schannel", '"x"', ABSENT),
    ("attestations_sha256", "5", ABSENT),
    # what only an installer may say of what it has installed, and conda's alias of `build`
    ("package_type", '"noarch_python"', ABSENT),
    ("build_string", '"x"', ABSENT),
    # empty fields of the third revision of repodata, which its older readers have no use for
    ("extra_depends", "{}", ABSENT),
    ("extra-depends", "{}", ABSENT),
    ("flags", "[]", ABSENT),
}
"""Every difference: (key, conda-index's value, ours)."""


def differences(theirs: dict[str, Any], ours: dict[str, Any]) -> set[tuple[str, str, str]]:
    """The keys that the records differ in."""
    told = [{key: json.dumps(value) for key, value in record.items()} for record in (theirs, ours)]
    return {
        (key, told[0].get(key, ABSENT), told[1].get(key, ABSENT)) for key in {*theirs, *ours} if told[0].get(key, ABSENT) != told[1].get(key, ABSENT)
    }


def records(repodata: Any) -> dict[str, dict[str, Any]]:
    """Of both kinds of files."""
    return {**repodata["packages"], **repodata["packages.conda"]}


@on_folder
async def test_each_record_is_as_conda_index_prints_it_but_for_what_is_wanted(depot: House, owner: Person, client: Client, tmp_path: Path) -> None:
    counts: dict[str, int] = {}
    for subdir, basename, body in varied():
        (tmp_path / "channel" / subdir).mkdir(parents=True, exist_ok=True)
        (tmp_path / "channel" / subdir / basename).write_bytes(body)
        await owner.has(basename, body)
        counts[subdir] = counts.get(subdir, 0) + 1
    assert sum(counts.values()) == 399
    client.conda_index(tmp_path / "channel")

    found: set[tuple[str, str, str]] = set()
    for subdir, count in counts.items():
        theirs = records(json.loads((tmp_path / "channel" / subdir / "repodata.json").read_text()))
        ours = records((await depot.anyone.get(f"/conda/alice/{subdir}/repodata.json")).json())
        assert ours.keys() == theirs.keys()
        assert len(ours) == count
        for basename, record in ours.items():
            assert isinstance(record.pop("indexed_timestamp"), int)  # CEP 47, which conda-index leaves to its operator
            found |= differences(theirs[basename], record)
    assert found == WANTED
