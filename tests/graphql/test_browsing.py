"""What readers find: namespaces, packages, releases, files, labels, types."""

from __future__ import annotations

from entrepot.db.sql import execute
from stock import Ask, Stock, user

EVERYTHING = """{ package(namespace: "ALICE", name: "moby") {
    name summary description visibility createdAt updatedAt viewerPermission
    namespace { __typename name displayName viewerPermission }
    types { name title }
    labels { name locked namespace { name } }
    latestRelease { version files { nodes { path } } package { name } }
    releases { totalCount nodes { version } }
    facets { __typename type ... on BookFacet { name platforms fileCount shelf } }
    files { totalCount nodes {
        __typename path basename type version platform size sha256 md5 uploadedAt downloadUrl
        labels { name } uploadedBy { name } package { name } release { version }
        ... on BookFile { author pages notes }
        ... on MapFile { scale caption }
    } }
} }"""

CORE = {"size": 3_000_000_000, "sha256": "5" * 64, "md5": "2" * 32, "package": {"name": "Moby"}}
MAIN, DEV = {"name": "main"}, {"name": "dev"}
FILES = [
    CORE
    | {
        "__typename": "MapFile",
        "path": "Moby-2.0-1.map",
        "basename": "Moby-2.0.map",
        "type": "map",
        "version": "2.0",
        "platform": "",
        "uploadedAt": "2023-11-14T22:13:31.000Z",
        "downloadUrl": "https://packages.example/map/Alice/files/Moby-2.0-1.map",
        "labels": [DEV],
        "uploadedBy": None,
        "release": {"version": "2.0"},
        "scale": 25_000,
        "caption": "1:25000",
    },
    CORE
    | {
        "__typename": "BookFile",
        "path": "Moby-2.0-1.book",
        "basename": "Moby-2.0.book",
        "type": "book",
        "version": "2.0",
        "platform": "screen",
        "uploadedAt": "2023-11-14T22:13:27.000Z",
        "downloadUrl": "https://packages.example/book/Alice/files/Moby-2.0-1.book",
        "labels": [DEV, MAIN],
        "uploadedBy": None,
        "release": {"version": "2.0"},
        "author": "Anna",
        "pages": 600,
        "notes": ["cover"],
    },
    CORE
    | {
        "__typename": "BookFile",
        "path": "Moby-1.0-1.book",
        "basename": "Moby-1.0.book",
        "type": "book",
        "version": "1.0",
        "platform": "paper",
        "uploadedAt": "2023-11-14T22:13:24.000Z",
        "downloadUrl": "https://packages.example/book/Alice/files/Moby-1.0-1.book",
        "labels": [MAIN],
        "uploadedBy": {"name": "Alice"},
        "release": {"version": "1.0"},
        "author": "Anna",
        "pages": 0,
        "notes": [],
    },
]
"""Newest first."""
ANSWER = {
    "name": "Moby",
    "summary": "A whale",
    "description": "",
    "visibility": "PUBLIC",
    "createdAt": "2023-11-14T22:13:22.000Z",
    "updatedAt": "2023-11-14T22:13:22.000Z",
    "viewerPermission": "READ",
    "namespace": {"__typename": "User", "name": "Alice", "displayName": "", "viewerPermission": "READ"},
    "types": [{"name": "book", "title": "Book"}, {"name": "map", "title": "Map"}],
    "labels": [{**label, "locked": False, "namespace": {"name": "Alice"}} for label in (DEV, MAIN)],
    "latestRelease": {
        "version": "2.0",
        "files": {"nodes": [{"path": "Moby-2.0-1.map"}, {"path": "Moby-2.0-1.book"}]},
        "package": {"name": "Moby"},
    },
    "releases": {"totalCount": 2, "nodes": [{"version": "2.0"}, {"version": "1.0"}]},
    "facets": [{"__typename": "BookFacet", "type": "book", "name": "moby", "platforms": ["paper", "screen"], "fileCount": 2, "shelf": "sea"}],
    "files": {
        "totalCount": 3,
        "nodes": FILES,
    },
}


async def test_a_package_tells_everything_about_itself(ask: Ask, stock: Stock) -> None:
    alice = await stock.namespace("Alice")
    package = await stock.package(alice, "Moby", summary="A whale")
    await stock.binding(package, "book", shelf="sea")
    await stock.file(package, "1.0", platform="paper", by=alice)
    await stock.file(package, "2.0", platform="screen", labels=("main", "dev"), pages=600, extras=("cover",))
    await stock.file(package, "2.0", type="map", labels=("dev",))
    found = await ask(EVERYTHING)
    assert found["package"] == ANSWER


