"""How each operation of the site is called, and what it takes. What is in none of these tables fails the matrix."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import zstandard
from cast import Cast, Thing
from conda_builder import build_conda
from entrepot.packagetype import AddressedTarget, DocumentTarget, FileTarget, NewestTarget, PackageType, PartTarget, Target
from entrepot.registry import Registry
from entrepot.shelf import ShelfType
from environment_builder import build_environment
from notebook_builder import build_notebook, code, picture, shown
from oracle import Answer, Level
from pypi_builder import build_wheel
from strawberry.relay.utils import to_base64

NAME = "thing"
WHEEL = build_wheel(NAME, "1.0")
CONDA = build_conda(NAME, "1.0")
NOTEBOOK = "Thing.ipynb", build_notebook(code("plot()", shown({"image/png": picture()})))
ENVIRONMENT = "thing.yml", build_environment("thing")
STOCK: Mapping[str, tuple[str, bytes]] = {"conda": CONDA, "pypi": WHEEL, "notebook": NOTEBOOK, "environment": ENVIRONMENT}
"""One file of each type, all of the package that is asked for."""

# -- what installers ask for ------------------------------------------------------------------------------------------

Meaning = tuple[str, str, str]
"""What a URL means: the package type, the kind of target, and the representation or extra."""


@dataclass(frozen=True)
class Address:
    """A URL below `/<type>/<namespace>/` that shows something of the package."""

    type: str
    rest: str
    accept: str = "*/*"
    shows: bytes = b""
    """What stands in the answer, where the answer is about more than this package."""


ADDRESSES = [
    Address("conda", "noarch/repodata.json", shows=b'"thing-1.0-0.conda"'),
    Address("conda", "noarch/repodata.json.zst", shows=b'"thing-1.0-0.conda"'),
    Address("conda", "noarch/repodata_shards.msgpack.zst", shows=b"\xa5thing"),
    Address("conda", "noarch/shards/{shard}.msgpack.zst"),
    Address("conda", f"noarch/{CONDA[0]}"),
    *(
        Address("pypi", rest, accept, shows)
        for accept in ("application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.v1+html", "text/html")
        for rest, shows in (("simple/", b"thing"), ("simple/thing/", b""))
    ),
    Address("pypi", f"files/{WHEEL[0]}"),
    Address("pypi", f"files/{WHEEL[0]}.metadata"),
    *(Address(type, "index.json", shows=b'"name":"thing"') for type in ("notebook", "environment")),
    *(Address(type, "thing/index.json") for type in ("notebook", "environment")),
    *(Address(type, f"thing/1.0/{STOCK[type][0]}") for type in ("notebook", "environment")),
    *(Address(type, f"thing/{STOCK[type][0]}") for type in ("notebook", "environment")),
    Address("notebook", "thing.ipynb"),
    Address("environment", "thing.yml"),
    Address("notebook", f"thing/1.0/{NOTEBOOK[0]}/thumbnail.png"),
]
INTERNAL = {("conda", "part", "fragment"), ("pypi", "part", "name")}
"""What documents are joined from, and no URL means."""


def meaning(type: PackageType, address: Address) -> Meaning:
    """What the type says of the address, as it stands in `every_meaning`."""
    target = type.locate(address.rest.replace("{shard}", "0" * 64), address.accept, "")
    assert target is not None, address
    return type.name, *_kind(target)


def _kind(target: Target) -> tuple[str, str]:
    match target:
        case DocumentTarget():
            return "document", target.representation
        case PartTarget():
            return "part", target.representation
        case AddressedTarget():
            return "shard", target.representation
        case FileTarget():
            return ("extra", "") if target.extra else ("file", "")
        case NewestTarget():
            return "newest", "of a name" if target.basename is None else "of a basename"
    raise AssertionError(target)


def every_meaning(registry: Registry, with_extras: set[str]) -> set[Meaning]:
    """All that the types can be asked for; `with_extras`: those whose files have any."""
    found: set[Meaning] = set()
    for name, type in registry.types.items():
        found |= {(name, "document", one.name) for one in type.document_representations}
        found |= {(name, "shard" if one.addressed else "part", one.name) for one in type.part_representations}
        found |= {(name, "file", "")} | ({(name, "extra", "")} if name in with_extras else set())
        if isinstance(type, ShelfType):
            found |= {(name, "newest", "of a name"), (name, "newest", "of a basename")}
    return found - INTERNAL


def reading(response: httpx.Response, address: Address) -> str:
    """What an installer's request came to."""
    if response.status_code == 200:
        body = response.content
        if response.headers["content-type"] == "application/zstd" and address.shows:
            body = zstandard.ZstdDecompressor().decompressobj().decompress(body)
        return Answer.SEEN if address.shows in body else Answer.MISSING
    return Answer.SEEN if response.has_redirect_location else refused(response)


