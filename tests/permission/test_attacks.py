"""What somebody would try who means harm: files that a browser would run, names that look like the site's own, inputs that are too large."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from cast import ACME, ALICE, Cast
from conda_builder import build_conda
from entrepot.contract import CORE_SEGMENTS, KEPT_NAMES
from entrepot.db.sql import fetch
from entrepot.graphql.schema import build_schema
from entrepot.registry import Registry
from graphql import GraphQLInputObjectType, GraphQLSchema, get_named_type
from notebook_builder import build_notebook, code, markdown, picture, shown

from .mutations import MUTATIONS, OPEN, Call
from .operations import ADDRESSES, NAME
from .queries import gid
from .stocked import shard_of, stocked

# -- files that a browser would run -----------------------------------------------------------------------------------

ACTIVE = ("text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/xml", "text/javascript", "application/javascript")
SCRIPT = "<script>alert(1)</script><svg onload=alert(1)>"


async def test_no_answer_of_ours_runs_in_a_browser(everybody: Cast) -> None:
    """Files are downloads, in a sandbox; documents may do nothing; and none is guessed to be something else."""
    await stocked(everybody, ACME, private=False)
    shard = await shard_of(everybody, ACME)
    for address in ADDRESSES:
        response = await everybody.house.anyone.get(
            f"/{address.type}/{ACME}/{address.rest.replace('{shard}', shard)}", headers={"accept": address.accept}, follow_redirects=True
        )
        assert response.status_code == 200, address
        kind, policy = response.headers["content-type"].partition(";")[0], response.headers["content-security-policy"]
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in policy
        is_document = kind.startswith(("text/html", "application/json", "application/zstd", "application/vnd.pypi"))
        if not is_document or "content-disposition" in response.headers:
            assert response.headers["content-disposition"].startswith("attachment")
            assert "sandbox" in policy
            assert kind not in ACTIVE


@pytest.mark.parametrize(
    ("type", "basename", "body"),
    [
        ("notebook", "a.ipynb", build_notebook(markdown(SCRIPT), code(SCRIPT, shown({"text/html": SCRIPT, "image/svg+xml": SCRIPT})))),
        ("notebook", "b.ipynb", build_notebook(code("", shown({"image/png": picture(), "text/html": SCRIPT})))),
        ("environment", "a.yml", f"name: a\ndependencies:\n  - python\n# {SCRIPT}\n".encode()),
        ("conda", *build_conda("active", "1.0", index={"license": SCRIPT})),
    ],
)
async def test_a_file_with_a_script_is_a_download(everybody: Cast, type: str, basename: str, body: bytes) -> None:
    query = {"package": "active", "version": "1.0", "type": type}
    made = await everybody.insider(ALICE).put(f"/upload/{ALICE}/{basename}", params=query, content=body)
    assert made.status_code == 201, made.text
    for name in ("", "/thumbnail.png"):
        response = await everybody.house.anyone.get(made.json()["url"] + name)
        if response.status_code == 200:
            assert response.headers["content-disposition"].startswith("attachment")
            assert response.headers["content-type"] in ("application/octet-stream", "image/png")
            assert response.headers["content-security-policy"].startswith("sandbox")
    for basename in ("x.html", "x.svg", "x.xhtml", "x.js"):
        refused = await everybody.insider(ALICE).put(
            f"/upload/{ALICE}/{basename}", params={"package": "active", "version": "2"}, content=SCRIPT.encode()
        )
        assert refused.status_code == 422


# -- names ------------------------------------------------------------------------------------------------------------


def look_alikes() -> Iterator[str]:
    """Names that are, or look like, the first segments of the site's own URLs."""
    for name in sorted(CORE_SEGMENTS | KEPT_NAMES | Registry.built_in().reserved_names):
        yield name
        yield name.upper()
    yield from ("graphqⅼ", "ａpi", "аpi", "api\u200b", "-", ".", "..", "_", "-api", "a/b", "a%2Fb", "a b", "a\n", "", " ", "x" * 65, "ẞ", "ı", "＠")


async def test_nothing_is_named_like_the_sites_own_addresses(everybody: Cast) -> None:
    root = everybody.client(everybody.roles["site administrator"])
    text = "mutation ($name: String!) { %s(input: {name: $name}) { __typename } }"
    for name in look_alikes():
        for field in ("createOrganization", "createUser"):
            answer = (await root.post("/graphql", json={"query": text % field, "variables": {"name": name}})).json()
            assert answer["data"][field]["__typename"] == "ValidationError", (name, answer)


async def test_a_name_is_one_persons_in_every_spelling(everybody: Cast) -> None:
    root = everybody.client(everybody.roles["site administrator"])
    for name in ("alice", "ALICE", "Acme"):
        for field in ("createOrganization", "createUser"):
            answer = (await root.post("/graphql", json={"query": f'mutation {{ {field}(input: {{name: "{name}"}}) {{ __typename }} }}'})).json()
            assert answer["data"][field]["__typename"] == "ConflictError"


