"""How each URL of the site is asked for, by installers and by who uploads. A route or a target that is in none of these tables fails the matrix."""

from __future__ import annotations

import ast
import hashlib
import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import zstandard
from conda_builder import build_conda
from entrepot.packagetype import PackageType
from entrepot.registry import Registry
from entrepot.shelf import ShelfType
from entrepot.targets import AddressedTarget, DocumentTarget, FileTarget, NewestTarget, NoticesTarget, PartTarget, Target
from environment_builder import build_environment
from notebook_builder import build_notebook, code, picture, shown
from oracle import Answer
from pypi_builder import build_wheel

NAME = "thing"
WHEEL = build_wheel(NAME, "1.0")
CONDA = build_conda(NAME, "1.0")
NOTEBOOK = "Thing.ipynb", build_notebook(code("plot()", shown({"image/png": picture()})))
ENVIRONMENT = "thing.yml", build_environment("thing")
STOCK: Mapping[str, tuple[str, bytes]] = {"conda": CONDA, "pypi": WHEEL, "notebook": NOTEBOOK, "environment": ENVIRONMENT}
"""One file of each type, all of the package that is asked for."""

# -- what installers ask for ------------------------------------------------------------------------------------------

Meaning = tuple[str, str, str]
"""What a URL means: the package type, the kind of target, and the document and representation, the representation, or the extra."""


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
    Address("conda", "noarch/repodata_from_packages.json", shows=b'"thing-1.0-0.conda"'),
    Address("conda", "noarch/run_exports.json", shows=b'"thing-1.0-0.conda"'),
    Address("conda", "noarch/run_exports.json.zst", shows=b'"thing-1.0-0.conda"'),
    Address("conda", "channeldata.json", shows=b'"thing"'),
    Address("conda", "noarch/repodata_shards.msgpack.zst", shows=b"\xa5thing"),
    Address("conda", "noarch/shards/{shard}.msgpack.zst"),
    Address("conda", f"noarch/{CONDA[0]}"),
    *(
        Address("pypi", rest, accept, shows)
        for accept in ("application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.v1+html", "text/html")
        for rest, shows in (("simple/", b"thing"), ("simple/thing/", b""))
    ),
    Address("pypi", "pypi/thing/json"),
    Address("pypi", "pypi/thing/1.0/json"),
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
TOLD = [Address("conda", "notices.json", shows=b"Down on Sunday.")]
"""URLs that show what is said to everybody who may ask at all, of no package."""
INTERNAL = {*(("conda", "part", name) for name in ("fragment", "run_exports", "channeldata")), ("pypi", "part", "name")}
"""What documents are joined from, and no URL means."""


def meaning(type: PackageType, address: Address) -> Meaning:
    """What the type says of the address, as it stands in `every_meaning`."""
    target = type.locate(address.rest.replace("{shard}", "0" * 64), address.accept, "")
    assert target is not None, address
    return type.name, *_kind(target)


def _kind(target: Target) -> tuple[str, str]:
    match target:
        case DocumentTarget():
            return "document", f"{target.document} {target.representation}"
        case PartTarget():
            return "part", target.representation
        case AddressedTarget():
            return "shard", target.representation
        case FileTarget():
            return ("extra", target.extra) if target.extra else ("file", "")
        case NewestTarget():
            return "newest", "of a name" if target.basename is None else "of a basename"
        case NoticesTarget():
            return "notices", ""
    raise AssertionError(target)


def every_meaning(registry: Registry, entries: set[Meaning], extras: set[tuple[str, str]]) -> set[Meaning]:
    """All that the types can be asked for; `entries` (type, document, representation) and `extras`: what the files of each have made."""
    found: set[Meaning] = {(type, "extra", name) for type, name in extras}
    for name, type in registry.types.items():
        made_of = {one.name: one.entries for one in type.part_representations}
        found |= {
            (name, "document", f"{document} {one.name}")
            for made_by, document, representation in entries
            for one in type.document_representations
            if made_by == name and made_of[one.parts] in (representation, None)
        }
        found |= {(name, "shard" if one.addressed else "part", one.name) for one in type.part_representations}
        found.add((name, "file", ""))
        if isinstance(type, ShelfType):
            found |= {(name, "newest", "of a name"), (name, "newest", "of a basename")}
        if type.__class__.render_notices is not PackageType.render_notices:
            found.add((name, "notices", ""))
    return found - INTERNAL


