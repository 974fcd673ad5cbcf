"""What is private to others is answered as what is not there: the same bytes, the same headers, and the same work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import md5
from itertools import product

import httpx
import pytest
from cast import ACME, Cast, Thing
from conda_builder import build_conda
from entrepot.db import sql
from entrepot.db.models import new_uuid
from entrepot.db.sql import fetch
from entrepot.graphql.schema import build_schema
from entrepot.metrics import RENDERS
from entrepot.registry import Registry
from pypi_builder import build_wheel

from .mutations import PACKAGES, Call
from .operations import ADDRESSES, NAME, Address, new_file
from .queries import gid
from .stocked import shard_of, stocked

CLOSED_TOO = pytest.mark.parametrize("anonymous_read", [True, False], ids=["open", "closed"])
OUTSIDERS = ("anonymous", "stranger", "group admin on other", "collaborator elsewhere", "bound to other")
ABSENT = "think"
"""A package that is not there, whose name is as long."""
VOLATILE = {"date", "x-request-id", "request-id"}


def shape(response: httpx.Response, *words: tuple[str, str]) -> tuple[int, dict[str, str], str]:
    """An answer, with words replaced: what two that are alike have in common."""
    body, headers = response.text, {name: value for name, value in response.headers.items() if name not in VOLATILE}
    for word, other in words:
        body = body.replace(word, other)
    return response.status_code, headers, body


def refusal(everybody: Cast, outsider: str) -> int:
    """How an installer is refused."""
    return 401 if outsider == "anonymous" and not everybody.world.open else 404


def own(address: Address) -> bool:
    """Whether the address is of the package alone, and no document."""
    return not address.shows


@CLOSED_TOO
async def test_urls_of_a_hidden_package_answer_as_urls_of_none(everybody: Cast) -> None:
    await stocked(everybody, ACME, private=True)
    shard = await shard_of(everybody, ACME)
    for outsider, address in product(OUTSIDERS, filter(own, ADDRESSES)):
        client = everybody.client(everybody.roles[outsider])
        path = f"/{address.type}/{ACME}/{address.rest.replace('{shard}', shard)}"
        for label in ("", "/label/rare"):
            hidden = path.replace(f"/{ACME}/", f"/{ACME}{label}/")
            absent = hidden.replace(NAME, ABSENT).replace(NAME.title(), ABSENT.title()).replace(shard, "0" * 64)
            assert absent != hidden
            answers = [await client.get(one, headers={"accept": address.accept}) for one in (hidden, absent)]
            words = ((NAME, ABSENT), (NAME.title(), ABSENT.title()), (shard, "0" * 64))
            assert answers[0].status_code == refusal(everybody, outsider), hidden
            assert shape(answers[0], *words) == shape(answers[1], *words), hidden


@CLOSED_TOO
async def test_a_label_that_only_hidden_files_have_is_none(everybody: Cast) -> None:
    await stocked(everybody, ACME, private=True)
    for outsider, address in product(OUTSIDERS, ADDRESSES):
        if not own(address):
            client, base = everybody.client(everybody.roles[outsider]), f"/{address.type}/{ACME}/label"
            answers = [await client.get(f"{base}/{label}/{address.rest}", headers={"accept": address.accept}) for label in ("rare", "bare")]
            assert answers[0].status_code == refusal(everybody, outsider)
            assert shape(answers[0], ("rare", "bare")) == shape(answers[1], ("rare", "bare")), (outsider, address)


async def test_an_upload_to_a_hidden_package_is_refused_as_one_to_none(everybody: Cast) -> None:
    await stocked(everybody, ACME, private=True)
    for outsider, private in product(OUTSIDERS[1:], ("true", "false", "")):
        answers = []
        for name in (NAME, ABSENT):
            basename, body = new_file("environment", 1)
            query = {"package": name, "version": "9", "type": "environment"} | ({"private": private} if private else {})
            answers.append(await everybody.client(everybody.roles[outsider]).put(f"/upload/{ACME}/{basename}", params=query, content=body))
        assert answers[0].status_code == 403
        assert shape(answers[0], (NAME, ABSENT)) == shape(answers[1], (NAME, ABSENT)), outsider


async def test_a_form_for_a_hidden_package_is_refused_as_one_for_none(everybody: Cast) -> None:
    await stocked(everybody, ACME, private=True)
    for outsider in OUTSIDERS:
        answers = []
        for name in (NAME, ABSENT):
            basename, body = build_wheel(name, "9.0")
            fields = {":action": "file_upload", "name": name, "version": "9.0", "filetype": "bdist_wheel", "pyversion": "py3"}
            fields["md5_digest"] = md5(body).hexdigest()
            client = everybody.client(everybody.roles[outsider])
            answers.append(await client.post(f"/pypi/{ACME}/legacy/", data=fields, files={"content": (basename, body)}))
        assert answers[0].status_code == (401 if outsider == "anonymous" else 403)
        assert shape(answers[0], (NAME, ABSENT)) == shape(answers[1], (NAME, ABSENT)), outsider


async def test_what_one_gives_out_oneself_takes_no_hidden_package(everybody: Cast) -> None:
    """Neither a group of one's own organization nor a token of one's own: whether the id is of a hidden package, or of none."""
    hidden = await stocked(everybody, ACME, private=True)
    for outsider in ("stranger", "collaborator elsewhere"):
        client = everybody.client(everybody.roles[outsider])
        organization = f"own{everybody.number}"
        text = f'mutation {{ createOrganization(input: {{name: "{organization}"}}) {{ __typename }} }}'
        assert (await client.post("/graphql", json={"query": text})).json()["data"]["createOrganization"]["__typename"].endswith("Payload")
        text = f"""mutation {{ made: createGroup(input: {{organization: "{organization}", name: "mine", permission: READ}}) {{
            ... on CreateGroupPayload {{ group {{ id }} }} }} }}"""
        group = (await client.post("/graphql", json={"query": text})).json()["data"]["made"]["group"]["id"]
        for field, given in (
            ("addGroupPackage", f'groupId: "{group}"'),
            ("removeGroupPackage", f'groupId: "{group}"'),
            ("createToken", 'name: "mine", scopes: ["all"]'),
        ):
            answers = []
            for uuid in (hidden.uuid, new_uuid()):
                all_given = f'{given}, packageId: "{gid("Package", uuid)}"'
                text = f"mutation {{ done: {field}(input: {{{all_given}}}) {{ __typename ... on Error {{ message }} }} }}"
                answers.append(await client.post("/graphql", json={"query": text}))
            assert answers[0].json()["data"]["done"]["__typename"] == "NotFoundError", (outsider, field)
            assert shape(answers[0]) == shape(answers[1]), (outsider, field)


async def test_mutations_of_a_hidden_package_answer_as_those_of_none(everybody: Cast) -> None:
    hidden = await everybody.thing(ACME, NAME, private=True, granted=True)
    absent = Thing(ACME, ABSENT, 0, *(new_uuid() for _ in range(4)))
    words = [(getattr(hidden, what), getattr(absent, what)) for what in ("uuid", "release", "file")] + [(NAME, ABSENT)]
    schema = build_schema(Registry.built_in())._schema
    assert schema.mutation_type is not None
    for outsider, name, number in product(OUTSIDERS, PACKAGES, (1, 2)):  # with each way to name files
        field, role = name.partition(" ")[0], everybody.roles[outsider]
        kind = schema.mutation_type.fields[field].args["input"].type
        text = f"mutation ($input: {kind}) {{ {field}(input: $input) {{ __typename ... on Error {{ message }} }} }}"
        answers = []
        for thing in (hidden, absent):
            call = {"query": text, "variables": {"input": dict(PACKAGES[name].input(Call(role, thing, number)))}}
            answers.append(await everybody.client(role).post("/graphql", json=call))
        assert shape(answers[0], *words) == shape(answers[1], *words), (outsider, name)


@CLOSED_TOO
async def test_ids_and_names_of_a_hidden_package_are_null_as_those_of_none(everybody: Cast) -> None:
    hidden = await stocked(everybody, ACME, private=True)
    ids = {"Package": hidden.uuid, "Release": hidden.release, "CondaFile": hidden.file, "Label": hidden.label}
    for outsider in OUTSIDERS:
        client = everybody.client(everybody.roles[outsider])
        for kind, uuid in ids.items():
            answers = [await client.post("/graphql", json={"query": f'{{ node(id: "{gid(kind, one)}") {{ id }} }}'}) for one in (uuid, new_uuid())]
            assert answers[0].json() == {"data": {"node": None}}
            assert shape(answers[0]) == shape(answers[1])
        for field in ('package(namespace: "acme", name: "{}") {{ id }}', 'packages(search: "{}") {{ totalCount nodes {{ id }} }}'):
            answers = [await client.post("/graphql", json={"query": f"{{ {field.format(name)} }}"}) for name in (NAME, ABSENT)]
            assert shape(answers[0]) == shape(answers[1])


# -- the same work ----------------------------------------------------------------------------------------------------


@contextmanager
def statements() -> Iterator[Counter[str]]:
    """The statements that are run, by their texts; not those of the hot path's look-ups."""
    seen: Counter[str] = Counter()
    with pytest.MonkeyPatch.context() as patch:
        text = sql._text

        def counted(statement: str, dialect: str) -> str:
            if "last_used_at" not in statement.partition("WHERE")[0]:  # when a token was used is written beside the request, once
                seen[statement] += 1
            return text(statement, dialect)

        patch.setattr(sql, "_text", counted)
        yield seen