# -- inputs -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(Registry.built_in())._schema


HOSTILE: dict[str, Any] = {"huge": "x" * 300_000, "many lines": "x\n" * 100_000, "NUL": "a\0b", "half of a pair": "a\ud800b", "nothing": ""}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_no_text_breaks_a_mutation(everybody: Cast, schema: GraphQLSchema, kind: str) -> None:
    """Each text of each input, one at a time: refused with a sentence, or taken where it may be; never an error of the server's."""
    assert schema.mutation_type is not None
    thing = await stocked(everybody, ACME, private=False)
    role = everybody.roles["site administrator"]
    for name in [*MUTATIONS, *OPEN]:
        field = schema.mutation_type.fields[name.partition(" ")[0]]
        of = get_named_type(field.args["input"].type)
        assert isinstance(of, GraphQLInputObjectType)
        mutation = MUTATIONS.get(name)
        call = Call(role, thing, everybody.number)
        given = dict(mutation.input(call)) if mutation else {"name": "bob", "password": "a wrong password"}
        given = {one: value for one, value in given.items() if one in of.fields}
        for argument, definition in of.fields.items():
            if get_named_type(definition.type).name not in ("String", "ID") or argument in ("oldPassword", "password"):
                continue
            is_list = "[" in str(definition.type)
            variables = {"input": given | {argument: [HOSTILE[kind]] if is_list else HOSTILE[kind]}}
            text = f"mutation ($input: {field.args['input'].type}) {{ done: {name.partition(' ')[0]}(input: $input) {{ __typename }} }}"
            body = json.dumps({"query": text, "variables": variables}).encode()  # in ASCII: half of a pair too can be said so
            response = await everybody.client(role).post("/graphql", content=body, headers={"content-type": "application/json"})
            assert response.status_code in (200, 400, 413), (name, argument, response.status_code)
            codes = {error["extensions"]["code"] for error in response.json().get("errors", ())}
            assert codes <= {"BAD_REQUEST", "NOT_FOUND", "VALIDATION_ERROR", "PERMISSION_DENIED"}, (name, argument, response.text[:300])
            assert len(response.content) < 5_000, (name, argument)


async def test_a_thousand_files_are_the_most_that_are_named_and_labels_are_bounded(everybody: Cast) -> None:
    thing = await stocked(everybody, ACME, private=False)
    client = everybody.insider(ACME)
    ids = ", ".join(f'"{gid("CondaFile", thing.file)}"' for _ in range(3000))
    text = "mutation { removeFiles(input: {files: {ids: [%s]}}) { __typename } }"
    refused = await client.post("/graphql", json={"query": text % ids})
    assert refused.status_code in (200, 400)
    assert refused.json().get("errors")
    query = "mutation ($ids: [ID!]!) { removeFiles(input: {files: {ids: $ids}}) { __typename } }"
    many = [gid("CondaFile", f"{number:036}") for number in range(1500)]
    answer = (await client.post("/graphql", json={"query": query, "variables": {"ids": many}})).json()
    assert answer["data"]["removeFiles"]["__typename"] == "ValidationError"
    labels = [f"l{number}" for number in range(5_000)]
    query = "mutation ($l: [String!]!, $f: [ID!]!) { copyFiles(input: {labels: $l, files: {ids: $f}}) { __typename } }"
    answer = (await client.post("/graphql", json={"query": query, "variables": {"l": labels, "f": [gid("CondaFile", thing.file)]}})).json()
    assert answer["data"]["copyFiles"]["__typename"] == "ValidationError"


# -- visibility -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["organization owner", "group write on this", "collaborator", "organization's token", "site administrator"])
async def test_no_upload_flips_a_visibility_whoever_sends_it(everybody: Cast, role: str) -> None:
    """Nor does it add anything beside."""
    await stocked(everybody, ACME, private=True)
    before = await everybody.house.left()
    basename, body = build_conda(NAME, "8.0")
    for private in ("false", "0", "no", "FALSE"):
        response = await everybody.client(everybody.roles[role]).put(f"/upload/{ACME}/{basename}", params={"private": private}, content=body)
        assert response.status_code == 409, response.text
    assert (await everybody.house.left()) == before
    [row] = await fetch("SELECT private FROM package WHERE name = $1 AND namespace_id = $2", NAME, everybody.ids[ACME])
    assert row["private"]
    made = await everybody.client(everybody.roles[role]).put(f"/upload/{ACME}/{basename}", content=body)
    assert made.status_code == 201
    assert (await everybody.house.anyone.get(made.json()["url"])).status_code == 404