def refused(response: httpx.Response) -> str:
    """What a refusal says."""
    known = {401: Answer.UNKNOWN, 403: Answer.DENIED, 404: Answer.MISSING}
    return known.get(response.status_code) or f"{response.status_code}: {response.text[:200]}"


# -- uploads ----------------------------------------------------------------------------------------------------------


def new_file(type: str, number: int) -> tuple[str, bytes]:
    """Another file of the package, of a version that there is not yet."""
    if type == "conda":
        return build_conda(NAME, f"2.{number}")
    if type == "pypi":
        return build_wheel(NAME, f"2.{number}")
    return {"notebook": NOTEBOOK[0], "environment": ENVIRONMENT[0]}[type], STOCK[type][1]


async def put(client: httpx.AsyncClient, namespace: str, type: str, number: int) -> httpx.Response:
    """Upload by PUT, the type said or not."""
    basename, body = new_file(type, number)
    query = {"package": NAME, "version": f"2.{number}"} | ({"type": type} if number % 2 else {})
    return await client.put(f"/upload/{namespace}/{basename}", params=query, content=body)


async def legacy(client: httpx.AsyncClient, namespace: str, slash: str, number: int) -> httpx.Response:
    """Upload a wheel as twine does."""
    basename, body = new_file("pypi", number)
    fields = {
        ":action": "file_upload",
        "protocol_version": "1",
        "metadata_version": "2.1",
        "name": NAME,
        "version": f"2.{number}",
        "filetype": "bdist_wheel",
        "pyversion": "py3",
        "sha256_digest": hashlib.sha256(body).hexdigest(),
    }
    return await client.post(f"/pypi/{namespace}/legacy{slash}", data=fields, files={"content": (basename, body)})


def uploading(response: httpx.Response) -> str:
    """What an upload came to."""
    return Answer.DONE if response.status_code in (200, 201) else refused(response)


UPLOADS: Mapping[str, Callable[[httpx.AsyncClient, str, str, int], Awaitable[httpx.Response]]] = {
    "/upload/{namespace}/{basename:anything}": put,
    "/pypi/{namespace}/legacy/": lambda client, namespace, type, number: legacy(client, namespace, "/", number),
    "/pypi/{namespace}/legacy": lambda client, namespace, type, number: legacy(client, namespace, "", number),
}
"""By the path of the route."""
OPEN_ROUTES = {
    "/healthz": "tells whether the process lives",
    "/readyz": "tells whether the site is ready",
    "/metrics": "has a setting of its own",
    "/graphql": "has the tables below",
    "/graphql/assets/{digest}/{name}": "what GraphiQL is made of",
    "/graphql/schema.graphql": "the schema",
    "/upload/-/{secret}": "takes a secret, and nothing else: test_one_time_urls.py",
}
"""Routes that show nothing of anybody's."""

# -- GraphQL ----------------------------------------------------------------------------------------------------------


def gid(kind: str, uuid: str) -> str:
    """A global id."""
    return to_base64(kind, uuid)


@dataclass(frozen=True)
class Mutation:
    """A mutation: what it takes, and how it is called on a package that is there for it alone."""

    level: Level
    input: Callable[[Thing, int], Mapping[str, Any]]
    on: str = "package"
    """`package`, `namespace`, or `self`: who asks."""
    hidden: bool = False
    """Whether who lacks the level does not see what it is about."""
    before: Callable[[Cast, Thing], Awaitable[Mapping[str, Any]]] | None = None
    """What must be there first; answers what joins the input."""


def files(thing: Thing) -> Mapping[str, Any]:
    return {"ids": [gid("CondaFile", thing.file)]}


async def _token_of_the_namespace(cast: Cast, thing: Thing) -> Mapping[str, Any]:
    from entrepot.services.tokens import create_token, list_tokens

    await create_token(cast.house.site.registry, owner=thing.namespace, name="to revoke")
    return {"tokenId": gid("Token", (await list_tokens(owner=thing.namespace))[0].id)}