async def test_what_is_hidden_takes_the_look_ups_of_what_is_not_there(everybody: Cast) -> None:
    await stocked(everybody, ACME, private=True)
    shard, lookup = await shard_of(everybody, ACME), everybody.house.site.lookup
    for outsider in ("anonymous", "stranger", "collaborator elsewhere"):
        client = everybody.client(everybody.roles[outsider])
        await client.get(f"/conda/{ACME}/noarch/repodata.json")  # the token's own look-up
        for address in filter(own, ADDRESSES):
            taken = []
            for name, digest in ((NAME, shard), (ABSENT, "0" * 64)):
                path = f"/{address.type}/{ACME}/{address.rest}".replace(NAME, name).replace(NAME.title(), name.title()).replace("{shard}", digest)
                before = lookup.asked + lookup.remembered
                with statements() as seen:
                    assert (await client.get(path, headers={"accept": address.accept})).status_code == 404
                taken.append((lookup.asked + lookup.remembered - before, seen))
            assert taken[0] == taken[1], address


SUBDIR = build_conda(NAME, "3.0", subdir="linux-64")
DOCUMENTS = [
    *((f"/conda/{ACME}/label/%s/noarch/{name}", "rare", "bare") for name in ("repodata.json", "repodata.json.zst", "repodata_shards.msgpack.zst")),
    (f"/conda/{ACME}/%s/repodata.json", "linux-64", "linux-32"),
    (f"/conda/{ACME}/label/rare/%s/repodata.json", "linux-64", "linux-32"),
    (f"/pypi/{ACME}/label/%s/simple/", "rare", "bare"),
    (f"/pypi/{ACME}/label/%s/simple/beacon/", "rare", "bare"),  # the page of a public package that has no file there
    (f"/notebook/{ACME}/label/%s/index.json", "rare", "bare"),
]
"""Documents and pages that only hidden files are in: by the word that is hidden, and one that is not there."""


