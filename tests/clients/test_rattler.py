"""A real conda client, py-rattler, solves and installs: through shards, through zst, through plain json; public, by label, by token, private."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from conda_builder import build_conda
from installed_server import Server
from real_client import Client

DOCUMENTS = ("repodata_shards.msgpack.zst", "repodata.json.zst", "repodata.json")
"""What a client may be told to use, the best first."""


TYPED = (
    *("arch", "attestations_sha256", "constrains", "depends", "extra-depends", "extra_depends", "features", "flags", "indexed_timestamp"),
    *("legacy_bz2_md5", "legacy_bz2_size", "license", "license_family", "md5", "noarch", "platform", "purls", "python_site_packages_path"),
    *("run_exports", "sha256", "size", "timestamp", "track_features"),
)
"""Every key of a record that rattler gives a type, but for those that a file's name and place say."""


def publish(server: Server, token: str, *packages: tuple[str, bytes], query: str = "") -> None:
    with server.client() as http:
        for basename, body in packages:
            answer = http.put(f"/upload/alice/{basename}{query}", content=body, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 201, answer.text


def call(home: Path, channel: str, spec: str, document: str, *, name: str, auth: Path | None = None) -> dict[str, str]:
    """To install a spec through a document, with a prefix and a cache of that name."""
    places = {"prefix": str(home / "prefixes" / name), "cache": str(home / "caches" / name)}
    return {"channel": channel, "spec": spec, "document": document, "auth": str(auth or ""), **places}


def store(file: Path, credential: Mapping[str, Any]) -> Path:
    """A file of rattler's with a credential for the server."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"127.0.0.1": credential}))
    return file


def channels(server: Server, home: Path) -> Iterator[tuple[str, str, Path | None]]:
    """Every way to name a channel in which the reader may see what is private: a name for it, its URL, and the credential that the client keeps."""
    reader = server.token("conda:download")
    yield "in front", f"{server.url}/t/{reader}/conda/alice", None
    yield "behind", f"{server.url}/conda/t/{reader}/alice", None
    for kind in ("CondaToken", "BearerToken"):
        yield kind, f"{server.url}/conda/alice", store(home / f"{kind}.json", {kind: reader})
    basic = {"BasicHTTP": {"username": "__token__", "password": reader}}
    yield "BasicHTTP", f"{server.url}/conda/alice", store(home / "BasicHTTP.json", basic)


def test_rattler_installs_from_every_kind_of_channel_through_every_document(server: Server, client: Client, token: str) -> None:
    files = {"share/app.txt": b"installed\n"}
    publish(server, token, build_conda("app", "1!1.2", depends=["lib"], files=files, ext=".tar.bz2"))
    publish(server, token, build_conda("lib", "2.0+cpu", subdir="linux-64", build="h1_0"), query="?label=main&label=dev")
    publish(server, token, build_conda("app", "1!2.0rc1", depends=["lib"], files=files), query="?label=dev")
    publish(server, token, build_conda("secret", "1.0", depends=["app"]), query="?private=true&label=main&label=dev")
    private = list(channels(server, client.home))
    calls, expected = [], []
    for label, app in (("", "app 1!1.2 0"), ("/label/dev", "app 1!2.0rc1 0")):
        public = f"{server.url}/conda/alice{label}"
        for document in DOCUMENTS:
            calls.append(call(client.home, public, "app", document, name=f"public {label[7:]} {document}"))
            expected.append([app, "lib 2.0+cpu h1_0"])
            for name, url, auth in private:
                calls.append(call(client.home, url + label, "secret", document, name=f"{name} {label[7:]} {document}", auth=auth))
                expected.append([app, "lib 2.0+cpu h1_0", "secret 1.0 0"])
    for asked, wanted, answer in zip(calls, expected, client.rattler_channels(calls), strict=True):
        assert answer == {"installed": wanted, "read": [asked["document"]]}, (asked, answer)
        assert (Path(asked["prefix"]) / "share/app.txt").read_bytes() == b"installed\n"


def test_rattler_finds_nothing_private_without_a_credential(server: Server, client: Client, token: str) -> None:
    publish(server, token, build_conda("hidden", "1.0"), query="?private=true")
    calls = [call(client.home, f"{server.url}/conda/alice", "hidden", document, name=document) for document in DOCUMENTS]
    for answer in client.rattler_channels(calls):
        assert "No candidates were found for hidden" in answer["error"], answer


def test_rattler_sees_a_new_version_on_its_next_call(server: Server, client: Client, token: str) -> None:
    for version in ("1.0", "1.10", "1.9"):
        publish(server, token, build_conda("growing", version))
    for newest, prefix in (("1.10", "first"), ("1.11", "second")):
        if prefix == "second":
            publish(server, token, build_conda("growing", newest))
        calls = [call(client.home, f"{server.url}/conda/alice", "growing", document, name=document) for document in DOCUMENTS]
        for asked, answer in zip(calls, client.rattler_channels([one | {"prefix": f"{one['prefix']} {prefix}"} for one in calls]), strict=True):
            assert answer == {"installed": [f"growing {newest} 0"], "read": [asked["document"]]}


def test_rattler_reads_every_record_of_a_channel_into_which_keys_of_every_type_were_tried(server: Server, client: Client, token: str) -> None:
    tried = [{key: value} for key in (*TYPED, "unknown") for value in (5, "x", {"x": 5})]
    taken = []
    with server.client() as http:
        for number, index in enumerate(tried):
            basename, body = build_conda("typed", f"1.{number}", index=index)
            answer = http.put(f"/upload/alice/{basename}", content=body, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code in (201, 422), (index, answer.text)
            taken += [f"typed 1.{number}"] if answer.status_code == 201 else []
    assert len(tried) > len(taken) > len(TYPED)
    assert client.rattler_records(f"{server.url}/conda/alice", "typed") == [sorted(taken)] * 3


@pytest.mark.parametrize("dialect", ["quetz", "prefix"])
def test_rattler_build_uploads_what_rattler_installs(server: Server, client: Client, token: str, tmp_path: Path, dialect: str) -> None:
    def built(version: str, **more: Any) -> Path:
        basename, body = build_conda(f"{dialect}-app", version, **more)
        (tmp_path / basename).write_bytes(body)
        return tmp_path / basename

    where, key = f"{server.url}/conda", {"api_key": token}
    first, second = built("1!1.0+cpu"), built("1!2.0", ext=".tar.bz2")
    answers = client.rattler_upload(
        (dialect, where, "alice", [first, second], key),
        (dialect, f"{where}/", "alice", [first], key),
        (dialect, where, "alice/label/dev", [built("1!3.0")], key),
        (dialect, where, "alice", [built("1!4.0", index={"depends": "x"})], key),
        (dialect, where, "alice", [first], {"api_key": "ent-wrong"}),
        (dialect, where, "bob", [first], key),
    )
    assert answers[:3] == ["done"] * 3
    assert "done" not in answers[3:]
    if dialect == "prefix":
        assert "HTTP 400" in answers[3]
        assert "must be a list of strings" in answers[3]
        assert "HTTP 401" in answers[4]
        assert "HTTP 403" in answers[5]
    channel = f"{where}/alice"
    installed = client.rattler_channels(
        [call(client.home, channel + end, f"{dialect}-app", DOCUMENTS[0], name=end[-3:]) for end in ("", "/label/dev")]
    )
    assert [answer["installed"] for answer in installed] == [[f"{dialect}-app 1!2.0 0"], [f"{dialect}-app 1!3.0 0"]]


def test_rattler_build_skips_or_replaces_what_exists_with_other_bytes(server: Server, client: Client, token: str, tmp_path: Path) -> None:
    files = []
    for folder in ("first", "second"):
        basename, body = build_conda("built-again", "1.0", files={"share/which.txt": folder.encode()})
        (tmp_path / folder).mkdir()
        (tmp_path / folder / basename).write_bytes(body)
        files.append(tmp_path / folder / basename)
    auth = store(client.home / "auth.json", {"BearerToken": token})
    client.variables = {"RATTLER_AUTH_FILE": str(auth)}

    def prefix(file: Path, **options: bool) -> tuple[str, str, str, list[Path], Mapping[str, Any]]:
        return "prefix", f"{server.url}/conda", "alice", [file], options

    calls = prefix(files[0]), prefix(files[1]), prefix(files[1], skip_existing=True)
    done, refused, skipped = client.rattler_upload(*calls)
    assert (done, skipped, "409" in refused, "already exists" in refused) == ("done", "done", True, True)
    for number, which in enumerate((b"first", b"second")):
        asked = call(client.home, f"{server.url}/conda/alice", "built-again", DOCUMENTS[number], name=f"again {number}")
        assert client.rattler_channels([asked])[0]["installed"] == ["built-again 1.0 0"]
        assert (Path(asked["prefix"]) / "share/which.txt").read_bytes() == which
        assert client.rattler_upload(prefix(files[1], force=True)) == ["done"]


def test_rattler_build_takes_the_credential_of_its_store_for_quetz(server: Server, client: Client, token: str, tmp_path: Path) -> None:
    basename, body = build_conda("stored", "1.0")
    (tmp_path / basename).write_bytes(body)
    client.variables = {"RATTLER_AUTH_FILE": str(store(client.home / "auth.json", {"CondaToken": token}))}
    assert client.rattler_upload(("quetz", f"{server.url}/conda", "alice", [tmp_path / basename], {})) == ["done"]