def words(type: PackageType) -> set[str]:
    """Every text in the source of a package type that could stand in a URL: whatever it looks for there is among them."""
    folder = Path(inspect.getfile(type.__class__)).parent
    sources = [file.read_text() for file in folder.glob("*.py")]
    found = {
        node.value for source in sources for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    found |= {constant for constant in type.locate.__func__.__code__.co_consts if isinstance(constant, str)}  # type: ignore[attr-defined]  # a method
    return {word.strip("/") for word in found if re.fullmatch(r"[\w./-]{1,60}", word)}


def unsaid(type: PackageType) -> list[str]:
    """URLs made of the words of a package type that lead to something else than what they say."""
    forms = ("{}", "{}/", "noarch/{}", "noarch/shards/{}", "simple/{}/", "files/{}", "thing/{}", "thing/1.0/{}")
    rests = [form.format(word) for word in sorted(words(type)) for form in forms]
    return [rest for rest in rests if not _says(type, rest, type.locate(rest, "*/*", ""))]


def _says(type: PackageType, rest: str, target: Target | None) -> bool:
    match target:
        case DocumentTarget():
            known = (type.name, *_kind(target)) in {meaning(type, one) for one in ADDRESSES if one.type == type.name}
            return known or rest == f"{target.document}/{target.representation}"
        case PartTarget():
            return target.part in re.sub(r"[-_.]+", "-", rest.lower()).split("/") or target.part in rest.lower().split("/")  # as PyPI folds names
        case AddressedTarget():
            return target.sha256 in rest
        case FileTarget():
            ways = {one.lower() for one in (target.path, f"{target.path}/{target.extra}", f"{target.path}.{target.extra}")}
            return bool(ways & {rest.lower(), rest.lower().removeprefix("files/")})
        case NewestTarget():
            return target.name in rest.lower()
    return True


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


async def quetz(client: httpx.AsyncClient, channel: str, number: int) -> httpx.Response:
    """Upload a conda package as quetz's clients do."""
    basename, body = new_file("conda", number)
    return await client.post(f"/conda/api/channels/{channel}/upload/{basename}", content=body)


async def prefix(client: httpx.AsyncClient, channel: str, number: int) -> httpx.Response:
    """Upload a conda package as rattler-build does to prefix.dev."""
    return await client.post(f"/conda/api/v1/upload/{channel}", files={"file": new_file("conda", number)})


def uploading(response: httpx.Response) -> str:
    """What an upload came to."""
    return Answer.DONE if response.status_code in (200, 201) else refused(response)


UPLOADS: Mapping[tuple[str, str], Callable[[httpx.AsyncClient, str, str, int], Awaitable[httpx.Response]]] = {
    ("PUT", "/upload/{namespace}/{basename:anything}"): put,
    ("POST", "/pypi/{namespace}/legacy/"): lambda client, namespace, type, number: legacy(client, namespace, "/", number),
    ("POST", "/pypi/{namespace}/legacy"): lambda client, namespace, type, number: legacy(client, namespace, "", number),
    ("POST", "/conda/api/channels/{channel:path}/upload/{basename}"): lambda client, namespace, type, number: quetz(client, namespace, number),
    ("POST", "/conda/api/v1/upload/{channel:path}"): lambda client, namespace, type, number: prefix(client, namespace, number),
}
"""By the method and the path of the route."""


def types_by(path: str) -> Sequence[str]:
    """The types whose files can be uploaded there."""
    first = path.split("/")[1]
    return (first,) if first in STOCK else tuple(STOCK)


OPEN_ROUTES = {
    ("GET", "/healthz"): "tells whether the process lives",
    ("GET", "/readyz"): "tells whether the site is ready",
    ("GET", "/metrics"): "has a setting of its own",
    ("", "/graphql"): "has the tables below; takes GET and POST, and refuses the others: tests/graphql",
    ("GET", "/graphql/assets/{digest}/{name}"): "what GraphiQL is made of",
    ("GET", "/graphql/schema.graphql"): "the schema",
    ("PUT", "/upload/-/{secret}"): "takes a secret, and nothing else: test_one_time_urls.py",
}
"""Routes that show nothing of anybody's."""
