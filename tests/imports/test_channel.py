"""A conda channel as it lies in folders."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from conda_builder import build_conda
from entrepot.db.sql import fetch
from entrepot.services.imports.outcomes import Why
from pypi_builder import build_wheel

if TYPE_CHECKING:
    from .conftest import Depot


def record(basename: str, body: bytes, **changes: Any) -> dict[str, Any]:
    """What `conda index` writes of a package that `build_conda` made without options."""
    name, version, build = basename.removesuffix(".conda").removesuffix(".tar.bz2").rsplit("-", 2)
    return {
        "build": build,
        "build_number": 0,
        "depends": [],
        "license": "MIT",
        "md5": hashlib.md5(body, usedforsecurity=False).hexdigest(),
        "name": name,
        "noarch": "generic",
        "sha256": hashlib.sha256(body).hexdigest(),
        "size": len(body),
        "subdir": "noarch",
        "timestamp": 1_700_000_000_000,
        "version": version,
    } | changes


def repodata(*records: tuple[str, dict[str, Any]], removed: list[str] | None = None, subdir: str = "noarch") -> bytes:
    parts: dict[str, dict[str, Any]] = {"packages": {}, "packages.conda": {}}
    for basename, one in records:
        parts["packages.conda" if basename.endswith(".conda") else "packages"][basename] = one
    return json.dumps({"info": {"subdir": subdir}, **parts, "removed": removed or [], "repodata_version": 1}).encode()


async def test_a_channel_is_imported_with_its_subdirs_and_both_formats_and_without_its_indexes(depot: Depot) -> None:
    packages = {
        "noarch": [build_conda("a", "1.0"), build_conda("b", "1!2.0", ext=".tar.bz2")],
        "linux-64": [build_conda("a", "1.0", subdir="linux-64", build="h1_0"), build_conda("c", "3.0+cu12", subdir="linux-64")],
    }
    for subdir, files in packages.items():
        for basename, body in files:
            depot.put(f"{subdir}/{basename}", body)
        for companion in ("repodata.json.zst", "current_repodata.json", "repodata_from_packages.json.bz2", "index.html", ".cache/cache.db"):
            depot.put(f"{subdir}/{companion}", b"{}")
    depot.put("noarch/repodata.json", repodata(*((name, record(name, body)) for name, body in packages["noarch"])))
    depot.put("channeldata.json", b"{}")
    told = await depot.take()
    assert told.refused == set()
    assert told.imported == {f"{subdir}/{basename}" for subdir, files in packages.items() for basename, _ in files}
    assert told.begun == [(4, sum(len(body) for files in packages.values() for _, body in files))]
    assert {why: sum(line.why is why for line in told.lines) for why in (Why.COMPANION, Why.HIDDEN)} == {Why.COMPANION: 10, Why.HIDDEN: 2}
    assert [line.notes for line in told.lines if line.notes] == []
    for subdir, files in packages.items():
        shown = await depot.repodata(subdir)
        assert {name: shown[name]["sha256"] for name in shown} == {name: hashlib.sha256(body).hexdigest() for name, body in files}
        for basename, body in files:
            assert (await depot.alice.client.get(f"/conda/alice/{subdir}/{basename}")).content == body


async def test_the_operator_stands_in_the_audit_log(depot: Depot) -> None:
    depot.put("noarch/" + (package := build_conda("a", "1.0"))[0], package[1])
    await depot.take()
    [event] = await fetch("SELECT actor, subject FROM audit_event WHERE action = 'file.publish'")
    assert (event["actor"], event["subject"]) == ("command line", "alice/conda/noarch/a-1.0-0.conda")


async def test_a_package_in_the_folder_of_another_subdir_is_refused(depot: Depot) -> None:
    basename, body = build_conda("a", "1.0", subdir="linux-64")
    depot.put(f"osx-arm64/{basename}", body)
    depot.put(f"noarch/{basename}", body)
    told = await depot.take()
    for folder in ("osx-arm64", "noarch"):
        assert told.sentence(f"{folder}/{basename}") == f"It lies in the folder {folder}, but by its content it belongs to linux-64. Move it there."
        assert told[f"{folder}/{basename}"].why is Why.PLACE
    assert await depot.house.left() == {}


async def test_the_imported_folder_may_be_a_subdirs_own_and_a_folder_of_any_other_name_says_nothing(depot: Depot) -> None:
    basename, body = build_conda("a", "1.0", subdir="linux-64")
    depot.put(f"noarch/{basename}", body)
    depot.put(f"old-packages/{basename}", body)
    assert "belongs to linux-64" in (await depot.take(folder=depot.folder / "noarch")).sentence(basename)
    assert (await depot.take(folder=depot.folder / "old-packages")).imported == {basename}


@pytest.mark.parametrize("digest", ["sha256", "md5"])
async def test_a_package_that_is_not_what_repodata_lists_is_refused(depot: Depot, digest: str) -> None:
    basename, body = build_conda("a", "1.0")
    listed = record(basename, body)
    del listed["md5" if digest == "sha256" else "sha256"]
    depot.put(f"noarch/{basename}", body)
    depot.put("noarch/repodata.json", repodata((basename, listed | {digest: "0" * len(listed[digest])})))
    told = await depot.take()
    assert told.sentence(f"noarch/{basename}").startswith("Its bytes are not those that the index beside it lists")
    assert told[f"noarch/{basename}"].why is Why.DIGEST
    assert await depot.house.left() == {}


async def test_a_hotfix_is_noted_and_the_package_imported_as_it_is(depot: Depot) -> None:
    basename, body = build_conda("a", "1.0", depends=["python"])
    depot.put(f"noarch/{basename}", body)
    depot.put("noarch/repodata.json", repodata((basename, record(basename, body, depends=["python <3.12"], constrains=["b >1"]))))
    told = await depot.take()
    assert told.imported == {f"noarch/{basename}"}
    assert list(told[f"noarch/{basename}"].notes) == [
        "repodata.json says something else than the package itself of: constrains, depends. Such a hotfix is not imported."
    ]
    assert (await depot.repodata())[basename]["depends"] == ["python"]


async def test_what_the_channel_has_removed_does_not_come_back(depot: Depot) -> None:
    (gone, gone_body), (kept, kept_body) = build_conda("a", "1.0"), build_conda("a", "1.1")
    depot.put(f"noarch/{gone}", gone_body)
    depot.put(f"noarch/{kept}", kept_body)
    depot.put("noarch/repodata.json", repodata((kept, record(kept, kept_body)), removed=[gone]))
    told = await depot.take()
    assert (told.imported, told[f"noarch/{gone}"].why) == ({f"noarch/{kept}"}, Why.REMOVED)
    assert (await depot.repodata()).keys() == {kept}


@pytest.mark.parametrize("broken", [b"{", b"[]", b"\xff\xfe", b'{"packages": [], "removed": 3, "packages.conda": {"a-1.0-0.conda": 7}}'])
async def test_a_broken_repodata_keeps_no_package_away(depot: Depot, broken: bytes) -> None:
    basename, body = build_conda("a", "1.0")
    depot.put(f"noarch/{basename}", body)
    depot.put("noarch/repodata.json", broken)
    told = await depot.take()
    assert told.imported == {f"noarch/{basename}"}
    assert len(told["noarch/repodata.json"].notes) == (0 if b"packages" in broken else 1)


async def test_the_folders_of_labels_give_their_labels_and_the_others_main(depot: Depot) -> None:
    both, dev, main = build_conda("both", "1.0"), build_conda("dev", "1.0"), build_conda("main", "1.0")
    for prefix, packages in {"": [both, main], "label/dev/": [both, dev], "label/RC.1/": [both]}.items():
        for basename, body in packages:
            depot.put(f"{prefix}noarch/{basename}", body)
    told = await depot.take()
    assert told.refused == set()
    assert (await depot.repodata()).keys() == {both[0], main[0]}
    assert (await depot.repodata(label="dev")).keys() == {both[0], dev[0]}
    assert (await depot.repodata(label="rc.1")).keys() == {both[0]}
    again = await depot.take()
    assert (again.imported, again.present) == (set(), told.imported | told.present)


async def test_other_bytes_in_a_labels_folder_get_neither_in_nor_their_label(depot: Depot) -> None:
    basename, body = build_conda("a", "1.0")
    depot.put(f"noarch/{basename}", body)
    depot.put(f"label/dev/noarch/{basename}", build_conda("a", "1.0", files={"other": b"bytes"})[1])
    told = await depot.take()
    assert "with other bytes" in told.sentence(f"label/dev/noarch/{basename}")
    assert await depot.repodata(label="dev") == {}


async def test_a_label_that_cannot_be_is_refused_with_what_a_label_may_be(depot: Depot) -> None:
    basename, body = build_conda("a", "1.0")
    depot.put(f"label/2023 fall/noarch/{basename}", body)
    assert "'2023 fall' is no label" in (await depot.take()).sentence(f"label/2023 fall/noarch/{basename}")


async def test_labels_that_are_asked_for_are_put_on_what_is_there_and_main_is_not(depot: Depot) -> None:
    basename, body = build_conda("a", "1.0")
    depot.put(f"noarch/{basename}", body)
    assert list((await depot.take(labels=["staging", "Q4"]))[f"noarch/{basename}"].labels) == ["q4", "staging"]
    assert await depot.repodata() == {}
    assert (await depot.take()).present == {f"noarch/{basename}"}
    assert await depot.repodata() == {}
    await depot.take(labels=["main"])
    assert (await depot.repodata()).keys() == (await depot.repodata(label="q4")).keys() == {basename}


async def test_packages_are_private_if_asked_for(depot: Depot) -> None:
    basename, body = build_conda("a", "1.0")
    depot.put(f"noarch/{basename}", body)
    await depot.take(private=True)
    assert (await depot.repodata()).keys() == {basename}
    assert basename not in (await depot.house.anyone.get("/conda/alice/noarch/repodata.json")).text


async def test_private_contradicts_a_public_package_that_is_there(depot: Depot) -> None:
    basename, body = build_conda("a", "1.0")
    depot.put(f"noarch/{basename}", body)
    await depot.take()
    assert "is public already" in (await depot.take(private=True)).sentence(f"noarch/{basename}")


async def test_a_package_that_the_gate_refuses_is_told_of_in_its_words_and_the_rest_goes_in(depot: Depot) -> None:
    basename, body = build_conda("a", "1.0")
    depot.put(f"noarch/{basename}", body)
    depot.put("noarch/b-1.0-0.conda", body)
    depot.put("noarch/c-1.0-0.conda", build_conda("c", "1.0")[1][:-30])
    depot.put("noarch/d-1.0-0.tar.bz2", b"no archive at all")
    told = await depot.take()
    assert told.imported == {f"noarch/{basename}"}
    assert told.sentence("noarch/b-1.0-0.conda") == (
        "The file is named 'b-1.0-0.conda', but by its content it is 'a-1.0-0.conda'. Upload it under that name."
    )
    assert "damaged or cut short" in told.sentence("noarch/c-1.0-0.conda")
    assert told.sentence("noarch/d-1.0-0.tar.bz2").startswith("It is named as a package is, but by its content it is none")


async def test_only_the_types_and_names_that_are_asked_for_are_imported(depot: Depot) -> None:
    basename, _ = build_conda("a", "1.0")
    wheel, wheel_body = build_wheel("w", "1.0")
    for subdir in ("noarch", "win-64"):
        depot.put(f"{subdir}/{build_conda('a', '1.0', subdir=subdir)[0]}", build_conda("a", "1.0", subdir=subdir)[1])
    depot.put(f"wheels/{wheel}", wheel_body)
    told = await depot.take(types=["conda"], exclude=["win-*"])
    assert told.imported == {f"noarch/{basename}"}
    assert (told[f"wheels/{wheel}"].why, told["win-64"].why) == (Why.OTHER_TYPE, Why.EXCLUDED)
    assert (await depot.take(types=["pypi", "conda"], exclude=["*/a-1.0-0.conda"])).imported == {f"wheels/{wheel}"}
