"""A release has one sdist (rule 18 of what PyPI asks) and one wheel for its tags, whatever their spelling and wherever they come from."""

from __future__ import annotations

import asyncio
import io
from hashlib import sha256

import httpx
import pytest
from changes import change, done, look
from entrepot.plugin import Services, StoredFile, Strictness
from entrepot_pypi.packagetype import PypiType
from house import House, Person
from pypi_builder import build_sdist, build_wheel

FIRST, ZIP = build_sdist("Foo", "1.0"), build_sdist("Foo", "1.0", format="zip")
DASHED, OTHER = build_sdist("Foo", "1.0", basename="Foo-1.0.0.tar.gz"), build_sdist("Foo", "1.0", files={"other.py": b""})
WHEEL = build_wheel("Foo", "1.0")
TOLD = "The release 1.0 of foo has the sdist foo-1.0.tar.gz, and a release has one alone."


def stored(path: str, pypi: PypiType) -> StoredFile:
    """A file as it would be published."""
    described = pypi.inspect(io.BytesIO(WHEEL[1]), WHEEL[0])
    return StoredFile(
        namespace="alice",
        package="Foo",
        name="foo",
        version="1.0",
        path=path,
        basename=path,
        size=1,
        sha256="",
        md5="",
        blake2b="",
        uploaded_at=0,
        attributes=described.attributes,
        state={},
        package_state={},
        extras={},
    )


@pytest.mark.parametrize(
    ("path", "siblings", "objected"),
    [
        ("foo-1.0.tar.gz", [], False),
        ("foo-1.0.tar.gz", [WHEEL[0], "foo-1.0-cp311-cp311-win32.whl"], False),
        (WHEEL[0], ["foo-1.0.tar.gz", "foo-1.0.zip"], False),
        ("foo-1.0.zip", ["foo-1.0.tar.gz"], True),
        ("foo-1.0.tar.gz", [WHEEL[0], "foo-1.0.zip"], True),
        ("Foo-1.0.0.tar.gz", ["foo-1.0.tar.gz"], True),
        (WHEEL[0], ["foo-1.0-1-py3-none-any.whl", "foo-1.0-py2-none-any.whl", "foo-1.0-py2.py3-none-any.whl", "foo-1.0-py3-abi3-any.whl"], False),
        (WHEEL[0], ["foo-1.0.zip", "foo-1.0-py2-none-any.whl", "Foo-1.0-py3-none-any.whl"], True),
        (WHEEL[0], ["foo-1.0.0-py3-none-any.whl"], True),
        (WHEEL[0], ["foo-1.0-py3-none-ANY.whl"], True),
        ("foo-1.0-py3.py2-none-any.whl", ["foo-1.0-py2.py3-none-any.whl"], True),
        (
            "foo-1.0-1a-py3-none-any.whl",
            [WHEEL[0], "foo-1.0-1-py3-none-any.whl", "foo-1.0-0-py3-none-any.whl", "foo-1.0-10a-py3-none-any.whl"],
            False,
        ),
        ("foo-1.0-01a-py3-none-any.whl", ["foo-1.0-1A-py3-none-any.whl"], True),
        ("foo-1.0-0-py3-none-any.whl", [WHEEL[0]], False),
    ],
)
def test_a_second_sdist_and_a_second_spelling_of_a_wheel_are_objected_to_and_nothing_else(
    pypi: PypiType, path: str, siblings: list[str], objected: bool
) -> None:
    assert [objection.since for objection in pypi.admit(stored(path, pypi), siblings)] == [Strictness.PRIVATE] * objected


async def as_form(person: Person, built: tuple[str, bytes], filetype: str = "sdist") -> httpx.Response:
    """Publish as twine does."""
    python = "source" if filetype == "sdist" else "py3"
    told = {"name": "foo", "version": "1.0", "filetype": filetype, "pyversion": python, "sha256_digest": sha256(built[1]).hexdigest()}
    data = {":action": "file_upload", **told}
    return await person.client.post("/pypi/alice/legacy/", data=data, files={"content": built})


async def listed(depot: House, namespace: str = "alice") -> list[str]:
    """What the index offers."""
    page = await depot.anyone.get(f"/pypi/{namespace}/simple/foo/", headers={"accept": "application/vnd.pypi.simple.v1+json"})
    return sorted(file["filename"] for file in page.json()["files"])


