"""The list, the newest file, extras: with labels, tokens and private packages."""

from __future__ import annotations

import hashlib

import pytest
from entrepot.services.files import remove_file
from house import House, Person, sentence
from recipe import build_recipe


async def test_the_list_of_an_empty_shelf(kitchen: House) -> None:
    answer = await kitchen.anyone.get("/recipe/alice/index.json")
    assert (answer.status_code, answer.json()) == (200, {"packages": []})
    moved = await kitchen.anyone.get("/recipe/alice/")
    assert (moved.status_code, moved.headers["location"]) == (301, "index.json")
    sentence(await kitchen.anyone.get("/recipe/alice/cake/index.json"), 404)
    sentence(await kitchen.anyone.get("/recipe/nobody/index.json"), 404)


async def test_the_list_tells_every_package_and_file(kitchen: House, cook: Person) -> None:
    for version in ("1.10", "1.9"):
        await cook.has("cake.recipe", build_recipe(version), version=version)
    await cook.has("A B.recipe", build_recipe("x", "2"))
    answer = await kitchen.anyone.get("/recipe/alice/index.json")
    assert answer.headers["content-type"] == "application/json"
    listed = answer.json()["packages"]
    assert [(package["name"], [file["version"] for file in package["files"]]) for package in listed] == [("a-b", ["2"]), ("cake", ["1.9", "1.10"])]
    file = listed[0]["files"][0]
    assert file.pop("uploaded_at").endswith("Z")
    body = build_recipe("x", "2")
    digest = hashlib.sha256(body).hexdigest()
    assert file == {"version": "2", "basename": "A B.recipe", "path": "a-b/2/A%20B.recipe", "size": len(body), "sha256": digest, "words": 2}
    assert (await kitchen.anyone.get(f"/recipe/alice/{file['path']}")).content == body
    assert (await kitchen.anyone.get("/recipe/alice/cake/index.json")).json() == listed[1]


@pytest.mark.parametrize("url", ["cake.recipe", "CAKE.dish", "cake/cake.recipe"])
async def test_without_a_version_the_newest_is_meant(kitchen: House, cook: Person, url: str) -> None:
    for version in ("1.9", "1.10", "1.2"):
        await cook.has("cake.recipe", build_recipe(version), version=version)
        client = kitchen.anyone
        client.follow_redirects = True
        found = await client.get(f"/recipe/alice/{url}")
        newest = "1.10" if version != "1.9" else "1.9"
        assert (found.status_code, found.content) == (200, build_recipe(newest))
    moved = await kitchen.anyone.get(f"/recipe/alice/{url}")
    assert (moved.status_code, moved.headers["cache-control"], moved.headers["referrer-policy"]) == (302, "no-cache", "no-referrer")
    assert (await kitchen.anyone.head(f"/recipe/alice/{url}")).status_code == 302


async def test_the_newest_is_asked_anew_when_one_is_removed(kitchen: House, cook: Person) -> None:
    for version in ("1", "2"):
        await cook.has("cake.recipe", build_recipe(version), version=version)
    await remove_file(kitchen.site, actor=cook.actor, namespace="alice", type="recipe", path="cake/2/cake.recipe")
    assert (await kitchen.anyone.get("/recipe/alice/cake.recipe")).headers["location"] == "cake/1/cake.recipe"
    await remove_file(kitchen.site, actor=cook.actor, namespace="alice", type="recipe", path="cake/1/cake.recipe")
    sentence(await kitchen.anyone.get("/recipe/alice/cake.recipe"), 404)


async def test_several_files_of_a_package(kitchen: House, cook: Person) -> None:
    await cook.has("dough.recipe", build_recipe("dough"), package="cake", version="1")
    await cook.has("cream.dish", build_recipe("cream"), package="cake", version="1")
    await cook.has("dough.recipe", build_recipe("dough 0"), package="cake", version="0.5")
    newest = {
        url: (await kitchen.anyone.get(f"/recipe/alice/{url}")).headers.get("location") for url in ("cake.recipe", "cake/dough.recipe", "cake/x.dish")
    }
    assert newest == {"cake.recipe": "cake/1/cream.dish", "cake/dough.recipe": "../cake/1/dough.recipe", "cake/x.dish": None}


async def test_a_label_narrows_the_newest_and_the_list(kitchen: House, cook: Person) -> None:
    await cook.has("cake.recipe", build_recipe("1"), version="1")
    await cook.has("cake.recipe", build_recipe("2"), version="2", labels=["dev"])
    client = kitchen.anyone
    client.follow_redirects = True
    for below, version in (("", "1"), ("label/main/", "1"), ("label/dev/", "2")):
        for url in ("cake.recipe", "cake/cake.recipe"):
            found = await client.get(f"/recipe/alice/{below}{url}")
            assert (found.status_code, found.content) == (200, build_recipe(version)), found.url
        listed = (await client.get(f"/recipe/alice/{below}index.json")).json()["packages"]
        assert [file["version"] for package in listed for file in package["files"]] == [version]
    sentence(await client.get("/recipe/alice/label/other/cake.recipe"), 404)


async def test_a_token_in_the_path_stays_there(kitchen: House, cook: Person) -> None:
    await cook.has("cake.recipe", build_recipe(), private="true", version="1")
    for url in ("cake.recipe", "cake/cake.recipe", "cake/1/cake.recipe/photo.png", "index.json"):
        sentence(await kitchen.anyone.get(f"/recipe/alice/{url}"), 404) if url != "index.json" else None
        client = kitchen.anyone
        client.follow_redirects = True
        found = await client.get(f"/t/{cook.token}/recipe/alice/{url}")
        assert found.status_code == 200
        assert str(found.url).startswith(f"http://localhost/t/{cook.token}/recipe/alice/")
        assert all(cook.token not in step.headers["location"] for step in found.history)
        assert all(
            step.headers["cache-control"] == "private, no-cache" and "access-control-allow-origin" not in step.headers for step in found.history
        )
    assert (await kitchen.anyone.get("/recipe/alice/index.json")).json() == {"packages": []}


async def test_bobs_token_does_not_find_what_is_private(kitchen: House, cook: Person) -> None:
    await cook.has("cake.recipe", build_recipe(), private="true")
    told = sentence(await kitchen.people["bob"].client.get("/recipe/alice/cake.recipe"), 404)
    assert told == sentence(await kitchen.people["bob"].client.get("/recipe/alice/pie.recipe"), 404).replace("pie", "cake")


async def test_an_extra_is_served_below_its_file(kitchen: House, cook: Person) -> None:
    await cook.has("cake.recipe", build_recipe(), version="1")
    found = await kitchen.anyone.get("/recipe/alice/cake/1/cake.recipe/photo.png")
    assert (found.content, found.headers["content-type"]) == (b"photo", "image/png")
    assert found.headers["content-security-policy"].startswith("sandbox")
