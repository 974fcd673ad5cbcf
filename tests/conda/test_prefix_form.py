"""prefix.dev's upload form by itself. How a form is taken apart: tests/pypi/test_legacy_form.py."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from entrepot.plugin import BadRequest
from entrepot_conda.dialects import PrefixForm
from hypothesis import given, settings
from hypothesis import strategies as st

BOUNDARY = "a-boundary"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
NAME = "foo-1.0-0.conda"
END = f"--{BOUNDARY}--\r\n".encode()


def part(name: str, body: bytes, filename: str | None = None, **headers: str) -> bytes:
    disposition = f'form-data; name="{name}"' + ("" if filename is None else f'; filename="{filename}"')
    lines = [f"--{BOUNDARY}", f"Content-Disposition: {disposition}", *(f"{key.replace('_', '-')}: {value}" for key, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body + b"\r\n"


def take(body: bytes, size: int = 1 << 20) -> tuple[str, Mapping[str, str], bytes]:
    form, taken = PrefixForm(TYPE), b""
    for start in range(0, len(body), size):
        taken += b"".join(form.feed(body[start : start + size]))
    basename, digests = form.finish()
    return basename, digests, taken


@settings(max_examples=50)
@given(st.binary(max_size=200), st.integers(1, 40))
def test_the_file_comes_out_as_it_went_in_with_what_its_headers_say(content: bytes, size: int) -> None:
    body = part("file", content, NAME, X_File_Name=NAME, X_FILE_SHA256="ab" * 32) + END
    assert take(body, size) == (NAME, {"sha256": "ab" * 32}, content)


def test_headers_are_not_needed_and_other_fields_are_passed_over() -> None:
    assert take(part("comment", b"x" * 9000) + part("file", b"bytes", NAME) + END) == (NAME, {}, b"bytes")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (END, "has no file"),
        (part("file", b"bytes") + END, "has no file"),
        (part("file", b"bytes", NAME), "ends in the middle"),
        (part("file", b"bytes", NAME, X_File_Name="bar-1.0-0.conda") + END, "under one name"),
        (part("file", b"", NAME) + part("file", b"", NAME) + END, "more than one file"),
        (part("other", b"bytes", NAME) + END, "must not be a file"),
        (part("file", b"bytes", NAME) + part("attestation", b"{}") + END, "keeps no attestations"),
        (part("file", b"bytes", NAME) + part("attestation", b"{}", "attestation.json") + END, "keeps no attestations"),
    ],
)
def test_a_form_that_lacks_or_contradicts_is_refused(body: bytes, sentence: str) -> None:
    with pytest.raises(BadRequest, match=sentence):
        take(body)
