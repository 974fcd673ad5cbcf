"""The built-in types through the front: strange versions, negotiation, redirects, standing documents."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
from conda_builder import build_conda
from entrepot.registry import Registry
from house import House, Person, open_house, sentence
from pypi_builder import build_wheel

SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"


@pytest.fixture
async def depot(house_data: Path) -> AsyncIterator[House]:
    """A house with the built-in types, and its own name in the world."""
    async with open_house(house_data, Registry.built_in(), public_url="https://packages.example") as house:
        await house.person("alice")
        yield house


async def test_epochs_and_local_versions_go_in_and_come_out(depot: House, owner: Person) -> None:
    wheel, conda = build_wheel("ball", "1!2.0+local.1"), build_conda("ball", "1!2.0+local.1")
    for (basename, body), folder in ((wheel, "/pypi/alice/files"), (conda, "/conda/alice/noarch")):
        made = await owner.has(basename.replace("+", "%2B").replace("!", "%21"), body)
        assert made["basename"] == basename
        for spelt in (basename, basename.replace("+", "%2B"), basename.replace("!", "%21").replace("+", "%2b")):
            assert (await depot.anyone.get(f"{folder}/{spelt}")).content == body
        assert (await depot.anyone.get(made["url"])).content == body
    page = (await depot.anyone.get("/pypi/alice/simple/ball/", headers={"accept": SIMPLE_JSON})).json()
    assert (await depot.anyone.get(f"https://packages.example/pypi/alice/simple/ball/{page['files'][0]['url']}")).content == wheel[1]
    assert conda[0] in json.loads((await depot.anyone.get("/conda/alice/noarch/repodata.json")).content)["packages.conda"]


async def test_negotiated_pages_vary_and_have_etags_of_their_own(depot: House, owner: Person) -> None:
    await owner.has(*build_wheel("ball", "1.0"))
    etags = set()
    for accept, media_type in [(SIMPLE_JSON, SIMPLE_JSON), ("text/html", "text/html; charset=utf-8"), ("*/*", "text/html; charset=utf-8")]:
        for path in ("simple/", "simple/ball/"):
            response = await depot.anyone.get(f"/pypi/alice/{path}", headers={"accept": accept})
            assert response.headers["content-type"] == media_type
            assert response.headers["vary"] == "Accept, Accept-Encoding"
            etags.add((path, response.headers["etag"]))
            other = SIMPLE_JSON if accept != SIMPLE_JSON else "text/html"
            again = await depot.anyone.get(f"/pypi/alice/{path}", headers={"accept": other, "if-none-match": response.headers["etag"]})
            assert again.status_code == 200
    assert len(etags) == 4
    sentence(await depot.anyone.get("/pypi/alice/simple/", headers={"accept": "image/png"}), 406)


@pytest.mark.parametrize("path", ["simple", "simple/Big_Ball", "simple/Big_Ball/", "simple/big-ball", ""])
async def test_redirects_work_below_the_path_the_token_and_the_host(depot: House, owner: Person, path: str) -> None:
    await owner.has(*build_wheel("Big_Ball", "1.0"), private="true")
    token = owner.token
    for base in (
        f"https://packages.example/t/{token}/pypi/alice/",
        f"https://packages.example/pypi/t/{token}/alice/",
        f"https://pypi.packages.example/t/{token}/alice/",
        f"https://packages.example/t/{token}/pypi/alice/label/main/",
    ):
        client = depot.anyone
        client.follow_redirects = True
        response = await client.get(base + path)
        assert response.status_code == 200, response.url
        assert "big" in response.text.lower()
        assert str(response.url).startswith(base)
        assert all(token not in step.headers["location"] for step in response.history)


async def test_urls_in_the_older_documents_work_for_whoever_asked(depot: House, owner: Person) -> None:
    """Absolute for who can send a header; relative for who has the token in the path, which an absolute one would lose."""
    basename, body = build_wheel("ball", "1.0")
    await owner.has(basename, body, private="true")
    site, token = "https://packages.example", owner.token
    for base in (f"{site}/t/{token}/pypi/alice/", f"{site}/pypi/t/{token}/alice/", f"https://pypi.packages.example/t/{token}/alice/", ""):
        etags = set()
        for rest in ("pypi/ball/json", "pypi/ball/1.0/json", "label/main/pypi/ball/json"):
            url = (base or f"{site}/pypi/alice/") + rest
            reader = depot.anyone if base else owner.client
            for encoding in ("identity", "gzip"):
                answer = await reader.get(url, headers={"accept-encoding": encoding})
                assert (answer.status_code, token in answer.text) == (200, False)
                [file] = answer.json()["urls"]
                etags.add(answer.headers["etag"])
                assert file["url"].startswith("../" if base else f"{site}/pypi/alice/files/")
                assert (await reader.get(urljoin(url, file["url"]))).content == body
        assert len(etags) > 1


PUBLIC_AND_PRIVATE = {"ball": "false", "hidden": "true"}


async def test_what_is_for_reading_takes_nothing_and_tells_nothing(depot: House, owner: Person) -> None:
    """405 and not 404: uv tells its user then that this is the index, not where to publish."""
    for name, private in PUBLIC_AND_PRIVATE.items():
        await owner.has(*build_wheel(name, "1.0"), private=private)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answers = set()
        for project in (*PUBLIC_AND_PRIVATE, "absent"):
            for rest in (f"simple/{project}/", f"simple/{project}", f"files/{project}-1.0-py3-none-any.whl", f"pypi/{project}/json"):
                answer = await depot.anyone.request(method, f"/pypi/alice/{rest}", content=b"x")
                answers.add((sentence(answer, 405), answer.headers["allow"]))
        for path in (
            "/pypi/alice/simple/",
            "/pypi/alice/",
            "/pypi/nobody/simple/",
            "/pypi/alice/label/dev/simple/",
            "/conda/alice/noarch/repodata.json",
        ):
            answer = await owner.client.request(method, path, content=b"x")
            answers.add((sentence(answer, 405), answer.headers["allow"]))
        assert answers == {(f"{method} is not possible at this address.", "GET, HEAD")}
        sentence(await owner.client.request(method, "/pypi/alice/nothing/of/that/kind", content=b"x"), 404)
    assert (await depot.anyone.get("/pypi/alice/simple/ball/")).status_code == 200


async def test_a_new_channel_is_there_before_its_first_package(depot: House, owner: Person) -> None:
    for name in ("repodata.json", "repodata.json.zst", "repodata_shards.msgpack.zst"):
        assert (await depot.anyone.get(f"/conda/alice/noarch/{name}")).status_code == 200
        sentence(await depot.anyone.get(f"/conda/alice/linux-64/{name}"), 404)
        sentence(await depot.anyone.get(f"/conda/alice/label/dev/noarch/{name}"), 404)
    await owner.has(*build_conda("ball", "1.0", subdir="linux-64"), labels=["dev"])
    for path in ("noarch/repodata.json", "label/dev/noarch/repodata.json", "label/dev/linux-64/repodata.json"):
        assert (await depot.anyone.get(f"/conda/alice/{path}")).status_code == 200
    sentence(await depot.anyone.get("/conda/alice/linux-64/repodata.json"), 404)


async def test_a_token_for_one_type_does_nothing_in_another(depot: House, owner: Person) -> None:
    client = await owner.scoped("conda")
    name, body = build_wheel("ball", "1.0")
    assert "pypi:upload" in sentence(await client.put(f"/upload/alice/{name}", content=body), 403)
    assert "pypi:upload" in sentence(await client.put(f"/upload/alice/{name}?type=pypi", content=body), 403)
    assert depot.answered_unasked
    assert await depot.left() == {}
    await owner.has(name, body, private="true")
    assert (await client.get(f"/pypi/alice/files/{name}")).status_code == 404
    assert "ball" not in (await client.get("/pypi/alice/simple/")).text