MUTATIONS: Mapping[str, Mutation] = {
    "createPackage": Mutation(Level.WRITE, lambda thing, n: {"namespace": thing.namespace, "name": f"new-{n}"}, on="namespace"),
    "createUpload": Mutation(
        Level.WRITE,
        lambda thing, n: {"namespace": thing.namespace, "basename": CONDA[0], "package": f"new-{n}"},
        on="some package",
    ),
    "updatePackage": Mutation(Level.WRITE, lambda thing, n: {"packageId": gid("Package", thing.uuid), "summary": f"{n}"}),
    "updatePackage visibility": Mutation(
        Level.ADMIN, lambda thing, n: {"packageId": gid("Package", thing.uuid), "visibility": "PRIVATE" if n % 2 else "PUBLIC"}
    ),
    "deletePackage": Mutation(
        Level.ADMIN, lambda thing, n: {"packageId": gid("Package", thing.uuid), "confirmation": f"{thing.namespace}/{thing.name}"}
    ),
    "removeRelease": Mutation(Level.WRITE, lambda thing, n: {"releaseId": gid("Release", thing.release)}),
    "removeFiles": Mutation(Level.WRITE, lambda thing, n: {"files": files(thing)}),
    "addLabel": Mutation(Level.WRITE, lambda thing, n: {"files": files(thing), "label": f"l{n}"}),
    "removeLabel": Mutation(Level.WRITE, lambda thing, n: {"files": files(thing), "label": "main"}),
    "createToken": Mutation(Level.ADMIN, lambda thing, n: {"name": f"made {n}", "scopes": ["api:read"]}, on="self"),
    "revokeToken": Mutation(Level.ADMIN, lambda thing, n: {}, on="namespace", hidden=True, before=_token_of_the_namespace),
}
"""By the name of the field and, behind a space, what is special about the call."""


@dataclass(frozen=True)
class Query:
    """A root field, or a kind of node: how it is asked, and whom it answers."""

    text: str
    """`$namespace`, `$name`, `$uuid` … stand for what is asked for."""
    about: str = "package"
    """`package`; `everybody`: what is public; `self`; `secrets`: what takes admin on the namespace."""
    found: Callable[[Any, str], bool] = lambda found, namespace: bool(found)
    """Whether the answer shows it, by the namespace that was asked about."""


def listed(page: Any, namespace: str) -> bool:
    """Whether the package is on a page of packages."""
    return {"name": NAME, "namespace": {"name": namespace}} in page["nodes"]


QUERIES: Mapping[str, Query] = {
    "viewer": Query("{ found: viewer { name } }", "self"),
    "namespace": Query('{ found: namespace(name: "$namespace") { name } }', "everybody"),
    "package": Query('{ found: package(namespace: "$namespace", name: "$name") { name } }'),
    "packages": Query('{ found: packages(namespace: "$namespace", first: 100) { totalCount nodes { name namespace { name } } } }', found=listed),
    "packages search": Query('{ found: packages(search: "$name") { totalCount nodes { name namespace { name } } } }', found=listed),
    "packageTypes": Query("{ found: packageTypes { name } }", "anything"),
    "node": Query('{ found: node(id: "$Package") { id } }'),
}
NODES: Mapping[str, Query] = {
    "Package": Query('{ found: node(id: "$Package") { id } }'),
    "Release": Query('{ found: node(id: "$Release") { id } }'),
    "CondaFile": Query('{ found: node(id: "$CondaFile") { id } }'),
    "PypiFile": Query('{ found: node(id: "$PypiFile") { id } }'),
    "NotebookFile": Query('{ found: node(id: "$NotebookFile") { id } }'),
    "EnvironmentFile": Query('{ found: node(id: "$EnvironmentFile") { id } }'),
    "Label": Query('{ found: node(id: "$Label") { id } }'),
    "User": Query('{ found: node(id: "$User") { id } }', "everybody"),
    "Organization": Query('{ found: node(id: "$Organization") { id } }', "everybody"),
    "Token": Query('{ found: node(id: "$Token") { id } }', "secrets"),
}
"""By the type. `Label` is one that nothing but this package has."""


def asked(response: httpx.Response, query: Query, namespace: str) -> str:
    """What a query came to."""
    if response.status_code != 200:
        return refused(response)
    answer = response.json()
    if answer.get("errors"):
        return code_of(answer)
    found = answer["data"]["found"]
    return Answer.SEEN if found is not None and query.found(found, namespace) else Answer.MISSING


def changed(response: httpx.Response) -> str:
    """What a mutation came to."""
    if response.status_code != 200:
        return refused(response)
    answer = response.json()
    if answer.get("errors"):
        return code_of(answer)
    made = answer["data"]["found"]
    kinds = {"NotFoundError": Answer.MISSING, "PermissionDeniedError": Answer.DENIED}
    if made["__typename"].endswith("Payload"):
        return Answer.DONE
    return kinds.get(made["__typename"]) or f"{made['__typename']}: {made.get('message')}"


def code_of(answer: Mapping[str, Any]) -> str:
    codes: Sequence[str] = [error["extensions"]["code"] for error in answer["errors"]]
    known = {"UNAUTHENTICATED": Answer.UNKNOWN, "PERMISSION_DENIED": Answer.DENIED, "NOT_FOUND": Answer.MISSING}
    return known.get(codes[0]) or f"{answer['errors']}"
