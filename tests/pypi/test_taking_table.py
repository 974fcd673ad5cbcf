"""The table of `docs/clients/pypi.md`: what each publisher is answered, in one place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import md5, sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
from entrepot.db.sql import fetch
from entrepot.services.facade import Services
from pypi_builder import build_wheel
from pypi_client import PypiClient

PAGE = Path(__file__).parents[2] / "docs" / "clients" / "pypi.md"
WHEEL = build_wheel("foo", "1.0")
OTHER = build_wheel("foo", "1.0", description="other bytes")
DIGESTS = {"md5_digest": md5(WHEEL[1]).hexdigest(), "sha256_digest": sha256(WHEEL[1]).hexdigest()}
NONE: Mapping[str, str | None] = {"md5_digest": None, "sha256_digest": None, "blake2_256_digest": None}

FORMS: Mapping[str, Mapping[str, str | None]] = {
    "twine": {"pyversion": "py3", "metadata_version": "2.5", "summary": "A foo", "comment": "", "gpg_signature": None},
    "uv": {"pyversion": "py3", "metadata_version": "2.5", "import_names": "foo", "requires_python": ">=3.8"},
    "hatch": {**DIGESTS, "import_name": "foo", "metadata_version": "2.5", "description": "# Foo"},
    "poetry": {**DIGESTS, "metadata_version": "2.4", "license_expression": "MIT"},
    "pdm": {**DIGESTS, "home_page": "", "author": "", "license": "", "keywords": "", "download_url": "UNKNOWN"},
    "flit": {**NONE, **DIGESTS, "metadata_version": "2.3"},
    "without a protocol version": {"protocol_version": None},
    "md5 alone": {**NONE, "md5_digest": DIGESTS["md5_digest"]},
    "unknown fields": {"x-of-tomorrow": "y", "description": "UNKNOWN"},
}


@pytest.mark.parametrize("tool", FORMS)
async def test_every_publishers_form_is_taken_and_taken_again(client: PypiClient, tool: str) -> None:
    for _ in range(2):
        answer = await client.publish(WHEEL, FORMS[tool])
        assert (answer.status_code, answer.content) == (200, b""), answer.text


REFUSALS: list[tuple[int, str, tuple[str, bytes], dict[str, Any], dict[str, Any]]] = [
    (400, "File already exists", OTHER, {}, {}),
    (400, "sha256 digest", WHEEL, {"sha256_digest": "0" * 64}, {}),
    (400, "md5 digest", WHEEL, {"md5_digest": "0" * 32}, {}),
    (400, "blake2b digest", WHEEL, {"blake2_256_digest": "0" * 64}, {}),
    (400, "at least one of", WHEEL, dict(NONE), {}),
    (400, "protocol_version=1", WHEEL, {"protocol_version": "2"}, {}),
    (400, "must be bdist_wheel or sdist", WHEEL, {"filetype": "bdist_egg"}, {}),
    (400, "must say its Python tag", WHEEL, {"pyversion": None}, {}),
    (400, "must say its Python tag", WHEEL, {"pyversion": "source"}, {}),
    (400, "JSON array", WHEEL, {"attestations": '{"a": 1}'}, {}),
    (400, "not valid JSON", WHEEL, {"attestations": "["}, {}),
    (400, "longer than 1048576 bytes", WHEEL, {"attestations": f'["{"x" * (1 << 20)}"]'}, {}),
    (401, "token", WHEEL, {}, {"auth": "ent-wrong"}),
    (403, "may not write", WHEEL, {}, {"namespace": "somebody"}),
    (404, "no namespace nobody", WHEEL, {}, {"namespace": "nobody"}),
    (410, "long gone", WHEEL, {":action": "submit"}, {}),
    (410, "long gone", WHEEL, {":action": "doc_upload"}, {}),
    (413, "larger than", ("foo-1.0-py3-none-any.whl", bytes(5 << 20)), {}, {}),
]


async def test_every_refusal_has_its_status_and_its_sentence_and_leaves_nothing(client: PypiClient) -> None:
    assert (await client.publish(WHEEL)).status_code == 200
    before = await fetch("SELECT count(*) AS n FROM file")
    for status, sentence, built, fields, more in REFUSALS:
        answer = await client.publish(built, fields, **more)
        assert (answer.status_code, sentence in answer.text) == (status, True), (status, sentence, answer.text)
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.text.count("\n") == 1
        assert (status == 400 and sentence == "File already exists") == ("already exist" in answer.text)
    assert await fetch("SELECT count(*) AS n FROM file") == before


async def test_an_archived_project_is_a_400_that_no_client_takes_for_an_existing_file(client: PypiClient) -> None:
    assert (await client.publish(WHEEL)).status_code == 200
    headers = {"authorization": f"Bearer {client.token}"}
    query = "mutation ($input: SetProjectStatusInput!) { setProjectStatus(input: $input) { __typename } }"
    variables = {"input": {"namespace": client.namespace, "project": "foo", "status": "ARCHIVED"}}
    await client.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
    answer = await client.publish(build_wheel("foo", "1.1"))
    assert (answer.status_code, "takes no new files" in answer.text, "already exist" in answer.text) == (400, True, False)
    assert (await client.publish(WHEEL)).status_code == 200


async def test_attestations_are_kept_as_they_came_and_served_nowhere(client: PypiClient) -> None:
    attestations = orjson.dumps([{"version": 1, "envelope": {"statement": "é" * 3000}}]).decode()
    assert (await client.publish(WHEEL, {"attestations": attestations})).status_code == 200
    [row] = await fetch(
        """SELECT extra.sha256, extra.size FROM extra JOIN file ON file.id = extra.file_id JOIN namespace ON namespace.id = file.namespace_id
        WHERE extra.name = 'attestations' AND namespace.name = $1""",
        client.namespace,
    )
    services: Services = client.services
    with services.site.storage.open(row["sha256"]) as kept:
        assert kept.read() == attestations.encode()
    for rest in (f"files/{WHEEL[0]}.attestations", f"files/{WHEEL[0]}.provenance", f"integrity/foo/1.0/{WHEEL[0]}/provenance"):
        assert (await client.get(rest)).status_code == 404
    page = await client.get("simple/foo/", "application/vnd.pypi.simple.v1+json")
    assert b"attestation" not in page.content
    assert b"provenance" not in page.content


async def test_no_attestations_are_no_extra(client: PypiClient) -> None:
    assert (await client.publish(WHEEL, {"attestations": "[]"})).status_code == 200


def test_the_table_names_every_status() -> None:
    table = PAGE.read_text().partition("### What the server answers")[2].partition("\n- ")[0]
    named = {int(status) for status in re.findall(r"^\| (\d{3}) \|", table, re.MULTILINE)}
    assert named == {200, 503} | {status for status, *_ in REFUSALS}  # 503: test_away.py


async def test_the_addresses_before_the_index_lead_to_it_with_the_token_and_the_label(client: PypiClient) -> None:
    await client.publish(WHEEL)
    token, namespace = client.token, client.namespace
    for place in (f"/pypi/{namespace}", f"/pypi/t/{token}/{namespace}", f"/t/{token}/pypi/{namespace}", f"/pypi/{namespace}/label/main"):
        for slash in ("", "/"):
            answer = await client.http.get(place + slash, follow_redirects=True)
            assert (answer.status_code, answer.url.path) == (200, f"{place}/simple/"), place
            assert token not in answer.headers.get("location", "")
