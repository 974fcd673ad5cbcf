"""The upload form, in pieces of any size, by itself."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from entrepot.http.form import MOST_PARTS
from entrepot.plugin import BadRequest, TooLarge
from entrepot_pypi.legacy import Gone, LegacyForm, Submission
from hypothesis import given
from hypothesis import strategies as st

BOUNDARY = "a-boundary"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
FIELDS = {":action": "file_upload", "protocol_version": "1", "name": "foo", "version": "1.0", "filetype": "bdist_wheel", "pyversion": "py3"}
FIELDS["sha256_digest"] = "ab" * 32
WHEEL = "foo-1.0-py3-none-any.whl"


def part(name: str, body: bytes, filename: str | None = None) -> bytes:
    disposition = f'form-data; name="{name}"' + ("" if filename is None else f'; filename="{filename}"')
    return f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + body + b"\r\n"


def form(
    content: bytes = b"bytes", filename: str | None = WHEEL, before: Sequence[bytes] = (), behind: Sequence[bytes] = (), **fields: str | None
) -> bytes:
    """A whole form; a field of None is left out."""
    given = {**FIELDS, **{(":action" if name == "action" else name): value for name, value in fields.items()}}
    parts = [part(name, value.encode()) for name, value in given.items() if value is not None]
    return b"".join([*parts, *before, part("content", content, filename), *behind, f"--{BOUNDARY}--\r\n".encode()])


def take(body: bytes, size: int = 1 << 20) -> tuple[Submission, bytes]:
    received, taken = LegacyForm(TYPE), b""
    for start in range(0, len(body), size):
        taken += b"".join(received.feed(body[start : start + size]))
    return received.finish(), taken


def feed_without_end(received: LegacyForm) -> None:
    for _ in range(20):
        received.feed(bytes(1 << 20))


@given(st.binary(max_size=400), st.integers(1, 50))
def test_the_file_comes_out_as_it_went_in_whatever_the_pieces(content: bytes, size: int) -> None:
    said, taken = take(form(content + b"\r\n--a-bound"), size)
    assert taken == content + b"\r\n--a-bound"
    assert said == Submission(basename=WHEEL, name="foo", version="1.0", digests={"sha256": "ab" * 32})


@given(st.binary(max_size=300), st.integers(1, 40))
def test_no_bytes_make_the_form_fail_otherwise_than_with_a_sentence(noise: bytes, size: int) -> None:
    with pytest.raises(BadRequest):
        take(noise, size)


def test_fields_may_come_after_the_file() -> None:
    said, taken = take(form(behind=[part("md5_digest", b"cd" * 16), part("attestations", b"[]")], sha256_digest=None))
    assert taken == b"bytes"
    assert said.digests == {"md5": "cd" * 16}


def test_digests_go_by_the_names_that_the_core_knows() -> None:
    said, _ = take(form(md5_digest="CD" * 16, blake2_256_digest="ef" * 32))
    assert said.digests == {"md5": "cd" * 16, "sha256": "ab" * 32, "blake2b": "ef" * 32}


def test_what_pdm_and_old_tools_send_for_nothing_is_nothing() -> None:
    said, _ = take(form(md5_digest="", blake2_256_digest="UNKNOWN", protocol_version=""))
    assert said.digests == {"sha256": "ab" * 32}


@pytest.mark.parametrize(
    ("filename", "pyversion"),
    [
        ("foo-1.0-cp311-cp311-linux_x86_64.whl", "cp311"),
        ("foo-1.0-1build-py2.py3-none-any.whl", "py2.py3"),
        ("foo-1.0-pp310-pypy310_pp73-win_amd64.whl", "cp310"),
        ("foo-1.0.tar.gz", "source"),
        ("foo-1.0.tar.gz", None),
        ("foo-1.0.zip", ""),
    ],
)
def test_the_python_of_a_form_is_that_of_its_file(filename: str, pyversion: str | None) -> None:
    filetype = "bdist_wheel" if filename.endswith(".whl") else "sdist"
    assert take(form(filename=filename, pyversion=pyversion, filetype=filetype))[0].basename == filename


def test_as_many_parts_as_a_form_may_have_take_no_time_and_more_are_refused() -> None:
    """Each costs the event loop what a thousand bytes of a file do."""
    whole = len(FIELDS) + 1
    began = time.process_time()
    assert take(form(before=[part("a", b"")] * (MOST_PARTS - whole)))[1] == b"bytes"
    assert time.process_time() - began < 1
    with pytest.raises(TooLarge, match=f"more than {MOST_PARTS} parts"):
        take(form(before=[part("a", b"")] * (MOST_PARTS - whole + 1)))


def test_metadata_of_the_form_is_passed_over() -> None:
    fields = [part("summary", "ünï".encode()), part("classifiers", b"a"), part("classifiers", b"b"), part("description", b"\xff" * 100_000)]
    assert take(form(before=fields))[1] == b"bytes"


def test_a_detached_signature_is_passed_over() -> None:
    assert take(form(before=[part("gpg_signature", b"-----", "foo.whl.asc")]))[1] == b"bytes"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"action": None}, ":action=file_upload"),
        ({"action": "upload"}, ":action=file_upload"),
        ({"protocol_version": "2"}, "protocol_version=1"),
        ({"name": None}, "lacks name"),
        ({"name": "UNKNOWN", "version": ""}, "lacks name, version"),
        ({"filetype": None}, "lacks filetype"),
        ({"filetype": "bdist_egg"}, "must be bdist_wheel or sdist"),
        ({"filetype": "sdist"}, "ends in .tar.gz or .zip"),
        ({"filename": "foo-1.0.tar.gz"}, "ends in .whl"),
        ({"pyversion": None}, "must say its Python tag, for example `pyversion=py3`"),
        ({"pyversion": "source"}, "must say its Python tag, for example `pyversion=py3`"),
        ({"pyversion": "py3", "filename": "foo-1.0.tar.gz", "filetype": "sdist"}, "that is `source`"),
        ({"sha256_digest": None}, "at least one of"),
        ({"sha256_digest": "ab"}, "sha256_digest must be 64 hexadecimal digits"),
        ({"md5_digest": "rL0Y20zC+Fzt72VPzMSk2A=="}, "md5_digest must be 32 hexadecimal digits"),
        ({"filename": None}, "has no file"),
        ({"filename": ""}, "has no file"),
        ({"name": "x" * 5000}, "longer than 4096"),
        ({"behind": [part("content", b"", "other.whl")]}, "more than one file"),
        ({"behind": [part("name", b"bar")]}, "says 'name' twice"),
        ({"behind": [part("name", b"foo", "name.txt")]}, "must not be a file"),
        ({"behind": [part("version", b"\xff")]}, "UTF-8"),
        ({"behind": [f"--{BOUNDARY}\r\nContent-Type: text/plain\r\n\r\nx\r\n".encode()]}, "part without a name"),
    ],
)
def test_a_form_that_lacks_or_contradicts_is_refused(fields: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadRequest, match=sentence):
        take(form(**fields))  # type: ignore[arg-type]


@pytest.mark.parametrize("action", ["submit", "doc_upload"])
def test_actions_of_the_past_are_gone(action: str) -> None:
    with pytest.raises(Gone) as caught:
        take(form(action=action))
    assert caught.value.status == 410


def test_a_form_that_ends_in_the_middle_is_refused() -> None:
    body = form()
    for length in range(0, len(body) - 4, 5):
        with pytest.raises(BadRequest):
            take(body[:length])


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "multipart/form-data", "multipart/form-data; boundary=", f"multipart/form-data; boundary={'x' * 500}"]
)
def test_what_is_no_form_is_refused(content_type: str) -> None:
    with pytest.raises(BadRequest):
        LegacyForm(content_type)


@pytest.mark.parametrize("where", ["before", "behind"])
def test_a_field_without_end_is_refused_and_never_held(where: str) -> None:
    received = LegacyForm(TYPE)
    received.feed(part("content", b"", WHEEL) if where == "behind" else b"")
    received.feed(part("description", b"")[:-2])
    with pytest.raises(TooLarge, match="besides the file"):
        feed_without_end(received)


def test_bytes_behind_the_form_without_end_are_refused() -> None:
    received = LegacyForm(TYPE)
    received.feed(form())
    with pytest.raises(TooLarge):
        feed_without_end(received)


def test_a_large_file_passes_through_in_pieces() -> None:
    received = LegacyForm(TYPE)
    body = form(bytes(32 << 20))
    sizes = [sum(map(len, received.feed(body[start : start + 65536]))) for start in range(0, len(body), 65536)]
    assert sum(sizes) == 32 << 20
    assert max(sizes) < 80_000