async def test_a_second_sdist_is_refused_everywhere_and_leaves_nothing(depot: House, owner: Person) -> None:
    await owner.has(*FIRST)
    await owner.has(*WHEEL, labels=["dev"])
    before = await depot.rows()
    for built in (ZIP, DASHED):
        answer = await as_form(owner, built)
        assert (answer.status_code, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")
        assert (
            answer.text == f"{TOLD} Raise the version, or remove foo-1.0.tar.gz before you publish {built[0]}. "
            "(`entrepot import` takes such files, and so does a namespace whose strictness is IMPORT.)\n"
        )
        refused = await owner.put(*built, labels=["dev"])
        assert (refused.status_code, refused.json()["detail"].startswith(TOLD)) == (409, True)
    assert (await as_form(owner, FIRST)).status_code == 200
    assert (await owner.put(*FIRST)).status_code == 200
    assert await depot.rows() == before
    await owner.has(*build_sdist("Foo", "1.1", format="zip"))


async def test_a_wheel_under_another_spelling_is_refused_as_other_bytes_of_its_name_are(depot: House, owner: Person) -> None:
    await owner.has(*WHEEL)
    before = await depot.rows()
    for basename in ("Foo-1.0-py3-none-any.whl", "foo-1.0.0-py3-none-any.whl", "foo-1.0-py3-none-ANY.whl"):
        other = build_wheel("Foo", "1.0", files={"foo.py": b"evil"}, basename=basename)
        answer = await as_form(owner, other, "bdist_wheel")
        assert answer.status_code == 400
        assert f"The release 1.0 of foo has the wheel {WHEEL[0]} already, with the same tags and build number. " in answer.text
    assert (await as_form(owner, WHEEL, "bdist_wheel")).status_code == 200
    assert await depot.rows() == before
    await owner.has(*build_wheel("Foo", "1.0", basename="foo-1.0-2-py3-none-any.whl"))


async def test_an_sdist_gives_way_to_other_bytes_of_its_own_path_and_to_another_once_it_is_removed(depot: House, owner: Person) -> None:
    await owner.has(*FIRST)
    async with Services(depot.site).upload(owner.actor, namespace="alice") as upload:
        await upload.write(OTHER[1])
        assert (await upload.publish(basename=OTHER[0], replaces=True)).created
    assert (await owner.put(*ZIP)).status_code == 409
    address = {"namespace": "alice", "type": "pypi", "path": OTHER[0]}
    await done(owner.client, "removeFiles", {"files": {"addresses": [address]}})
    await owner.has(*ZIP)
    assert await listed(depot) == [ZIP[0]]


async def test_a_namespace_that_takes_old_files_takes_a_second_sdist_and_copies_go_by_their_target(depot: House, owner: Person) -> None:
    bob = await depot.person("bob")
    own = (await look(owner.client, "{ viewer { id } }"))["viewer"]["id"]
    await done(owner.client, "updateNamespace", {"namespaceId": own, "strictness": "IMPORT"})
    await owner.has(*FIRST)
    await owner.has(*ZIP)
    assert await listed(depot) == [FIRST[0], ZIP[0]]

    def copy(*paths: str) -> dict[str, object]:
        return {"files": {"addresses": [{"namespace": "alice", "type": "pypi", "path": path} for path in paths]}, "namespace": "bob"}

    await bob.has(*WHEEL)
    before = await depot.rows()
    kind = await change(bob.client, "copyFiles", copy(FIRST[0], ZIP[0]))
    assert (kind["__typename"], "and a release has one alone" in kind["message"]) == ("ConflictError", True)
    assert await depot.rows() == before
    await done(bob.client, "copyFiles", copy(ZIP[0]))
    kind = await change(bob.client, "copyFiles", copy(FIRST[0]))
    assert (kind["__typename"], "has the sdist foo-1.0.zip" in kind["message"]) == ("ConflictError", True)
    assert await listed(depot, "bob") == [WHEEL[0], ZIP[0]]
    theirs = (await look(bob.client, "{ viewer { id } }"))["viewer"]["id"]
    await done(bob.client, "updateNamespace", {"namespaceId": theirs, "strictness": "IMPORT"})
    await done(bob.client, "copyFiles", copy(FIRST[0]))
    assert await listed(depot, "bob") == [WHEEL[0], FIRST[0], ZIP[0]]


async def test_of_two_sdists_that_come_at_once_one_is_taken(depot: House, owner: Person) -> None:
    for number in range(4):  # the first time neither package nor release are there
        pair = [build_sdist("foo", f"{number}.0", format=format) for format in ("tar.gz", "zip")]
        answers = await asyncio.gather(*(owner.put(*built) for built in pair))
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        assert [answer.json()["detail"].partition(" has the sdist ")[0] for answer in answers if answer.status_code == 409] == [
            f"The release {number}.0 of foo"
        ]
        assert len(await listed(depot)) == number + 1