async def test_what_is_not_there_is_null(ask: Ask, stock: Stock) -> None:
    await stock.namespace("alice")
    found = await ask(
        """{ viewer { name } namespace(name: "bob") { name } package(namespace: "alice", name: "x") { name }
        other: package(namespace: "bob", name: "x") { name } packages(namespace: "bob") { totalCount nodes { name } } }"""
    )
    assert found == {"viewer": None, "namespace": None, "package": None, "other": None, "packages": {"totalCount": 0, "nodes": []}}


async def test_the_viewer_is_the_user_who_asks(ask: Ask, stock: Stock) -> None:
    alice = await stock.namespace("alice")
    found = await ask.as_(user(alice))("{ viewer { __typename name viewerPermission packages { totalCount } } }")
    assert found == {"viewer": {"__typename": "User", "name": "alice", "viewerPermission": "ADMIN", "packages": {"totalCount": 0}}}


async def test_an_organization_is_a_namespace_and_no_viewer(ask: Ask, stock: Stock) -> None:
    acme = await stock.namespace("acme", kind="organization")
    found = await ask.as_(user(acme))('{ viewer { name } namespace(name: "acme") { __typename ... on Organization { name } } }')
    assert found == {"viewer": None, "namespace": {"__typename": "Organization", "name": "acme"}}


async def test_a_token_that_only_reads_has_no_more_permission_than_to_read(ask: Ask, stock: Stock) -> None:
    alice = await stock.namespace("alice")
    await stock.package(alice, "moby", private=True)
    found = await ask.as_(user(alice, "api:read"))("{ viewer { viewerPermission packages { nodes { visibility viewerPermission } } } }")
    assert found["viewer"] == {"viewerPermission": "READ", "packages": {"nodes": [{"visibility": "PRIVATE", "viewerPermission": "READ"}]}}


async def test_the_latest_release_has_the_highest_version_not_the_last_upload(ask: Ask, stock: Stock) -> None:
    package = await stock.package(await stock.namespace("alice"), "moby")
    for version in ("9.0", "10.0", "2.0"):
        await stock.file(package, version)
    found = await ask("{ packages { nodes { latestRelease { version } releases { nodes { version } } } } }")
    assert found["packages"]["nodes"] == [
        {"latestRelease": {"version": "10.0"}, "releases": {"nodes": [{"version": "10.0"}, {"version": "9.0"}, {"version": "2.0"}]}}
    ]


async def test_a_file_of_a_type_without_graphql_fields_is_a_plain_file(ask: Ask, stock: Stock) -> None:
    await stock.file(await stock.package(await stock.namespace("alice"), "dear"), type="letter")
    found = await ask("{ packages { nodes { facets { type } files { nodes { __typename type downloadUrl } } } } }")
    file = {"__typename": "PlainFile", "type": "letter", "downloadUrl": "https://packages.example/letter/alice/files/dear-1.0-1.letter"}
    assert found["packages"]["nodes"] == [{"facets": [], "files": {"nodes": [file]}}]


async def test_files_of_a_plugin_that_is_not_loaded_are_left_out(ask: Ask, stock: Stock) -> None:
    package = await stock.package(await stock.namespace("alice"), "moby")
    await stock.file(package)
    lost = await stock.file(package, type="papyrus")
    found = await ask("{ packages { nodes { types { name } facets { type } installCommands { commands } files { totalCount nodes { type id } } } } }")
    (node,) = found["packages"]["nodes"]
    identity = node["files"]["nodes"][0].pop("id")
    assert node == {
        "types": [{"name": "book"}],
        "facets": [{"type": "book"}],
        "installCommands": [{"commands": ["read moby --from https://packages.example/book/alice"]}],
        "files": {"totalCount": 1, "nodes": [{"type": "book"}]},
    }
    assert identity != lost.uuid


async def test_package_types_are_listed_with_how_to_install_from_them(ask: Ask) -> None:
    found = await ask(
        """{ packageTypes { name title installCommands(namespace: "alice", package: "Moby", label: "Dev") { channel commands type { name } } } }"""
    )
    channel = "https://packages.example/book/alice/label/dev"
    assert found["packageTypes"][0] == {
        "name": "book",
        "title": "Book",
        "installCommands": {"channel": channel, "commands": [f"read moby --from {channel}"], "type": {"name": "book"}},
    }
    assert [one["name"] for one in found["packageTypes"]] == ["book", "letter", "map"]


