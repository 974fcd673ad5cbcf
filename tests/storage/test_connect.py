"""Settings of an object store: which are taken, and what is said of wrong ones, without a secret."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from entrepot.errors import SettingsError, Unavailable
from entrepot.registry import Registry
from entrepot.services.checks import check
from entrepot.settings import Settings, load_settings
from entrepot.storage import Storage, open_storage
from entrepot.storage.connect import parse
from hypothesis import given
from hypothesis import strategies as st
from object_store import BUCKET, KEY, SECRET, STRANGER, free_ports, shared_store


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of a store in the environment."""
    for name in ("AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)


def at(tmp_path: Path, url: str = f"s3://{BUCKET}/x", **options: str) -> Storage:
    """A storage with the options of the tests' own store, but for those given."""
    return open_storage(Settings(data=tmp_path, storage_url=url, storage_options=shared_store().options | options))


@pytest.mark.parametrize(
    "url",
    [
        "depot",
        "/srv/blobs",
        "file:///srv/blobs",
        "memory://",
        "http://127.0.0.1:9000/depot",
        "s3:/depot",
        "s3://",
        "s3:///x",
        "s3://depot:9000/x",
        "s3://-depot",
        "s3://depot/a//b",
        "s3://depot/../x",
        "s3://depot/a/./b",
        "s3://depot/a b",
        "s3://depot/ü",
        "s3://[depot",
    ],
)
def test_a_url_that_names_no_store_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match=r"The setting storage_url .*s3://bucket/prefix"):
        at(tmp_path, url)


@pytest.mark.parametrize("url", ["s3://key:hunter2@depot/x", "s3://depot/x?secret=hunter2", "s3://depot/x#hunter2"])
def test_a_url_with_a_secret_is_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="may hold no keys") as caught:
        at(tmp_path, url)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(Settings(storage_url=url))


@given(url=st.text(max_size=40) | st.from_regex(r"s3://depot/[a./ -]{0,9}", fullmatch=True))
def test_any_text_is_a_safe_place_or_a_sentence(url: str) -> None:
    with suppress(SettingsError):
        scheme, bucket, prefix = parse(url)
        assert url.rstrip("/").startswith(f"{scheme}://{bucket}")
        assert not {"", ".", ".."} & set(prefix.split("/")) or not prefix


@pytest.mark.parametrize(
    "endpoint", ["nonsense", "127.0.0.1:9000", "ftp://127.0.0.1", "http://", "http://u:hunter2@h", "http://h:0", "http://a b", "http://[h"]
)
@pytest.mark.parametrize("name", ["endpoint", "AWS_ENDPOINT_URL"])
def test_an_endpoint_that_is_no_url_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, endpoint: str) -> None:
    options = {"access_key_id": KEY, "secret_access_key": SECRET}
    if name == "endpoint":
        options["endpoint"] = endpoint
    else:
        monkeypatch.setenv(name, endpoint)
    with pytest.raises(SettingsError, match="The endpoint of the object store") as caught:
        open_storage(Settings(data=tmp_path, storage_url="s3://depot", storage_options=options))
    assert "hunter2" not in str(caught.value)


def test_an_option_that_there_is_not_is_named_without_its_value(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="'regio'") as caught:
        at(tmp_path, regio="hunter2")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"secret_access_key": "hunter2-hunter2"}, "refuses to list .*SignatureDoesNotMatch"),
        ({"access_key_id": "nobody-of-that-name"}, "refuses to list .*InvalidAccessKeyId"),
        (STRANGER, "refuses to list .*AccessDenied"),
    ],
)
def test_wrong_credentials_stop_the_start_and_are_not_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, options: dict[str, str], sentence: str
) -> None:
    storage = at(tmp_path, **options)
    with caplog.at_level(logging.DEBUG), pytest.raises(SettingsError, match=sentence) as caught:
        storage.probe()
    told = f"{caught.value} {caught.value.__cause__!r} {caplog.text} {storage!r} {storage.__dict__!r}"
    for secret in (SECRET, *options.values()):
        assert secret not in told


def test_a_bucket_that_there_is_not_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="There is no bucket of s3://elsewhere/x"):
        at(tmp_path, "s3://elsewhere/x").probe()


async def test_a_bucket_that_goes_later_is_unavailable_and_accuses_no_file(tmp_path: Path) -> None:
    storage = at(tmp_path, "s3://elsewhere/x")
    with pytest.raises(Unavailable, match="NoSuchBucket"):
        await anext(storage.chunks("0" * 64, 0, 1))
    with pytest.raises(SettingsError, match="There is no bucket"):
        await check(storage, Registry.of({}))


def test_a_store_that_is_away_does_not_stop_the_start(tmp_path: Path) -> None:
    [port] = free_ports(1)
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="cannot be reached"):
        at(tmp_path, endpoint=f"http://127.0.0.1:{port}").probe()
    assert time.monotonic() - begun < 5


def test_the_environment_and_the_file_say_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = shared_store().options
    file = tmp_path / "entrepot.toml"
    file.write_text(f'data = "{tmp_path}"\nstorage_url = "s3://{BUCKET}/x"\n[storage_options]\nendpoint = "{options["endpoint"]}"\n')
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", options["access_key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", options["secret_access_key"])
    for name in ("STORAGE_URL", "STORAGE_OPTIONS", "DOWNLOADS"):
        monkeypatch.delenv(f"ENTREPOT_{name}", raising=False)
    open_storage(load_settings(file)).probe()
    monkeypatch.setenv("ENTREPOT_STORAGE_OPTIONS", '{"endpoint": "http://127.0.0.1:1"}')
    assert load_settings(file).storage_options == {"endpoint": "http://127.0.0.1:1"}
    monkeypatch.setenv("ENTREPOT_STORAGE_OPTIONS", "hunter2")
    with pytest.raises(SettingsError, match="ENTREPOT_STORAGE_OPTIONS in the environment is not valid JSON") as caught:
        load_settings(file)
    assert "hunter2" not in str(caught.value)


def test_settings_that_are_printed_show_no_key() -> None:
    place: dict[str, Any] = shared_store().place()
    assert SECRET not in f"{Settings(**place)!r} {Settings(**place)}"


def test_links_that_cannot_be_signed_stop_the_start_unless_files_are_streamed(tmp_path: Path) -> None:
    nobody = {"endpoint": shared_store().endpoint, "skip_signature": "true"}
    with pytest.raises(SettingsError, match="set downloads to stream"):
        open_storage(Settings(data=tmp_path, storage_url="s3://depot/x", storage_options=nobody, downloads="redirect"))
    open_storage(Settings(data=tmp_path, storage_url="s3://depot/x", storage_options=nobody, downloads="stream"))


def test_nginx_can_hand_out_a_folder_alone(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="accel_redirect is for files in the data folder"):
        open_storage(Settings(data=tmp_path, accel_redirect="/files/", **shared_store().place()))
    with pytest.raises(SettingsError, match="give a path like"):
        load_settings(accel_redirect="http://elsewhere/")
    assert load_settings(accel_redirect="/files").accel_redirect == "/files/"
