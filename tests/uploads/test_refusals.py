"""What is wrong with an upload: each fault has its status and a sentence, and leaves no row and no byte."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
from entrepot.plugin import Inspection
from entrepot.registry import Registry
from house import House, Person, open_house, sentence
from plugin_builder import crate, plugin
from toy import ToyPlugin, build_toy

MIB = 1 << 20


async def chunks(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


@pytest.mark.parametrize(
    ("body", "query", "status", "words"),
    [
        (b"", {}, 422, "ball.toy is empty"),
        (b"nothing known", {}, 422, "a package of no type that this server knows (toy)"),
        (b"toy ball", {}, 422, "A toy begins with"),
        (build_toy("ball"), {"type": "conda"}, 422, "There is no package type 'conda' here. The types are: toy."),
        (b"nothing known", {"type": "toy"}, 422, "'ball.toy' is no toy package."),
        (build_toy("ball"), {"package": "doll"}, 422, "The file says that it is ball, the request says doll."),
        (build_toy("ball"), {"version": "2"}, 422, "The file says that it is version 1, the request says 2."),
        (build_toy("ball"), {"label": "a/b"}, 422, "'a/b' is no label"),
        (build_toy("ball"), {"label": ""}, 422, "'' is no label"),
        (build_toy("ball"), {"private": "perhaps"}, 400, "`private` takes true or false."),
        (build_toy("ball"), {"colour": "red"}, 400, "There is no parameter 'colour'"),
        (build_toy("x" * 256), {}, 422, "The name of this package has 256 characters; 255 is the most."),
        (build_toy("x\0y"), {}, 422, "The name of this package, 'x\\x00y', holds characters that cannot be printed."),
        (build_toy("ball", "1\x1b"), {}, 422, "The version of this package, '1\\x1b', holds characters"),
    ],
)
async def test_a_fault_has_its_status_and_leaves_nothing(
    house: House, alice: Person, body: bytes, query: dict[str, str], status: int, words: str
) -> None:
    response = await alice.client.put("/upload/alice/ball.toy", params=query, content=body)
    assert words in sentence(response, status)
    assert await house.left() == {}


async def test_a_parameter_that_is_given_twice_is_refused_but_for_label(house: House, alice: Person) -> None:
    response = await alice.client.put("/upload/alice/ball.toy?private=true&private=false", content=build_toy("ball"))
    assert sentence(response, 400) == "The parameter 'private' is given twice; only `label` may be."
    assert await house.left() == {}


@pytest.mark.parametrize("query", ["private=perhaps", "label=a%2Fb", "colour=red", "type=conda"])
async def test_what_the_url_says_is_checked_before_the_body_is_read(house: House, alice: Person, query: str) -> None:
    response = await alice.client.put(f"/upload/alice/ball.toy?{query}", content=build_toy("ball"))
    assert response.status_code in (400, 422)
    assert house.answered_unasked


async def test_a_name_may_differ_in_case_and_punctuation_from_what_the_request_says(house: House, alice: Person) -> None:
    made = await alice.has("ball.toy", build_toy("Big_Ball"), package="big-ball")
    assert made["package"] == "Big_Ball"


async def test_a_content_encoding_is_refused(house: House, alice: Person) -> None:
    client = alice.client
    client.headers["content-encoding"] = "gzip"
    assert "without Content-Encoding (gzip)" in sentence(await client.put("/upload/alice/ball.toy", content=build_toy("ball")), 400)
    assert await house.left() == {}


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PATCH"])
async def test_another_method_is_405(house: House, alice: Person, method: str) -> None:
    response = await alice.client.request(method, "/upload/alice/ball.toy")
    assert sentence(response, 405) == f"{method} is not possible at this address."
    assert response.headers["allow"] == "PUT"


# -- the limit --------------------------------------------------------------------------------------------------------


@pytest.fixture
async def small_house(house_data: Path) -> AsyncIterator[House]:
    async with open_house(house_data, Registry.of({"toy": ToyPlugin()}), max_upload=MIB, spool_memory=1000) as house:
        await house.person("alice")
        yield house


async def test_a_declared_length_over_the_limit_is_413_before_the_body_is_read(small_house: House) -> None:
    response = await small_house.people["alice"].put("ball.toy", bytes(MIB + 1))
    assert sentence(response, 413) == "The file is larger than the 1048576 bytes that this server takes (setting max_upload)."
    assert small_house.answered_unasked
    assert await small_house.left() == {}


async def test_a_body_without_a_length_is_413_as_soon_as_it_is_over_the_limit(small_house: House) -> None:
    response = await small_house.people["alice"].client.put("/upload/alice/ball.toy", content=chunks(*[bytes(MIB // 4)] * 100))
    sentence(response, 413)
    assert small_house.seen.index("answered") == 5
    assert await small_house.left() == {}


async def test_a_body_of_exactly_the_limit_is_taken(small_house: House) -> None:
    line = build_toy("ball")
    made = await small_house.people["alice"].has("ball.toy", line + bytes(MIB - len(line)))
    assert made["size"] == MIB


async def test_a_body_that_comes_in_single_bytes_is_the_same_body(small_house: House) -> None:
    body = build_toy("ball", filling=bytes(range(256)) * 10)
    response = await small_house.people["alice"].client.put("/upload/alice/ball.toy", content=chunks(*(body[i : i + 1] for i in range(len(body)))))
    assert response.status_code == 201
    assert (await small_house.anyone.get("/toy/alice/files/ball.toy")).content == body


# -- types that disagree, or fail -------------------------------------------------------------------------------------


@pytest.fixture
async def odd_house(house_data: Path) -> AsyncIterator[House]:
    def raising(*_: object) -> Inspection:
        raise RuntimeError("a fault of the plugin")

    def entries_fail(*_: object) -> Iterable[object]:
        raise RuntimeError("a fault of the plugin")

    def half_a_pair(*_: object) -> Inspection:
        return Inspection(name="one", version="1", summary="\ud83d")

    types = [
        crate(name="crate"),
        crate(name="box", detect=lambda self, file, basename: file.read(5) == b"crate"),
        crate(name="broken", inspect=raising),
        crate(name="entryless", entries=entries_fail),
        crate(name="surrogate", inspect=half_a_pair),
        crate(name="unnamed", inspect=lambda self, file, basename: Inspection(name="x", version="0", names_itself=False, versions_itself=False)),
    ]
    async with open_house(house_data, Registry.of({"odd": plugin(package_types=types)})) as house:
        await house.person("alice")
        yield house


async def test_a_file_that_several_types_claim_is_refused_with_their_names(odd_house: House) -> None:
    response = await odd_house.people["alice"].put("one", b"crate")
    assert "could be a package of the types box and crate. Say which it is with `type=`." in sentence(response, 422)
    assert await odd_house.left() == {}
    assert (await odd_house.people["alice"].has("one", b"crate", type="box"))["type"] == "box"


@pytest.mark.parametrize("name", ["broken", "entryless"])
async def test_a_plugin_that_fails_is_500_says_nothing_of_it_and_leaves_nothing_to_see(odd_house: House, name: str) -> None:
    response = await odd_house.people["alice"].put("one", name.encode())
    assert sentence(response, 500) == "Something went wrong on the server. Its log says what; try again, and tell the operator if it stays."
    assert await odd_house.left() == {}


async def test_half_a_pair_of_surrogates_is_refused(odd_house: House) -> None:
    assert "no text" in sentence(await odd_house.people["alice"].put("one", b"surrogate"), 422)
    assert await odd_house.left() == {}


async def test_a_file_without_a_name_inside_takes_what_the_request_says(odd_house: House) -> None:
    made = await odd_house.people["alice"].has("one", b"unnamed", package="Given", version="7")
    assert (made["package"], made["version"]) == ("Given", "7")


# -- the same path again ----------------------------------------------------------------------------------------------


async def test_the_same_bytes_again_are_200_and_change_nothing(house: House, alice: Person) -> None:
    first = await alice.has("ball.toy", build_toy("ball"))
    before = await house.left()
    again = await alice.put("ball.toy", build_toy("ball"), labels=["dev"])
    assert (again.status_code, again.json()) == (200, first)
    assert await house.left() == before


async def test_other_bytes_under_the_same_path_are_409(house: House, alice: Person) -> None:
    await alice.has("ball.toy", build_toy("ball"))
    before = await house.left()
    assert "File already exists: ball.toy is in alice with other bytes" in sentence(await alice.put("ball.toy", build_toy("ball", "2")), 409)
    assert await house.left() == before
    assert (await house.anyone.get("/toy/alice/files/ball.toy")).content == build_toy("ball")


async def test_the_same_bytes_in_two_namespaces_are_stored_once(house: House, alice: Person, bob: Person) -> None:
    await alice.has("ball.toy", build_toy("ball"))
    blobs = (await house.left())["stored"]
    await bob.has("ball.toy", build_toy("ball"))
    assert (await house.left())["stored"] == blobs
