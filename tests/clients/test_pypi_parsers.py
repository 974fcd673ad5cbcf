"""Random indexes, as client libraries read them: all of them find the same in HTML and in JSON, and it is what was published."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from entrepot.plugin import RenderContext, StoredExtra, StoredFile
from entrepot_pypi.packagetype import PypiType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from real_client import tool_environment
from stored_wheel import WHEEL

URL = "https://example.org/t/secret/pypi/alice/label/dev/simple/foo/"
TYPES = {"json": "application/vnd.pypi.simple.v1+json", "v1html": "application/vnd.pypi.simple.v1+html", "html": "text/html"}
Parse = Callable[[Mapping[str, str]], dict[str, list[dict[str, Any]]]]

SIDECAR = StoredExtra(sha256="12" * 32, size=10, media_type="application/octet-stream")
reasons = st.sampled_from([None, True, "broken", '"><script>alert(1)</script>', "a & b < c", "ünï—☃"])
files = st.builds(
    lambda number, ending, requires_python, yanked, sidecar: replace(
        WHEEL,
        version=number,
        path=f"foo-{number}{ending}",
        attributes={"requires_python": requires_python} if requires_python else {},
        state={} if yanked is None else {"yanked": yanked},
        extras={"metadata": SIDECAR} if sidecar else {},
    ),
    st.sampled_from(["1.0", "2.0rc1", "2!1.0", "1.0+local.1", "10.0.post1"]),
    st.sampled_from(["-py3-none-any.whl", "-1-cp312-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", ".tar.gz"]),
    st.sampled_from([None, ">=3.8", ">=3.8,<4", "!=3.0.*"]),
    reasons,
    st.booleans(),
)


@pytest.fixture(scope="module")
def parse(tools: Path) -> Iterator[Parse]:
    """The libraries, in a process of their own that serves all examples."""
    python = tool_environment(tools / "pypi-parsers-environment", "pypi-simple", "mousebender", "unearth")
    script = Path(__file__).parents[1] / "builders" / "pypi_parsers.py"
    with subprocess.Popen([str(python), str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def ask(page: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
            stdin.write(json.dumps(page) + "\n")
            stdin.flush()
            found: dict[str, list[dict[str, Any]]] = json.loads(stdout.readline())
            return found

        yield ask
        stdin.close()


def published(file: StoredFile) -> dict[str, Any]:
    """What a client should know of a file."""
    return {
        "filename": file.path,
        "url": f"https://example.org/t/secret/pypi/alice/label/dev/files/{quote(file.path, safe='')}",
        "hashes": {"sha256": file.sha256},
        "requires-python": file.attributes.get("requires_python"),
        "yanked": file.state.get("yanked", False),
        "core-metadata": {"sha256": SIDECAR.sha256} if file.extras else False,
    }


@given(st.lists(files, max_size=5, unique_by=lambda file: file.path))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_client_libraries_find_the_same_in_every_form(parse: Parse, stored: list[StoredFile]) -> None:
    pypi, context = PypiType(), RenderContext(namespace="alice", label="dev", document="simple", part="foo")
    entries = sorted((entry.sort_key, file.path, entry.representations) for file in stored for entry in pypi.entries(file))
    wanted = [published(next(file for file in stored if file.path == path)) for _, path, _ in entries]
    for representation, media_type in TYPES.items():
        kind = "json" if representation == "json" else "html"
        body = pypi.render_part(representation, context, [bodies[kind] for _, _, bodies in entries]).decode()
        found = parse({"project": "foo", "url": URL, "content_type": media_type, "body": body})
        for library, parsed in found.items():
            assert parsed == wanted, (library, representation)