async def test_install_commands_take_no_shell_code_for_a_name(ask: Ask) -> None:
    query = "query($n: String!, $p: String!, $l: String) { packageTypes { installCommands(namespace: $n, package: $p, label: $l) { commands } } }"
    for names in ({"n": "a;b", "p": "moby"}, {"n": "a", "p": "$(boom)"}, {"n": "a", "p": "moby", "l": "x y"}):
        errors = await ask.errors(query, **names)
        assert {error["extensions"]["code"] for error in errors} == {"VALIDATION_ERROR"}


async def test_a_package_is_installed_from_the_labels_its_files_have(ask: Ask, stock: Stock) -> None:
    package = await stock.package(await stock.namespace("alice"), "moby")
    await stock.file(package, labels=("dev",))
    await stock.file(package, type="map")
    found = await ask(
        """{ packages { nodes {
            main: installCommands { commands } dev: installCommands(label: "DEV") { channel } none: installCommands(label: "x") { channel }
        } } }"""
    )
    assert found["packages"]["nodes"] == [
        {
            "main": [{"commands": ["read moby --from https://packages.example/map/alice"]}],
            "dev": [{"channel": "https://packages.example/book/alice/label/dev"}],
            "none": [],
        }
    ]


async def test_without_a_known_address_install_commands_are_missing_and_the_rest_is_not(ask: Ask, stock: Stock) -> None:
    await stock.file(await stock.package(await stock.namespace("alice"), "moby"))
    data, errors = await ask.at("").both("{ packages { nodes { name installCommands { commands } files { nodes { downloadUrl } } } } }")
    file = {"downloadUrl": "/book/alice/files/moby-1.0-1.book"}
    assert data["packages"]["nodes"] == [{"name": "moby", "installCommands": None, "files": {"nodes": [file]}}]
    assert errors == ["The server does not know the address at which you reach it. Its operator has to set ENTREPOT_PUBLIC_URL."]


async def test_every_node_is_found_again_by_its_id(ask: Ask, stock: Stock) -> None:
    acme = await stock.namespace("acme", kind="organization")
    alice = await stock.namespace("alice")
    await stock.file(await stock.package(acme, "moby"), by=alice)
    await stock.file(await stock.package(alice, "globe"), type="map")
    found = await ask(
        """{ packages { nodes { id __typename namespace { id __typename } labels { id __typename } latestRelease { id __typename }
        files { nodes { id __typename } } } } }"""
    )
    nodes: list[dict[str, str]] = []
    for package in found["packages"]["nodes"]:
        nodes += [package["namespace"], *package["labels"], package["latestRelease"], *package["files"]["nodes"]]
        nodes.append({"id": package["id"], "__typename": "Package"})
    kinds = {"User", "Organization", "Label", "Release", "BookFile", "MapFile", "Package"}
    assert {node["__typename"] for node in nodes} == kinds
    assert len({node["id"] for node in nodes}) == 10
    for node in nodes:
        assert await ask("query($id: ID!) { node(id: $id) { id __typename } }", id=node["id"]) == {"node": node}


async def test_downloads_are_added_up_by_file_and_by_package(ask: Ask, stock: Stock) -> None:
    alice = await stock.namespace("alice")
    moby, dick = await stock.package(alice, "moby"), await stock.package(alice, "dick")
    first, second = await stock.file(moby, "1.0"), await stock.file(moby, "2.0")
    await stock.file(dick)
    for file, day, count in ((first, 20_000, 3), (first, 20_001, 4), (second, 20_001, 5_000_000_000)):
        await execute("INSERT INTO download (file_id, day, count) VALUES ($1, $2, $3)", file.id, day, count)
    found = await ask("{ packages { nodes { name downloads files { nodes { version downloads } } } } }")
    assert found["packages"]["nodes"] == [
        {"name": "dick", "downloads": 0, "files": {"nodes": [{"version": "1.0", "downloads": 0}]}},
        {
            "name": "moby",
            "downloads": 5_000_000_007,
            "files": {"nodes": [{"version": "2.0", "downloads": 5_000_000_000}, {"version": "1.0", "downloads": 7}]},
        },
    ]
