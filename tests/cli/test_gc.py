"""`entrepot gc`: what it prints, with which exit code, and beside a running server."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from entrepot.settings import Settings
from entrepot.storage import open_storage
from ground import Ground
from pypi_builder import build_wheel

if TYPE_CHECKING:
    from entrepot.storage import Storage

    from .conftest import Entrepot, Serve

NOTHING = """\
Blobs that nothing needs, removed: 0 (0 bytes)
Bytes that no row knew, put on record: 0 (0 bytes)
Shards that no index names, removed: 0 (0 bytes)
Rows of the change log, removed: 0
Announced uploads that expired, removed: 0
Sessions that expired, removed: 0
Counts of failed logins that are forgotten, removed: 0
Spooled files that dead uploads left here, removed: 0
"""
WARNING = "Nothing that was published is at risk. But an upload that is under way for longer than this fails with 503, and has to be sent again.\n"


@pytest.fixture
def storage(with_alice: Path) -> Storage:
    """The site's storage."""
    return open_storage(Settings(data=with_alice))


def put_stray(storage: Storage, body: bytes = b"stray") -> str:
    """Bytes in storage that no row knows."""
    sha256 = hashlib.sha256(body).hexdigest()
    storage.put_bytes(sha256, body)
    return sha256


def test_bytes_without_a_row_are_put_on_record_and_removed_when_they_are_old_enough(entrepot: Entrepot, with_alice: Path, storage: Storage) -> None:
    sha256 = put_stray(storage)
    first = entrepot("gc", "--data", with_alice)
    assert "Bytes that no row knew, put on record: 1 (5 bytes)\n" in first.stdout
    assert entrepot("gc", "--data", with_alice).stdout == NOTHING
    second = entrepot("gc", "--older-than", "0m", "--data", with_alice)
    assert (second.returncode, second.stderr) == (0, WARNING)
    assert second.stdout.startswith("Blobs that nothing needs, removed: 1 (5 bytes)\n")
    assert storage.size(sha256) is None


def test_a_dry_run_says_what_would_go_and_leaves_it(entrepot: Entrepot, with_alice: Path, storage: Storage) -> None:
    put_stray(storage)
    for _ in range(2):
        done = entrepot("gc", "--older-than", "0m", "--dry-run", "--data", with_alice)
        assert (done.returncode, done.stderr) == (0, "")
        assert "Bytes that no row knew, to be put on record: 1 (5 bytes)\n" in done.stdout
    assert [sha256 for sha256, _ in storage.blobs()] == [hashlib.sha256(b"stray").hexdigest()]


def test_an_age_that_is_none_is_refused(entrepot: Entrepot, with_alice: Path) -> None:
    done = entrepot("gc", "--older-than", "soon", "--data", with_alice)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "'soon' is no span of time: write a number and a unit, like 90m, 24h, 7d or 2w.\n"


def test_a_blob_that_cannot_be_removed_is_told_with_1(ground: Ground, entrepot: Entrepot, with_alice: Path) -> None:
    folder = with_alice / "blobs"
    environment = {} if ground.is_folder else {"ENTREPOT_STORAGE_URL": ""}  # a folder of blobs beside PostgreSQL
    storage = open_storage(Settings(data=with_alice, storage_url=""))
    sha256 = put_stray(storage)
    entrepot("gc", "--data", with_alice, environment=environment)
    blob = folder / "sha256" / sha256[:2] / sha256[2:4] / sha256
    blob.unlink()
    blob.mkdir()
    done = entrepot("gc", "--older-than", "0m", "--data", with_alice, environment=environment)
    assert done.returncode == 1
    assert done.stdout.startswith("Blobs that nothing needs, removed: 0 (0 bytes)\n")
    assert f"The bytes of the blob {sha256} cannot be removed: Is a directory.\n" in done.stderr
    assert done.stderr.endswith("Blobs that could not be removed from storage: 1. The next run tries again.\n")


def test_beside_a_server_what_was_published_stays_and_what_was_removed_goes(
    entrepot: Entrepot, serve: Serve, with_alice: Path, storage: Storage, token: str
) -> None:
    server = serve()
    basename, wheel = build_wheel("harbour", "1.0")
    gone, other = build_wheel("gone", "1.0")
    headers = {"Authorization": f"Bearer {token}"}
    urls = {}
    for name, body in ((basename, wheel), (gone, other)):
        answer = httpx.put(f"{server.url}/upload/alice/{name}", content=body, headers=headers)
        assert answer.status_code == 201, answer.text
        urls[name] = answer.json()["url"]
    package = httpx.post(f"{server.url}/graphql", json={"query": '{ package(namespace: "alice", name: "gone") { id } }'}, headers=headers)
    query = 'mutation ($id: ID!) { deletePackage(input: {packageId: $id, confirmation: "alice/gone"}) { __typename } }'
    removal = {"query": query, "variables": {"id": package.json()["data"]["package"]["id"]}}
    removed = httpx.post(f"{server.url}/graphql", json=removal, headers=headers)
    assert removed.json()["data"]["deletePackage"]["__typename"] == "DeletePackagePayload", removed.text
    done = entrepot("gc", "--older-than", "0m", "--data", with_alice)
    assert done.returncode == 0
    assert done.stdout.startswith("Blobs that nothing needs, removed: 2 (")  # the wheel and its metadata
    assert httpx.get(urls[basename], follow_redirects=True).content == wheel
    assert storage.size(hashlib.sha256(other).hexdigest()) is None
    assert entrepot("check", "--data", with_alice, environment={"ENTREPOT_PLUGINS": "pypi"}).returncode == 0
