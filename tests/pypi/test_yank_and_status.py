"""`yankFiles`, `unyankFiles`, `setProjectStatus`: the next request for the index says so, in every document."""

from __future__ import annotations

from typing import Any

import pytest
from changes import change, done, events, look, refused
from conda_builder import build_conda
from house import House, Person
from pypi_builder import build_sdist, build_wheel

JSON = {"accept": "application/vnd.pypi.simple.v1+json"}
OLD, NEW, SDIST = build_wheel("Foo.Bar", "1.0"), build_wheel("Foo.Bar", "2.0"), build_sdist("Foo.Bar", "2.0")
CONDA = build_conda("ball", "1.0")
CHANGED = "changed files { path ... on PypiFile { yanked yankedReason } }"


def at(*paths: str, type: str = "pypi") -> dict[str, Any]:
    return {"files": {"addresses": [{"namespace": "alice", "type": type, "path": path} for path in paths]}}


async def yanks(depot: House) -> dict[str, Any]:
    """What the JSON page says of each file; the older document must agree."""
    page = (await depot.anyone.get("/pypi/alice/simple/foo-bar/", headers=JSON)).json()
    found = {file["filename"]: file["yanked"] for file in page["files"]}
    older = (await depot.anyone.get("/pypi/alice/pypi/foo-bar/json")).json()
    assert {file["filename"]: file["yanked_reason"] or file["yanked"] for files in older["releases"].values() for file in files} == found
    return found


async def test_a_yank_shows_everywhere_is_logged_and_undone(depot: House, owner: Person) -> None:
    for basename, body in (OLD, NEW, SDIST):
        await owner.has(basename, body)
    client = owner.client
    assert await done(client, "yankFiles", {**at(NEW[0]), "reason": 'broken: "x"\u0007'}, CHANGED) == {
        "changed": 1,
        "files": [{"path": NEW[0], "yanked": True, "yankedReason": 'broken: "x"'}],
    }
    assert await yanks(depot) == {OLD[0]: False, NEW[0]: 'broken: "x"', SDIST[0]: False}
    assert 'data-yanked="broken: &quot;x&quot;"' in (await depot.anyone.get("/pypi/alice/simple/foo-bar/")).text
    query = '{ package(namespace: "alice", name: "Foo.Bar") { id releases(first: 1) { nodes { id version } } } }'
    package = (await look(client, query))["package"]
    release = {"files": {"releaseId": package["releases"]["nodes"][0]["id"]}}
    assert (await done(client, "yankFiles", release, CHANGED))["changed"] == 2
    assert await yanks(depot) == {OLD[0]: False, NEW[0]: True, SDIST[0]: True}
    assert (await depot.anyone.get("/pypi/alice/pypi/foo-bar/json")).json()["info"]["version"] == "1.0"
    assert (await depot.anyone.get("/pypi/alice/pypi/foo-bar/2.0/json")).json()["info"]["yanked"] is True
    assert (await depot.anyone.get(f"/pypi/alice/files/{NEW[0]}")).content == NEW[1]
    assert (await done(client, "unyankFiles", {"files": {"packageId": package["id"]}}, CHANGED))["changed"] == 2
    assert (await done(client, "unyankFiles", {"files": {"packageId": package["id"]}}, CHANGED))["changed"] == 0
    assert await yanks(depot) == {OLD[0]: False, NEW[0]: False, SDIST[0]: False}
    assert [details for _, _, details in await events("file.yank")] == [
        {"type": "pypi", "changed": 1, "files": [NEW[0]], "yanked": 'broken: "x"'},
        {"type": "pypi", "changed": 2, "files": [NEW[0], SDIST[0]], "yanked": True},
    ]
    assert [(who, subject, details["changed"]) for who, subject, details in await events("file.unyank")] == [("alice", "alice/Foo.Bar", 2)]


async def test_what_cannot_be_yanked_is_refused_whole(depot: House, owner: Person) -> None:
    await owner.has(*OLD)
    await owner.has(*CONDA)
    both = {"addresses": at(OLD[0])["files"]["addresses"] + at(f"noarch/{CONDA[0]}", type="conda")["files"]["addresses"]}
    kind, sentence = await refused(owner.client, "yankFiles", {"files": both})
    assert (kind, "is of the type conda, not pypi" in sentence) == ("ValidationError", True)
    assert (await refused(owner.client, "yankFiles", at(OLD[0], "absent-1.0.tar.gz")))[0] == "NotFoundError"
    assert (await refused(owner.client, "yankFiles", {**at(OLD[0]), "reason": "x" * 1001}))[0] == "ValidationError"
    assert await yanks(depot) == {OLD[0]: False}


