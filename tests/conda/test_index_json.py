"""info/index.json, field by field: what is let in, what is left out, what is refused."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import pytest
from conda_builder import build_conda, timestamp
from entrepot.plugin import InvalidPackage, ValidationError
from entrepot_conda.packagetype import CondaType

now = timestamp + 1000
conda = CondaType(now=lambda: now / 1000)


def index(overrides: Mapping[str, Any], subdir: str = "linux-64") -> dict[str, Any]:
    basename, body = build_conda("foo", "1.0", subdir=subdir, index=overrides)
    return dict(conda.inspect(io.BytesIO(body), basename).attributes["index"])


def refusal(overrides: Mapping[str, Any], subdir: str = "linux-64") -> str:
    with pytest.raises(InvalidPackage) as caught:
        index(overrides, subdir)
    return caught.value.message


def raw_refusal(document: bytes) -> str:
    basename, body = build_conda("foo", "1.0", info={"index.json": document})
    with pytest.raises(InvalidPackage) as caught:
        conda.inspect(io.BytesIO(body), basename)
    return caught.value.message


def test_the_fields_of_a_package_are_kept() -> None:
    fields = {
        "depends": ["bar >=1", "baz[version='>=2']"],
        "constrains": ["qux <3"],
        "track_features": "",
        "license_family": "MIT",
        "custom": {"a": [1, 2.5, None]},
    }
    kept = index(fields)
    assert kept == {
        **fields,
        "build": "0",
        "build_number": 0,
        "license": "MIT",
        "name": "foo",
        "subdir": "linux-64",
        "timestamp": timestamp,
        "version": "1.0",
    }


def test_what_conda_index_drops_and_what_only_a_server_may_say_is_left_out() -> None:
    said = {"arch": "x86_64", "platform": "linux", "has_prefix": True, "mtime": 1, "binstar": {}, "machine": "x", "operatingsystem": "y", "ucs": 4}
    claimed = {
        "md5": "0" * 32,
        "sha256": "0" * 64,
        "size": 1,
        "fn": "x",
        "url": "http://x",
        "run_exports": {},
        "legacy_bz2_md5": "x",
        "legacy_bz2_size": "x",
        "attestations_sha256": 5,
        "filename": "x",
        "urls": ["http://x"],
        "channel": "x",
        "schannel": "x",
        "revoked": 1,
        "package_type": "virtual_system",
        "build_string": "x",
        "indexed_timestamp": 1,
    }
    assert not set(index({**said, **claimed})) & {*said, *claimed}


def test_null_is_as_good_as_absent() -> None:
    kept = index({"depends": None, "constrains": None, "license": None, "timestamp": None, "noarch": None})
    assert kept["depends"] == []
    assert not {"constrains", "license", "timestamp", "noarch"} & set(kept)


@pytest.mark.parametrize("name", ["", "Foo", "__glibc", "foo bar", "-foo", "föö", "foo/bar", "..", "foo\n", "a" * 65, "fоо", None, 3])
def test_a_name_that_is_none_is_refused(name: object) -> None:
    assert "name" in refusal({"name": name})


@pytest.mark.parametrize("name", ["a", "_libgcc_mutex", "r-base", "python_abi", "libstdcxx-ng", "7zip", "ruamel.yaml", "a" * 64])
def test_the_names_that_there_are_stay_as_they_are(name: str) -> None:
    assert conda.canonical_name(name) == name
    assert conda.canonical_name(name.upper()) == name


@pytest.mark.parametrize("version", ["", "1-0", "1.0RC1", "1..0", "v 1", "1/0", "1" * 65, None, 1.0])
def test_a_version_that_is_none_is_refused(version: object) -> None:
    assert "version" in refusal({"version": version})


@pytest.mark.parametrize("build", ["", "a-b", "a b", "ä", "a/b", "0" * 65, None, 0])
def test_a_build_that_is_none_is_refused(build: object) -> None:
    assert "build" in refusal({"build": build})


@pytest.mark.parametrize("subdir", ["", "linux", "../../etc", "linux-64/..", "Linux-64", "linux-64-x", "a" * 30 + "-64", "noarch\n", None, 3])
def test_a_subdir_that_is_none_is_refused(subdir: object) -> None:
    assert "subdir" in refusal({"subdir": subdir})


@pytest.mark.parametrize("number", [-1, 2**63, 1.5, "0", True, None, [0]])
def test_a_build_number_that_is_no_whole_number_is_refused(number: object) -> None:
    assert refusal({"build_number": number})


@pytest.mark.parametrize("key", ["depends", "constrains"])
@pytest.mark.parametrize("specs", ["bar", [1], [None], {"bar": 1}, [["bar"]], [""], ["bar\n"], [">=1"], ["bar " + "x" * 1024], ["bar; if python"]])
def test_dependencies_that_clients_could_not_read_are_refused(key: str, specs: object) -> None:
    assert key in refusal({key: specs})


@pytest.mark.parametrize(
    "spec",
    [
        *("bar", "bar >=1,<2", "bar 1.0 py_0", "bar=1", "bar[version='>=1']", "__glibc >=2.17", "conda-forge::bar", "*", "Jinja2", "bar~=1"),
        *("bar >= 1, < 2", "bar 1.*", "bar =1.0", "bar ==1=py_0", "bar >=1|==0.9", "bar !=1.9.*", "blas * openblas", "bar (>=1,<2)|3", "bar>=1"),
        *("bar[build='^py[0-9]+$']", 'bar[version=">=1,<2", build=py*] ', "bar =1", "bar 1.0.* *_cpython", "bar >=1,!=1.5,<2.0a0"),
    ],
)
def test_the_match_specifications_that_there_are_go_in(spec: str) -> None:
    assert index({"depends": [spec]})["depends"] == [spec]


@pytest.mark.parametrize(
    "spec", ["bar >=>=1", "bar >=", "bar >=1,<", "bar <,>1", "bar >=|2", "bar [version='", "bar[version='>=1]", "bar[a] x", "bar (>=1"]
)
def test_what_no_client_could_parse_is_no_match_specification(spec: str) -> None:
    assert "no match specification" in refusal({"depends": [spec]})
    assert "no match specification" in refusal({"requires": [spec]})


@pytest.mark.parametrize("stamp", [-1, "now", 1.5, True, 10**30, now + 86_400_001, [1], 2**53 + 1])
def test_a_timestamp_that_is_none_or_lies_in_the_future_is_refused(stamp: object) -> None:
    assert refusal({"timestamp": stamp})


@pytest.mark.parametrize("stamp", [0, 1_500_000_000, timestamp, now + 86_400_000])
def test_a_timestamp_may_be_in_seconds_and_a_day_ahead(stamp: int) -> None:
    assert index({"timestamp": stamp})["timestamp"] == stamp


def test_the_kinds_of_noarch() -> None:
    assert index({"noarch": "python"}, "noarch")["noarch"] == "python"
    assert index({"noarch": True}, "noarch")["noarch"] == "generic"
    assert "noarch" not in index({"noarch": False}, "linux-64")
    assert "must be 'generic' or 'python'" in refusal({"noarch": "java"}, "noarch")
    assert "belongs into the subdir noarch" in refusal({"noarch": "python"}, "linux-64")


@pytest.mark.parametrize("key", ["license", "license_family", "features", "track_features", "python_site_packages_path", "preferred_env", "date"])
@pytest.mark.parametrize("value", [3, {"a": 1}, [1]])
def test_a_text_that_is_none_is_refused(key: str, value: object) -> None:
    assert f"{key} must be a string" in refusal({key: value})


def test_lists_where_clients_want_text_are_joined() -> None:
    kept = index({"license": ["MIT", "BSD"], "track_features": ["a", "b"]})
    assert (kept["license"], kept["track_features"]) == ("MIT, BSD", "a b")


def test_what_needs_a_later_repodata_is_refused() -> None:
    assert "CEP 48" in refusal({"extra_depends": {"test": ["pytest"]}})
    assert "CEP 48" in refusal({"extra-depends": {"test": ["pytest"]}})
    assert "CEP 48" in refusal({"flags": ["cuda"]})


@pytest.mark.parametrize("nothing", [False, 0, "", [], {}])
def test_an_empty_field_of_a_later_repodata_never_reaches_an_index_with_a_type_that_clients_refuse(nothing: object) -> None:
    kept = index({"extra_depends": nothing, "extra-depends": nothing, "flags": nothing})
    assert not {"extra_depends", "extra-depends", "flags"} & kept.keys()


def test_what_old_packages_said_stays() -> None:
    said = {"requires": ["bar 1.*"], "date": "2013-05-21", "preferred_env": "_bar_", "record_version": 1}
    assert {key: index(said)[key] for key in said} == said


@pytest.mark.parametrize("date", ["", "today", "2013-5-21", "2013-05-21T00:00:00", "1-2-3-4-5-6-7-8-9", "9" * 30, "\u0662013-05-21"])
def test_a_date_that_is_none_is_refused(date: str) -> None:
    """conda makes a timestamp of it, where there is none."""
    assert "date must be" in refusal({"date": date})


@pytest.mark.parametrize("version", [-1, 2, "1", 1.0, True, [1]])
def test_a_record_of_another_version_is_refused(version: object) -> None:
    assert "record_version" in refusal({"record_version": version})


def test_a_record_is_as_long_as_a_client_may_be_asked_to_read() -> None:
    longest = (128 << 10) - len(json.dumps(index({"x": ""}), separators=(",", ":")))
    assert len(index({"x": "a" * longest})["x"]) == longest
    assert "up to 131072" in refusal({"x": "a" * (longest + 1)})


def test_package_urls_are_checked() -> None:
    assert index({"purls": ["pkg:pypi/requests@2.0"]})["purls"] == ["pkg:pypi/requests@2.0"]
    assert "package URLs" in refusal({"purls": ["requests"]})
    assert "package URLs" in refusal({"purls": "pkg:pypi/requests"})


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"[]", "must be a JSON object"),
        (b'{"name": NaN}', "not valid JSON"),
        (b'{"name": Infinity}', "not valid JSON"),
        (b'{"name": "\xff"}', "not valid JSON"),
        (b'{"name": "\\ud800"}', "not valid JSON"),
        (b'{"a": "\\u0000"}', "U+0000"),
        (b'{"\\u0000": 1}', "U+0000"),
        (b'{"a": 1000000000000000000000}', "beyond 64 bits"),
        (b'{"a": -9223372036854775809}', "beyond 64 bits"),
        (b'{"a": 9223372036854775808}', "beyond 64 bits"),
        (b'{"a":' + b"[" * 40 + b"]" * 40 + b"}", "levels deep"),
        (b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", "not valid JSON"),
        (b'{"a":"' + b"x" * (1 << 20) + b'"}', "larger than 1 MiB"),
    ],
)
def test_json_that_not_every_reader_reads_alike_is_refused(document: bytes, sentence: str) -> None:
    assert sentence in raw_refusal(document)


def test_a_version_is_itself_and_no_shorter_one() -> None:
    assert conda.canonical_version("1.0") == "1.0"
    assert conda.canonical_version("1.0RC1") == "1.0rc1"
    with pytest.raises(ValidationError):
        conda.canonical_version("1-0")


def test_an_index_json_of_real_length_is_kept_whole() -> None:
    depends = [f"package-{number} >=1.0,<2.0a0" for number in range(2000)]
    assert json.loads(json.dumps(index({"depends": depends})))["depends"] == depends
