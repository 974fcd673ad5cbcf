"""Folders of wheels and sdists: flat, one for each project, or a mirror with its pages."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest
from changes import done, look
from entrepot.services.imports.outcomes import Why
from pypi_builder import build_metadata, build_sdist, build_wheel

if TYPE_CHECKING:
    from .conftest import Depot


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


async def test_a_flat_folder_and_one_for_each_project_are_imported_alike(depot: Depot) -> None:
    wheel, sdist, zipped = build_wheel("Some.Project", "1.0"), build_sdist("Some.Project", "1.0"), build_sdist("other", "2.0", format="zip")
    depot.put(wheel[0], wheel[1])
    depot.put(f"some-project/{sdist[0]}", sdist[1])
    depot.put(f"o/other/{zipped[0]}", zipped[1])
    for beside in (f"{wheel[0]}.asc", "index.html", f"some-project/{sdist[0]}.provenance", "requirements.txt", "README.md", "Makefile"):
        depot.put(beside, b"-----BEGIN PGP SIGNATURE-----")
    told = await depot.take()
    assert told.refused == set()
    assert told.imported == {wheel[0], f"some-project/{sdist[0]}", f"o/other/{zipped[0]}"}
    assert {line.file for line in told.lines if line.why is Why.STRANGER} == {"README.md", "Makefile"}
    assert (await depot.project("some-project")).keys() == {wheel[0], sdist[0]}
    assert (await depot.project("other"))[zipped[0]]["hashes"] == {"sha256": sha256(zipped[1])}


@pytest.mark.parametrize("name", ["old-1.0-py2.7.egg", "setup-1.0.exe", "docs.zip", "cut-1.0-py3-none-any.whl"])
async def test_what_is_named_as_a_package_and_is_none_is_told_of(depot: Depot, name: str) -> None:
    depot.put(name, b"whatever this is")
    assert (await depot.take()).sentence(name).startswith("It is named as a package is, but by its content it is none")


async def test_a_sidecar_is_verified(depot: Depot) -> None:
    (good, good_body), (bad, bad_body) = build_wheel("good", "1.0"), build_wheel("bad", "1.0")
    metadata = (await depot.alice.client.put(f"/upload/alice/{good}", content=good_body, params={"label": "elsewhere"})).json()
    sidecar = (await depot.alice.client.get(metadata["url"] + ".metadata")).content
    assert sidecar
    for name, body, beside in ((good, good_body, sidecar), (bad, bad_body, build_metadata("bad", "1.0", ["six"]))):
        depot.put(name, body)
        depot.put(f"{name}.metadata", beside)
    told = await depot.take()
    assert told.present == {good}
    assert told.sentence(bad).startswith("The .metadata file beside it does not fit: the metadata in the file has the sha256 ")
    assert await depot.project("bad") == {}


def page(*links: str) -> bytes:
    return ("<!DOCTYPE html><html><body>" + "".join(links) + "</body></html>").encode()


async def test_the_digests_of_a_page_are_verified_wherever_the_files_lie(depot: Depot) -> None:
    (good, good_body), (bad, bad_body), (weak, weak_body) = (build_wheel(name, "1.0") for name in ("good", "bad", "weak"))
    for name, body in ((good, good_body), (bad, bad_body), (weak, weak_body)):
        depot.put(f"packages/ab/{name}", body)
    depot.put("simple/good/index.html", page(f'<a href="../../packages/ab/{good}#sha256={sha256(good_body)}" data-requires-python="&gt;=3">x</a>'))
    depot.put("simple/bad/index.html", page(f'<a href="../../packages/ab/{bad}#sha256={"1" * 64}">x</a>'))
    depot.put("simple/weak/index.html", page(f'<a href="../../packages/ab/{weak}#md5={"2" * 32}">x</a>'))
    told = await depot.take()
    assert told.imported == {f"packages/ab/{good}"}
    assert {told[f"packages/ab/{name}"].why for name in (bad, weak)} == {Why.DIGEST}


async def test_a_yanked_file_stays_yanked(depot: Depot) -> None:
    wheels = {name: build_wheel(name, "1.0") for name in ("html", "bare", "json", "fine")}
    for name, (basename, body) in wheels.items():
        depot.put(f"{name}/{basename}", body)
    depot.put("html/index.html", page(f'<a href="{wheels["html"][0]}" data-yanked="breaks &amp; burns">x</a>'))
    depot.put("bare/index.html", page(f'<a href="{wheels["bare"][0]}" data-yanked="">x</a>'))
    depot.put("fine/index.html", page(f'<a href="{wheels["fine"][0]}">x</a>'))
    depot.put("json/index.json", json.dumps({"files": [{"url": wheels["json"][0], "hashes": {}, "yanked": "no"}, 7, {"url": []}]}).encode())
    told = await depot.take()
    assert told.refused == set()
    shown = {name: (await depot.project(name))[basename]["yanked"] for name, (basename, _) in wheels.items()}
    assert shown == {"html": "breaks & burns", "bare": True, "json": "no", "fine": False}


async def test_a_yank_that_a_killed_run_has_not_come_to_is_made_good_by_the_next(depot: Depot) -> None:
    basename, body = build_wheel("late", "1.0")
    depot.put(f"late/{basename}", body)
    await depot.take()
    depot.put("late/index.html", page(f'<a href="{basename}" data-yanked="late">x</a>'))
    assert (await depot.take()).present == {f"late/{basename}"}
    assert (await depot.project("late"))[basename]["yanked"] == "late"


@pytest.mark.parametrize(
    "link", ["https://example.org/{0}#sha256={1}", "/packages/{0}#sha256={1}", "../../../../{0}#sha256={1}", "http://[::1#sha256={1}"]
)
async def test_what_a_page_says_of_files_elsewhere_means_none_of_these(depot: Depot, link: str) -> None:
    basename, body = build_wheel("here", "1.0")
    depot.put(basename, body)
    depot.put("index.html", page(f'<a href="{link.format(basename, "3" * 64)}">x</a>', "<a>", "<a href>"))
    assert (await depot.take()).imported == {basename}


async def test_an_import_takes_what_a_strict_namespace_refuses_and_tells_of_what_is_invalid(depot: Depot) -> None:
    local, invalid = build_wheel("local", "1.0+ours"), build_wheel("invalid", "1.0", headers=[("Requires-Python", ">=3.6.*")])
    own = (await look(depot.alice.client, "{ viewer { id } }"))["viewer"]["id"]
    made = await done(depot.alice.client, "updateNamespace", {"namespaceId": own, "strictness": "PUBLIC"}, "namespace { strictness }")
    assert made["namespace"] == {"strictness": "PUBLIC"}
    for (name, body), sentence in ((local, "local part behind a `+`"), (invalid, "requires-python")):
        depot.put(name, body)
        answer = await depot.alice.client.put(f"/upload/alice/{name}", content=body)
        assert (answer.status_code, sentence in answer.text) == (422, True)
    told = await depot.take()
    assert told.imported == {local[0], invalid[0]}
    assert list(told[local[0]].notes) == []
    assert [note for note in told[invalid[0]].notes if "requires-python" in note]


async def test_an_import_takes_the_two_sdists_of_an_old_release_and_tells_of_the_second(depot: Depot) -> None:
    both = [build_sdist("old", "1.0", format=format) for format in ("tar.gz", "zip")]
    for name, body in both:
        depot.put(name, body)
    told = await depot.take()
    assert told.imported == (await depot.project("old")).keys() == {name for name, _ in both}
    assert [note.partition(" has the sdist ")[0] for name, _ in both for note in told[name].notes] == ["The release 1.0 of old"]
    assert (await depot.take()).present == told.imported


async def test_a_namespace_asks_of_uploads_what_its_strictness_says_at_that_time(depot: Depot) -> None:
    own = (await look(depot.alice.client, "{ viewer { id } }"))["viewer"]["id"]
    statuses = []
    for number, strictness in enumerate(["PRIVATE", "PUBLIC", "IMPORT"]):
        await done(depot.alice.client, "updateNamespace", {"namespaceId": own, "strictness": strictness})
        for name, body in (
            build_wheel("local", f"{number}.0+ours"),
            build_wheel("invalid", f"{number}.0", headers=[("Requires-Python", ">=3.6.*")]),
        ):
            statuses.append((await depot.alice.client.put(f"/upload/alice/{name}", content=body)).status_code)
    assert statuses == [201, 422, 422, 422, 201, 201]