@pytest.mark.parametrize(("status", "offered", "open"), [("ARCHIVED", True, False), ("QUARANTINED", False, False), ("DEPRECATED", True, True)])
async def test_a_status_keeps_its_rules(depot: House, owner: Person, status: str, offered: bool, open: bool) -> None:
    await owner.has(*OLD)
    project = {"namespace": "alice", "project": "FOO_bar"}
    said = "facet { type ... on PypiFacet { name projectStatus projectStatusReason } }"
    facet = {"type": "pypi", "name": "foo-bar", "projectStatus": status, "projectStatusReason": "see seven"}
    assert await done(owner.client, "setProjectStatus", {**project, "status": status, "reason": "see seven"}, said) == {"facet": facet}
    shown = '{ package(namespace: "alice", name: "Foo.Bar") { facets { type ... on PypiFacet { name projectStatus projectStatusReason } } } }'
    assert (await look(owner.client, shown))["package"]["facets"] == [facet]

    page = await depot.anyone.get("/pypi/alice/simple/foo-bar/", headers=JSON)
    listed = (await depot.anyone.get("/pypi/alice/simple/", headers=JSON)).json()["projects"]
    assert (page.status_code, bool(page.json()["files"]), bool(listed)) == (200, offered, offered)
    assert page.json()["project-status"] == {"status": status.lower(), "reason": "see seven"}
    assert (await depot.anyone.get("/pypi/alice/pypi/foo-bar/json")).status_code == (200 if offered else 404)
    assert (await depot.anyone.get(f"/pypi/alice/files/{OLD[0]}")).content == OLD[1]

    headers = {"authorization": f"Bearer {owner.token}"}
    same = await depot.anyone.put(f"/upload/alice/{OLD[0]}", content=OLD[1], headers=headers)
    assert same.status_code == 200
    answer = await depot.anyone.put(f"/upload/alice/{NEW[0]}", content=NEW[1], headers=headers)
    assert answer.status_code == (201 if open else 409)
    if not open:
        assert f"foo-bar is {status.lower()} (see seven) and takes no new files" in answer.text
        assert (await done(owner.client, "setProjectStatus", {**project, "status": "ACTIVE"}, said))["facet"]["projectStatus"] == "ACTIVE"
        assert (await depot.anyone.put(f"/upload/alice/{NEW[0]}", content=NEW[1], headers=headers)).status_code == 201
        assert "project-status" not in (await depot.anyone.get("/pypi/alice/simple/foo-bar/", headers=JSON)).json()
    assert (await events("project.status"))[0][2]["package"] == {"project-status": {"status": status.lower(), "reason": "see seven"}}


async def test_an_active_project_has_no_reason(depot: House, owner: Person) -> None:
    """The index would not show it."""
    await owner.has(*OLD)
    project = {"namespace": "alice", "project": "foo-bar"}
    said = "facet { ... on PypiFacet { projectStatus projectStatusReason } }"
    await done(owner.client, "setProjectStatus", {**project, "status": "DEPRECATED", "reason": "see seven"})
    kind, sentence = await refused(owner.client, "setProjectStatus", {**project, "status": "ACTIVE", "reason": "it is back"})
    assert (kind, "Leave the reason out." in sentence) == ("ValidationError", True)
    page = (await depot.anyone.get("/pypi/alice/simple/foo-bar/", headers=JSON)).json()
    assert page["project-status"] == {"status": "deprecated", "reason": "see seven"}
    facet = {"projectStatus": "ACTIVE", "projectStatusReason": None}
    assert await done(owner.client, "setProjectStatus", {**project, "status": "ACTIVE", "reason": " "}, said) == {"facet": facet}
    assert "project-status" not in (await depot.anyone.get("/pypi/alice/simple/foo-bar/", headers=JSON)).json()


async def test_no_copy_comes_into_an_archived_project(depot: House, owner: Person) -> None:
    bob = await depot.person("bob")
    await owner.has(*NEW)
    await bob.has(*OLD)
    assert "facet" in await done(bob.client, "setProjectStatus", {"namespace": "bob", "project": "foo-bar", "status": "ARCHIVED"}, "facet { type }")
    kind = await change(bob.client, "copyFiles", {**at(NEW[0]), "namespace": "bob"})
    assert (kind["__typename"], "takes no new files" in kind["message"]) == ("ConflictError", True)


async def test_a_project_that_is_not_there_has_no_status(depot: House, owner: Person) -> None:
    project = {"namespace": "alice", "status": "ARCHIVED"}
    assert (await refused(owner.client, "setProjectStatus", {**project, "project": "absent"}))[0] == "NotFoundError"
    assert (await refused(owner.client, "setProjectStatus", {**project, "project": "no name"}))[0] == "ValidationError"
