"""A third party's plugin, from installation to removal: a package type, its URLs, its own table, its part of the GraphQL API.

Each test has a package of its own in alice's namespace, so that they can share a server.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest
from ground import Ground
from installed_server import Server, serving
from npm_builder import archive, integrity_of, publish_document


@pytest.fixture(scope="module")
def alice(server: Server) -> Iterator[httpx.Client]:
    """What npm sends when alice is logged in."""
    with server.client("all") as client:
        yield client


@pytest.fixture(scope="module")
def anyone(server: Server) -> Iterator[httpx.Client]:
    """A reader without a token."""
    with server.client() as client:
        yield client


def published(client: httpx.Client, name: str, *versions: str) -> None:
    for version in versions:
        answer = client.put(f"/npm/alice/{name}", json=publish_document(name, version))
        assert answer.status_code == 201, answer.text


MOVES = 'query ($name: String!) { npmTagMoves(namespace: "alice", package: $name) { tag version actor at } }'


# -- discovery --------------------------------------------------------------------------------------------------------


def test_the_server_serves_the_type_of_an_installed_plugin(server: Server) -> None:
    types = server.ask("{ packageTypes { name title } }")["data"]["packageTypes"]
    assert {"name": "npm", "title": "npm package"} in types
    assert {"conda", "pypi"} <= {one["name"] for one in types}


def test_the_schema_has_the_plugins_types_and_fields_with_their_descriptions(server: Server) -> None:
    query = """{ file: __type(name: "NpmFile") { interfaces { name } fields { name description } }
        facet: __type(name: "NpmFacet") { interfaces { name } }
        query: __schema { queryType { fields { name description args { name description } } } } }"""
    data = server.ask(query)["data"]
    assert {"name": "File"} in data["file"]["interfaces"]
    assert {"name": "PackageFacet"} in data["facet"]["interfaces"]
    assert {"sha256", "integrity", "distTags"} <= {field["name"] for field in data["file"]["fields"]}
    [field] = [field for field in data["query"]["queryType"]["fields"] if field["name"] == "npmTagMoves"]
    assert field["description"]
    assert all(argument["description"] for argument in field["args"])


# -- publishing -------------------------------------------------------------------------------------------------------


def test_a_published_package_is_one_document_with_its_versions_and_tags(alice: httpx.Client, anyone: httpx.Client) -> None:
    first = publish_document("kite", "1.9.0", dependencies={"string": "^2"})
    second = publish_document("kite", "1.10.0", bin={"kite": "kite.js"}, scripts={"postinstall": "make"})
    for document in (second, first):  # the order of versions is not that of uploads
        assert alice.put("/npm/alice/kite", json=document).status_code == 201
    answer = anyone.get("/npm/alice/kite")
    assert answer.headers["content-type"] == "application/json"
    packument = answer.json()
    assert (packument["name"], packument["dist-tags"]) == ("kite", {"latest": "1.9.0"})
    assert list(packument["versions"]) == ["1.9.0", "1.10.0"]
    older, newer = packument["versions"].values()
    assert older["dependencies"] == {"string": "^2"}
    assert (newer["bin"], newer["hasInstallScript"]) == ({"kite": "kite.js"}, True)
    assert older["dist"] == {**first["versions"]["1.9.0"]["dist"], "tarball": "/npm/alice/kite/-/kite-1.9.0.tgz"}


def test_the_archive_comes_back_as_it_went_in(alice: httpx.Client, anyone: httpx.Client) -> None:
    published(alice, "reel", "1.0.0")
    dist = anyone.get("/npm/alice/reel").json()["versions"]["1.0.0"]["dist"]
    answer = anyone.get(dist["tarball"])
    assert answer.status_code == 200
    assert integrity_of(answer.content) == dist["integrity"]
    assert hashlib.sha1(answer.content).hexdigest() == dist["shasum"]
    assert answer.headers["etag"].strip('"').startswith(hashlib.sha256(answer.content).hexdigest()[:16])


def test_all_packages_of_a_namespace_are_one_document_joined_from_the_packages(alice: httpx.Client, anyone: httpx.Client) -> None:
    published(alice, "sail-a", "1.0.0", "1.1.0")
    published(alice, "sail-b", "0.1.0")
    before = anyone.get("/npm/alice/-/all")
    assert before.json()["sail-a"] == {"name": "sail-a", "dist-tags": {"latest": "1.1.0"}, "versions": ["1.0.0", "1.1.0"]}
    published(alice, "sail-b", "0.2.0")
    after = anyone.get("/npm/alice/-/all")
    assert after.json()["sail-a"] == before.json()["sail-a"]
    assert after.json()["sail-b"]["versions"] == ["0.1.0", "0.2.0"]
    assert list(after.json()) == sorted(after.json())
    assert after.headers["etag"] != before.headers["etag"]


def test_an_unchanged_document_is_not_sent_again(alice: httpx.Client, anyone: httpx.Client) -> None:
    published(alice, "vane", "1.0.0")
    tag = anyone.get("/npm/alice/vane").headers["etag"]
    assert anyone.get("/npm/alice/vane", headers={"If-None-Match": tag}).status_code == 304
    published(alice, "other-vane", "1.0.0")
    assert anyone.get("/npm/alice/vane", headers={"If-None-Match": tag}).status_code == 304
    published(alice, "vane", "1.0.1")
    assert anyone.get("/npm/alice/vane", headers={"If-None-Match": tag}).status_code == 200


def test_the_servers_own_upload_takes_npm_archives_too_and_latest_is_then_the_highest_release(alice: httpx.Client, anyone: httpx.Client) -> None:
    for version in ("1.0.0", "2.0.0", "3.0.0-rc.1"):
        content = archive({"name": "rope", "version": version})
        answer = alice.put(f"/upload/alice/rope-{version}.tgz", content=content)
        assert (answer.status_code, answer.json()["type"], answer.json()["path"]) == (201, "npm", f"rope/-/rope-{version}.tgz")
    assert anyone.get("/npm/alice/rope").json()["dist-tags"] == {"latest": "2.0.0"}


def test_the_same_version_again_changes_nothing_and_another_content_is_a_conflict(alice: httpx.Client) -> None:
    published(alice, "spar", "1.0.0")
    assert alice.put("/npm/alice/spar", json=publish_document("spar", "1.0.0")).status_code == 200
    assert alice.put("/npm/alice/spar", json=publish_document("spar", "1.0.0", license="MIT")).status_code == 409


def test_only_who_may_write_may_publish(server: Server, anyone: httpx.Client) -> None:
    document = publish_document("anchor", "1.0.0")
    assert anyone.put("/npm/alice/anchor", json=document).status_code == 401
    with server.client("all", user="bob") as bob:
        assert bob.put("/npm/alice/anchor", json=document).status_code == 403
    with server.client("npm:download") as reader:
        assert reader.put("/npm/alice/anchor", json=document).status_code == 403
    assert anyone.get("/npm/alice/anchor").status_code == 404


@pytest.mark.parametrize(
    ("change", "status", "sentence"),
    [
        ({"name": "another"}, 422, "The document is about 'another', the URL about 'buoy'"),
        ({"versions": {}}, 422, "Publish one version at a time"),
        ({"_attachments": {"buoy-1.0.0.tgz": {"data": "%%%"}}}, 422, "no base64"),
        ({"_attachments": {"buoy-1.0.0.tgz": {"data": "aGVsbG8="}}, "versions": {"1.0.0": {}}}, 422, "'buoy-1.0.0.tgz' is no npm package"),
        ({"_attachments": {"buoy-1.0.0.tgz": {"data": ""}}, "versions": {"1.0.0": {}}}, 422, ""),
        ({"versions": {"1.0.0": {"dist": {"shasum": "0" * 40}}}}, 422, "The archive's shasum is"),
        ({"versions": {"2.0.0": {}}}, 422, "2.0.0"),
        ({"dist-tags": {"latest": 1}}, 422, "`dist-tags` must map tags to versions"),
        ({"dist-tags": []}, 422, "`dist-tags` must be an object"),
    ],
)
def test_a_document_that_contradicts_itself_is_refused_with_a_sentence(
    alice: httpx.Client, change: dict[str, object], status: int, sentence: str
) -> None:
    answer = alice.put("/npm/alice/buoy", json={**publish_document("buoy", "1.0.0"), **change})
    assert answer.status_code == status
    assert sentence in answer.json()["detail"]
    assert alice.get("/npm/alice/buoy").status_code == 404


def test_a_body_that_is_no_json_is_refused(alice: httpx.Client) -> None:
    assert alice.put("/npm/alice/buoy", content=b"{").status_code == 400
    assert alice.put("/npm/alice/buoy", content=b"[]").status_code == 422


def test_a_document_over_the_limit_is_refused_before_it_is_sent(alice: httpx.Client) -> None:
    connection = HTTPConnection(alice.base_url.host, alice.base_url.port, timeout=60)
    connection.putrequest("PUT", "/npm/alice/buoy")
    connection.putheader("Authorization", alice.headers["authorization"])
    connection.putheader("Content-Length", str(1 << 30))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_a_name_with_a_scope_is_refused_with_a_sentence(alice: httpx.Client) -> None:
    for answer in (alice.put("/npm/alice/@kites%2ftail", json={}), alice.get("/npm/alice/@kites%2ftail")):
        assert answer.status_code in (404, 422)
        assert "scope" in answer.json()["detail"]


# -- dist-tags: state that restates entries, and a table of the plugin's own -------------------------------------------


def test_a_tag_that_moves_changes_the_document_and_is_remembered(server: Server, alice: httpx.Client, anyone: httpx.Client) -> None:
    published(alice, "tail", "1.0.0", "2.0.0")
    before = anyone.get("/npm/alice/tail")
    assert before.json()["dist-tags"] == {"latest": "2.0.0"}
    assert alice.put("/npm/alice/-/package/tail/dist-tags/latest", json="1.0.0").status_code == 201
    after = anyone.get("/npm/alice/tail")
    assert after.json() == {**before.json(), "dist-tags": {"latest": "1.0.0"}}
    assert after.headers["etag"] != before.headers["etag"]
    assert anyone.get("/npm/alice/-/all").json()["tail"]["dist-tags"] == {"latest": "1.0.0"}
    assert anyone.get("/npm/alice/-/package/tail/dist-tags").json() == {"latest": "1.0.0"}
    moves = server.ask(MOVES, name="tail")["data"]["npmTagMoves"]
    assert [(move["tag"], move["version"], move["actor"]) for move in moves] == [
        ("latest", "1.0.0", "alice"),
        ("latest", "2.0.0", "alice"),
        ("latest", "1.0.0", "alice"),
    ]
    assert moves[0]["at"] >= moves[1]["at"] >= moves[2]["at"]


def test_a_tag_can_be_added_and_removed(server: Server, alice: httpx.Client, anyone: httpx.Client) -> None:
    published(alice, "knot", "1.0.0")
    assert alice.put("/npm/alice/-/package/knot/dist-tags/next", json="1.0.0").status_code == 201
    assert anyone.get("/npm/alice/knot").json()["dist-tags"] == {"latest": "1.0.0", "next": "1.0.0"}
    assert alice.delete("/npm/alice/-/package/knot/dist-tags/next").status_code == 200
    assert anyone.get("/npm/alice/knot").json()["dist-tags"] == {"latest": "1.0.0"}
    assert alice.delete("/npm/alice/-/package/knot/dist-tags/next").status_code == 404
    moves = server.ask(MOVES, name="knot")["data"]["npmTagMoves"]
    assert [(move["tag"], move["version"]) for move in moves] == [("next", None), ("next", "1.0.0"), ("latest", "1.0.0")]


def test_a_refused_move_leaves_the_tags_and_the_table_alone(server: Server, alice: httpx.Client, anyone: httpx.Client) -> None:
    published(alice, "hook", "1.0.0")
    url = "/npm/alice/-/package/hook/dist-tags"
    with server.client("all", user="bob") as bob, server.client("npm:upload") as uploader:
        refusals = [
            (alice.put(f"{url}/latest", json="9.0.0"), 422),  # no such version
            (alice.put(f"{url}/latest", json="one"), 422),
            (alice.put(f"{url}/v2", json="1.0.0"), 422),  # a tag that reads as a version
            (alice.put(f"{url}/latest", json={"version": "1.0.0"}), 400),
            (alice.put(f"{url}/latest", content=b"1.0.0"), 400),
            (alice.put("/npm/alice/-/package/missing/dist-tags/latest", json="1.0.0"), 404),
            (anyone.put(f"{url}/next", json="1.0.0"), 401),
            (bob.put(f"{url}/next", json="1.0.0"), 403),
            (uploader.put(f"{url}/next", json="1.0.0"), 403),  # lacks the plugin's own scope
        ]
    assert [(answer.status_code, answer.text) for answer, status in refusals if answer.status_code != status] == []
    assert anyone.get("/npm/alice/hook").json()["dist-tags"] == {"latest": "1.0.0"}
    assert len(server.ask(MOVES, name="hook")["data"]["npmTagMoves"]) == 1


def test_the_plugins_own_scope_lets_a_token_move_tags(server: Server, alice: httpx.Client) -> None:
    published(alice, "line", "1.0.0")
    with server.client("npm:upload", "npm:tag") as tagger:
        assert tagger.put("/npm/alice/-/package/line/dist-tags/next", json="1.0.0").status_code == 201


def test_the_history_of_what_is_not_there_is_empty(server: Server) -> None:
    assert server.ask(MOVES, name="missing")["data"]["npmTagMoves"] == []


def test_the_history_is_bounded(server: Server) -> None:
    answer = server.ask('{ npmTagMoves(namespace: "alice", package: "tail", first: 1000) { tag } }')
    assert "`first` is between 0 and 100" in answer["errors"][0]["message"]


def test_a_channel_narrowed_to_a_label_has_its_versions_and_their_tags(alice: httpx.Client, anyone: httpx.Client) -> None:
    published(alice, "winch", "1.0.0")
    content = archive({"name": "winch", "version": "2.0.0"})
    assert alice.put("/upload/alice/winch-2.0.0.tgz", content=content, params={"label": "dev"}).status_code == 201
    assert alice.put("/npm/alice/-/package/winch/dist-tags/next", json="2.0.0").status_code == 201
    stable, narrowed = (anyone.get(f"/npm/alice{label}/winch").json() for label in ("", "/label/dev"))
    assert (list(stable["versions"]), stable["dist-tags"]) == (["1.0.0"], {"latest": "1.0.0"})
    assert (list(narrowed["versions"]), narrowed["dist-tags"]) == (["2.0.0"], {"next": "2.0.0", "latest": "2.0.0"})
    assert set(anyone.get("/npm/alice/label/dev/-/all").json()) == {"winch"}


# -- GraphQL ----------------------------------------------------------------------------------------------------------


def test_files_and_packages_say_in_graphql_what_npm_knows_of_them(server: Server, alice: httpx.Client) -> None:
    document = publish_document("frame", "1.0.0", dependencies={"stick": "^3"}, peerDependencies={"wind": "*"})
    assert alice.put("/npm/alice/frame", json=document).status_code == 201
    assert alice.put("/npm/alice/-/package/frame/dist-tags/next", json="1.0.0").status_code == 201
    query = """{ package(namespace: "alice", name: "frame") {
        types { name }
        facets { __typename type ... on NpmFacet { distTags { tag version } } }
        installCommands { commands }
        files { nodes { __typename basename path downloadUrl ... on NpmFile { shasum integrity distTags dependencies { kind name range } } } } } }"""
    package = server.ask(query)["data"]["package"]
    tags = [{"tag": "latest", "version": "1.0.0"}, {"tag": "next", "version": "1.0.0"}]
    assert package["types"] == [{"name": "npm"}]
    assert package["facets"] == [{"__typename": "NpmFacet", "type": "npm", "distTags": tags}]
    assert package["installCommands"] == [{"commands": [f"npm install frame --registry={server.url}/npm/alice/"]}]
    [file] = package["files"]["nodes"]
    assert httpx.get(file.pop("downloadUrl")).content == base64.b64decode(document["_attachments"]["frame-1.0.0.tgz"]["data"])
    assert file == {
        "__typename": "NpmFile",
        "basename": "frame-1.0.0.tgz",
        "path": "frame/-/frame-1.0.0.tgz",
        **document["versions"]["1.0.0"]["dist"],
        "distTags": ["latest", "next"],
        "dependencies": [{"kind": "dependencies", "name": "stick", "range": "^3"}, {"kind": "peerDependencies", "name": "wind", "range": "*"}],
    }


MOVE = """mutation ($input: NpmMoveTagInput!) { npmMoveTag(input: $input) {
    __typename ... on NpmMoveTagPayload { distTags { tag version } } ... on Error { message } } }"""


def move(client: httpx.Client, name: str, **input: str | None) -> httpx.Response:
    return client.post("/graphql", json={"query": MOVE, "variables": {"input": {"namespace": "alice", "package": name, **input}}})


def test_a_mutation_of_the_plugin_moves_a_tag_and_its_refusals_are_typed(server: Server, alice: httpx.Client, anyone: httpx.Client) -> None:
    published(alice, "loop", "1.0.0")
    moved = move(alice, "loop", tag="next", version="1.0.0").json()["data"]["npmMoveTag"]
    assert moved["distTags"] == [{"tag": "latest", "version": "1.0.0"}, {"tag": "next", "version": "1.0.0"}]
    assert anyone.get("/npm/alice/loop").json()["dist-tags"] == {"latest": "1.0.0", "next": "1.0.0"}
    with server.client("all", user="bob") as bob, server.client("api") as api:
        refusals = [
            move(alice, "missing", tag="next", version="1.0.0"),
            move(bob, "loop", tag="next", version="1.0.0"),
            move(api, "loop", tag="next", version="1.0.0"),  # lacks the plugin's own scope
            move(alice, "loop", tag="next", version="9.0.0"),
        ]
    kinds = [answer.json()["data"]["npmMoveTag"]["__typename"] for answer in refusals]
    assert kinds == ["NotFoundError", "PermissionDeniedError", "PermissionDeniedError", "ValidationError"]


def test_no_mutation_of_a_plugin_runs_without_the_cores_own_scope(server: Server, alice: httpx.Client, anyone: httpx.Client) -> None:
    published(alice, "twist", "1.0.0")
    with server.client("npm", "api:read") as reader:
        answers = [move(client, "twist", tag="next", version="1.0.0").json() for client in (anyone, reader)]
    assert [answer["errors"][0]["extensions"]["code"] for answer in answers] == ["UNAUTHENTICATED", "PERMISSION_DENIED"]
    assert [answer["data"] for answer in answers] == [None, None]
    assert anyone.get("/npm/alice/twist").json()["dist-tags"] == {"latest": "1.0.0"}


# -- without the plugin -----------------------------------------------------------------------------------------------


def test_without_the_plugin_nothing_of_it_is_there(site_packages: Path, tmp_path: Path, ground: Ground) -> None:
    with serving(tmp_path, site_packages) as before:
        assert before.entrepot("user", "create", "alice").returncode == 0
        with before.client("all") as alice:
            published(alice, "kite", "1.0.0")
            kept = alice.get("/npm/alice/kite").content
        assert before.entrepot("check").returncode == 0
    with serving(tmp_path, None) as without, without.client("all") as alice:
        assert "npm" not in {one["name"] for one in without.ask("{ packageTypes { name } }")["data"]["packageTypes"]}
        assert without.ask('{ file: __type(name: "NpmFile") { name } facet: __type(name: "NpmFacet") { name } }')["data"] == {
            "file": None,
            "facet": None,
        }
        assert "npmTagMoves" in without.ask(MOVES, name="kite")["errors"][0]["message"]
        assert without.ask("{ packages { nodes { name facets { type } types { name } } } }").get("errors") is None
        assert alice.get("/npm/alice/kite").status_code == 404
        assert alice.put("/npm/alice/kite", json=publish_document("kite", "2.0.0")).status_code in (404, 405)
        assert alice.put("/upload/alice/kite-2.0.0.tgz", content=archive({"name": "kite", "version": "2.0.0"})).status_code == 422
        assert without.entrepot("token", "create", "alice", "--name", "x", "--scope", "npm:tag").returncode != 0
        assert without.entrepot("check").returncode == 0
    with serving(tmp_path, site_packages) as again, again.client() as anyone:
        assert anyone.get("/npm/alice/kite").content == kept
        assert len(again.ask(MOVES, name="kite")["data"]["npmTagMoves"]) == 1
