"""Publishing through the legacy form, into a whole site."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from entrepot.db.sql import fetch
from entrepot.services.tokens import create_token
from pypi_builder import build_metadata, build_sdist, build_wheel
from pypi_client import PypiClient

WHEEL = build_wheel("foo", "1.0")


async def rows() -> dict[str, int]:
    """How many rows the tables hold that an upload adds to."""
    counts = {table: await fetch(f"SELECT count(*) AS n FROM {table}") for table in ("file", "package", "release", "blob", "head")}
    return {table: row["n"] for table, [row] in counts.items()}


@pytest.mark.parametrize("slash", ["/", ""])
async def test_a_wheel_goes_in_and_comes_out(client: PypiClient, slash: str) -> None:
    answer = await client.publish(WHEEL, slash=slash)
    assert (answer.status_code, answer.text) == (200, "")
    assert (await client.get(f"files/{WHEEL[0]}")).content == WHEEL[1]


async def test_no_answer_is_kept_or_taken_for_a_page(client: PypiClient) -> None:
    kept = {"cache-control": "no-store", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
    answers = [await client.publish(WHEEL), await client.publish(WHEEL, {"name": "bar"}), await client.publish(WHEEL, auth="")]
    assert [answer.status_code for answer in answers] == [200, 400, 401]
    assert [{name: answer.headers.get(name) for name in kept} for answer in answers] == [kept] * 3


async def test_an_sdist_goes_in_and_comes_out(client: PypiClient) -> None:
    built = build_sdist("Foo.Bar", "1.0")
    assert (await client.publish(built, {"name": "foo-BAR"})).status_code == 200
    assert (await client.get(f"files/{built[0]}")).content == built[1]


async def test_the_same_bytes_again_change_nothing(client: PypiClient) -> None:
    await client.publish(WHEEL)
    before = await rows()
    answer = await client.publish(WHEEL)
    assert (answer.status_code, answer.text) == (200, "")
    assert await rows() == before


async def test_other_bytes_under_the_same_name_are_a_400_that_says_already_exists(client: PypiClient) -> None:
    await client.publish(WHEEL)
    answer = await client.publish(build_wheel("foo", "1.0", description="changed"))
    assert answer.status_code == 400
    assert "File already exists" in answer.text
    assert (await client.get(f"files/{WHEEL[0]}")).content == WHEEL[1]


@pytest.mark.parametrize(
    ("built", "fields", "sentence"),
    [
        (WHEEL, {"name": "bar"}, "bar"),
        (WHEEL, {"version": "1.1"}, "1.1"),
        (WHEEL, {"sha256_digest": "00" * 32}, "sha256 digest"),
        (WHEEL, {"blake2_256_digest": "00" * 32}, "blake2b digest"),
        (WHEEL, {"md5_digest": "00" * 16}, "md5 digest"),
        (build_wheel("foo", "1.0", without=["RECORD"]), {}, "holds no foo-1.0.dist-info/RECORD"),
        (build_wheel("foo", "1.0", metadata=build_metadata("evil", "1.0")), {}, "METADATA says that this is 'evil'"),
        (("foo-1.0-py3-none-any.whl", b"just text"), {}, "no pypi package"),
        (("foo-1.0-py3-none-any.whl", b""), {}, "is empty"),
        (build_wheel("foo", "1.0", basename="../foo-1.0-py3-none-any.whl"), {"name": "foo"}, "slash"),
        (build_wheel("foo", "1.0", basename=f"foo-1.0-py3-none-{'x' * 300}.whl"), {}, "255"),
        (WHEEL, {"filetype": "sdist"}, "ends in .tar.gz"),
        (WHEEL, {":action": None}, ":action=file_upload"),
    ],
)
async def test_what_is_wrong_with_a_file_is_a_400_with_a_plain_sentence_and_leaves_nothing(
    client: PypiClient, built: tuple[str, bytes], fields: dict[str, str | None], sentence: str
) -> None:
    before = await rows()
    answer = await client.publish(built, fields)
    assert answer.status_code == 400
    assert sentence in answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    assert await rows() == before


async def test_no_token_is_asked_for_one(client: PypiClient) -> None:
    answer = await client.publish(WHEEL, auth="")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")


async def test_a_wrong_token_is_refused(client: PypiClient) -> None:
    assert (await client.publish(WHEEL, auth="ent-wrong")).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://127.0.0.1", "sec-fetch-site": "same-origin"}, 200),
        ({"origin": "https://evil.example", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null", "sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
async def test_a_form_on_another_site_publishes_nothing_with_what_the_browser_remembers(
    client: PypiClient, headers: dict[str, str], status: int
) -> None:
    before = await rows()
    client.http.headers.update(headers)
    answer = await client.publish(WHEEL)
    assert answer.status_code == status
    assert "www-authenticate" not in answer.headers
    assert (await rows() == before) is (status == 403)


async def test_anothers_namespace_is_refused(client: PypiClient) -> None:
    assert (await client.publish(WHEEL, namespace="somebody")).status_code == 403


async def test_an_unknown_namespace_is_not_found(client: PypiClient) -> None:
    assert (await client.publish(WHEEL, namespace="nobody")).status_code == 404


async def test_a_token_for_downloads_does_not_upload(client: PypiClient) -> None:
    token = await create_token(client.services.site.registry, owner=client.namespace, name="ci", scopes=["pypi:download"])
    assert (await client.publish(WHEEL, auth=token)).status_code == 403


async def test_a_token_for_pypi_uploads_does(client: PypiClient) -> None:
    token = await create_token(client.services.site.registry, owner=client.namespace, name="ci", scopes=["pypi:upload"])
    assert (await client.publish(WHEEL, auth=token)).status_code == 200


async def test_a_file_over_the_limit_is_a_413(client: PypiClient) -> None:
    before = await rows()
    answer = await client.publish(("foo-1.0-py3-none-any.whl", bytes(5 << 20)))
    assert answer.status_code == 413
    assert await rows() == before


@pytest.mark.parametrize("action", ["submit", "doc_upload"])
async def test_actions_of_the_past_are_gone(client: PypiClient, action: str) -> None:
    assert (await client.publish(WHEEL, {":action": action})).status_code == 410


async def test_a_body_that_nobody_may_send_is_not_read_to_its_end(client: PypiClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(200):
            sent += 1
            yield bytes(1 << 20)

    answer = await client.http.post(client.url("legacy/"), content=endless(), headers={"content-type": "multipart/form-data; boundary=x"})
    assert answer.status_code == 401
    assert sent < 100


async def test_the_upload_address_is_not_for_reading(client: PypiClient) -> None:
    assert (await client.get("legacy/")).status_code == 405