async def test_labels_and_subdirs_of_hidden_files_take_the_look_ups_of_none(everybody: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is rendered or stored for who does not see them: that takes longer, and the more the more there is."""
    insider = everybody.insider(ACME)
    basename, body = build_wheel("beacon", "1.0")
    assert (await insider.put(f"/upload/{ACME}/{basename}", content=body)).status_code == 201
    await stocked(everybody, ACME, private=True)
    made = await insider.put(f"/upload/{ACME}/{SUBDIR[0]}", params={"label": ["main", "rare"]}, content=SUBDIR[1])
    assert made.status_code == 201, made.text
    rendered: list[str] = []
    monkeypatch.setattr(RENDERS, "add", lambda type, what: rendered.append(what))
    lookup = everybody.house.site.lookup
    for outsider in ("anonymous", "stranger", "collaborator elsewhere"):
        client = everybody.client(everybody.roles[outsider])
        await client.get(f"/conda/{ACME}/noarch/{NAME}-9.conda")  # the token's own look-up
        for url, hidden, absent in DOCUMENTS:
            taken, answers = [], []
            await client.get(url % hidden)  # that it shows nothing is asked once after each change
            for word in (hidden, absent):
                before = lookup.asked + lookup.remembered
                with statements() as seen:
                    answers.append(await client.get(url % word))
                taken.append((lookup.asked + lookup.remembered - before, seen))
            assert answers[0].status_code == 404
            assert shape(answers[0], (hidden, absent)) == shape(answers[1], (hidden, absent)), url
            assert taken[0] == taken[1], (outsider, url)
    assert rendered == []
    assert await fetch("SELECT id FROM shard") == []


BY_ADDRESS = 'files: {addresses: [{namespace: "acme", type: "conda", path: "noarch/%s-1.0-0.conda"}]}'
GUESSES = {
    "removeFiles": f"mutation {{ removeFiles(input: {{{BY_ADDRESS}}}) {{ __typename }} }}",
    "addLabel": f'mutation {{ addLabel(input: {{label: "x", {BY_ADDRESS}}}) {{ __typename }} }}',
    "copyFiles": f'mutation {{ copyFiles(input: {{namespace: "bob", {BY_ADDRESS}}}) {{ __typename }} }}',
    "package": '{ package(namespace: "acme", name: "%s") { id } }',
    "packages": '{ packages(search: "%s") { totalCount nodes { id } } }',
}
"""What names things by what can be guessed; ids are random, and nobody tries them."""


async def test_what_is_hidden_takes_the_statements_of_what_is_not_there(everybody: Cast) -> None:
    await stocked(everybody, ACME, private=True)
    for outsider, guess in product(("stranger", "collaborator elsewhere", "group admin on other"), GUESSES):
        client = everybody.client(everybody.roles[outsider])
        await client.post("/graphql", json={"query": "{ viewer { name } }"})  # the token's own look-up
        taken = []
        for name in (NAME, ABSENT):
            with statements() as seen:
                await client.post("/graphql", json={"query": GUESSES[guess] % name})
            taken.append(seen)
        assert taken[0].total() == taken[1].total() > 0, (outsider, guess, taken)


# -- what is public stands still --------------------------------------------------------------------------------------

PUBLIC = [
    *(f"/conda/{ACME}/noarch/{name}" for name in ("repodata.json", "repodata.json.zst", "repodata_shards.msgpack.zst")),
    *(f"/pypi/{ACME}/simple/{name}" for name in ("", "beacon/")),
    f"/notebook/{ACME}/index.json",
    f"/environment/{ACME}/index.json",
    f"/conda/{ACME}/label/dev/noarch/repodata.json",
    '/graphql?query={namespace(name:"acme"){labels{name} packages(orderBy:UPDATED){totalCount nodes{name updatedAt downloads}pageInfo{endCursor}}}}',
    '/graphql?query={packages(search:"e"){totalCount nodes{name labels{name}}}}',
]


EMPTY = [
    *(url for url in PUBLIC if "/label/" not in url and "beacon" not in url),
    '/graphql?query={namespace(name:"acme"){labels{id name locked createdAt}}}',
]


async def test_no_private_change_moves_anything_public(everybody: Cast) -> None:
    """Whatever is done to a private package: body, ETag, dates and every other header stay, for readers with a credential and without."""
    insider = everybody.insider(ACME)
    readers = [everybody.client(everybody.roles[name]) for name in ("anonymous", "stranger")]

    async def seen(urls: list[str]) -> list[tuple[int, dict[str, str], str]]:
        return [shape(await reader.get(url)) for reader in readers for url in urls]

    async def nothing_moves(urls: list[str]) -> None:
        before = await seen(urls)
        assert [status for status, _, _ in before] == [200] * len(urls) * 2
        secret = await stocked(everybody, ACME, private=True)
        assert await seen(urls) == before
        changes = [
            ("addLabel", f'files: {{ids: ["{gid("CondaFile", secret.file)}"]}}, label: "dev"'),
            ("addLabel", f'files: {{ids: ["{gid("CondaFile", secret.file)}"]}}, label: "quiet"'),
            ("updatePackage", f'packageId: "{gid("Package", secret.uuid)}", summary: "beacon"'),
            ("addCollaborator", f'packageId: "{gid("Package", secret.uuid)}", user: "dora"'),
            ("removeFiles", f'files: {{ids: ["{gid("CondaFile", secret.file)}"]}}'),
            ("deletePackage", f'packageId: "{gid("Package", secret.uuid)}", confirmation: "acme/{NAME}"'),
        ]
        for field, given in changes:
            text = f"mutation {{ done: {field}(input: {{{given}}}) {{ __typename }} }}"
            done = (await insider.post("/graphql", json={"query": text})).json()
            assert done["data"]["done"]["__typename"].endswith("Payload"), done
            assert await seen(urls) == before, field

    await nothing_moves(EMPTY)  # no public package ever was there
    for basename, body in (build_conda("beacon", "1.0"), build_wheel("beacon", "1.0")):
        done = await insider.put(f"/upload/{ACME}/{basename}", params={"label": ["main", "dev"]}, content=body)
        assert done.status_code == 201
    await nothing_moves(PUBLIC)


async def test_a_cursor_that_somebody_else_got_shows_no_more_than_ones_own(everybody: Cast) -> None:
    """One that points at a hidden package goes on behind it, and counts nothing of it."""
    for name, private in (("aaa", True), ("bbb", False), ("ccc", True), ("ddd", False)):
        await everybody.thing(ACME, name, private=private)

    async def page(role: str, after: str | None) -> dict[str, object]:
        text = """query ($after: String) { packages(namespace: "acme", first: 1, after: $after) {
            totalCount nodes { name } edges { cursor } pageInfo { hasNextPage endCursor } } }"""
        answer = await everybody.client(everybody.roles[role]).post("/graphql", json={"query": text, "variables": {"after": after}})
        found: dict[str, object] = answer.json()["data"]["packages"]
        return found

    first = await page("organization owner", None)
    assert first["nodes"] == [{"name": "aaa"}]
    cursor = first["pageInfo"]["endCursor"]  # type: ignore[index]  # JSON
    for role in ("anonymous", "stranger"):
        theirs = await page(role, cursor)
        assert theirs == await page(role, None)
        assert (theirs["nodes"], theirs["totalCount"]) == ([{"name": "bbb"}], 2)


async def test_a_token_is_repeated_nowhere(everybody: Cast) -> None:
    """Wherever a client puts one: no answer, redirect or audit event has it."""
    await stocked(everybody, ACME, private=True)
    role = everybody.roles["organization owner"]
    secret, client, bare = role.secret, everybody.client(role), everybody.house.anyone
    answers = [
        await bare.get(f"/t/{secret}/pypi/{ACME}"),
        await bare.get(f"/t/{secret}/pypi/{ACME}/simple"),
        await bare.get(f"/t/{secret}/notebook/{ACME}/{NAME}.ipynb"),
        await bare.get(f"/t/{secret}/environment/{ACME}"),
        await bare.get(f"/t/{secret}/nothing"),
        await bare.get(f"/t/{secret}x/conda/{ACME}/noarch/repodata.json"),
        await bare.put(f"/t/{secret}/upload/{ACME}/x", content=b"x"),
        await client.put(f"/upload/{ACME}/{new_file('conda', 3)[0]}", content=new_file("conda", 3)[1]),
        await client.post("/graphql", json={"query": "{ viewer { tokens { nodes { id name scopes } } auditLog { nodes { details subject } } } }"}),
        await bare.get(f"/conda/{ACME}/noarch/repodata.json", headers={"authorization": f"Bearer {secret}x"}),
        await bare.get(f"/conda/{ACME}/noarch/repodata.json", headers={"authorization": f"Weird {secret}"}),
    ]
    assert {answer.status_code for answer in answers} >= {200, 201, 301, 401, 404}
    for answer in answers:
        assert secret not in answer.text, answer.request.url
        assert all(secret not in value for value in answer.headers.values()), answer.request.url
    events = await fetch("SELECT subject, details, token_name FROM audit_event")
    assert secret not in "".join(str(dict(row)) for row in events)
