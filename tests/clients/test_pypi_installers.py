"""Every installer finds what it may read, public and private, by label and by token, and reads metadata before it fetches wheels."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pytest
from access_log import AccessLog, Asked
from changes import mutation
from installed_server import Server
from pypi_builder import build_wheel
from pypi_installers import INSTALLERS, Index, pip_compile
from real_client import Client, run

pytestmark = pytest.mark.parametrize("lasting_ground", ["folder"], indirect=True)  # pip and uv are sent to an object store in test_redirects.py

APP, DEP = "lab_app-1.0-py3-none-any.whl", "lab_dep-1.0-py3-none-any.whl"


@pytest.fixture(scope="module")
def token(watched: tuple[Server, AccessLog]) -> str:
    """Of alice's, that only downloads."""
    return watched[0].token("pypi:download")


@pytest.fixture(scope="module")
def index(watched: tuple[Server, AccessLog]) -> str:
    """The URL of alice's PyPI index. Its newest lab-app needs what nobody has; under `dev` there is one more, and a private package."""
    server, _ = watched
    with server.client("all") as alice:
        for private, labels, (basename, body) in (
            ("false", ["main", "dev"], build_wheel("lab-dep", "1.0")),
            ("false", ["main"], build_wheel("lab-dep", "2.0")),
            ("false", ["main"], build_wheel("lab-app", "1.0", ["lab-dep<2"])),
            ("false", ["main"], build_wheel("lab-app", "1.1", ["lab-dep>=3"])),
            ("false", ["dev"], build_wheel("lab-app", "3.0.dev1", ["lab-dep"])),
            ("true", ["dev"], build_wheel("lab-secret", "1.0", ["lab-app>=3.0.dev0"])),
        ):
            answer = alice.put(f"/upload/alice/{basename}", params={"private": private, "label": labels}, content=body)
            assert answer.status_code == 201, answer.text
    return f"{server.url}/pypi/alice"


@pytest.mark.parametrize("tool", INSTALLERS)
def test_it_resolves_from_metadata_and_fetches_only_the_wheels_that_it_installs(
    watched: tuple[Server, AccessLog], index: str, client: Client, tool: str
) -> None:
    with watched[1].watching() as asked:
        site = INSTALLERS[tool](client, Index(f"{index}/simple/"), "lab-app")
    assert installed(site) == ["lab_app-1.0", "lab_dep-1.0"]
    wheels, metadata = fetched(asked, ".whl"), fetched(asked, ".whl.metadata")
    assert sorted(wheels) == [APP, DEP]
    assert {f"{APP}.metadata", f"{DEP}.metadata", "lab_app-1.1-py3-none-any.whl.metadata"} <= set(metadata)
    first_wheel = next(at for at, one in enumerate(asked) if one.path.endswith(".whl"))
    assert not [one for one in asked[first_wheel:] if one.path.endswith(".metadata")]
    assert {one.status for one in asked} <= {200, 304}


@pytest.mark.parametrize(
    ("tool", "how"),
    [
        *(("pip", "basic"), ("pip", "path"), ("uv", "basic"), ("uv", "path"), ("poetry", "basic"), ("poetry", "path")),
        *(("pdm", "basic"), ("pdm", "path"), ("hatch", "basic"), ("hatch", "path")),
    ],
)
def test_it_installs_what_is_private_under_a_label_with_a_token(index: str, client: Client, token: str, tool: str, how: str) -> None:
    url = f"{index}/label/dev/simple/" if how == "basic" else f"{index.replace('/pypi/', f'/t/{token}/pypi/')}/label/dev/simple/"
    site = INSTALLERS[tool](client, Index(url, token if how == "basic" else ""), "lab-secret")
    assert installed(site) == ["lab_app-3.0.dev1", "lab_dep-1.0", "lab_secret-1.0"]


def test_pip_compile_pins_from_metadata_and_fetches_no_wheel(watched: tuple[Server, AccessLog], index: str, client: Client, token: str) -> None:
    with watched[1].watching() as asked:
        public = pip_compile(client, Index(f"{index}/simple/"), "lab-app")
        private = [
            pip_compile(client, from_where, "lab-secret", "--no-emit-index-url")
            for from_where in (Index(f"{index}/label/dev/simple/", token), Index(f"{index.replace('/pypi/', f'/t/{token}/pypi/')}/label/dev/simple/"))
        ]
    assert pins(public) == ["lab-app==1.0", "lab-dep==1.0"]
    assert [pins(one) for one in private] == [["lab-app==3.0.dev1", "lab-dep==1.0", "lab-secret==1.0"]] * 2
    assert fetched(asked, ".metadata")
    assert fetched(asked, ".whl") == []


def test_pip_compile_writes_the_digests_of_the_wheels(index: str, client: Client) -> None:
    pinned = pip_compile(client, Index(f"{index}/simple/"), "lab-app", "--generate-hashes")
    wheels = build_wheel("lab-app", "1.0", ["lab-dep<2"]), build_wheel("lab-dep", "1.0")
    assert re.findall(r"--hash=sha256:(\w+)", pinned) == [sha256(body).hexdigest() for _, body in wheels]


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_what_the_index_lacks_is_sought_nowhere_else(watched: tuple[Server, AccessLog], index: str, client: Client, tool: str) -> None:
    """six is on PyPI, and an index that falls back would find it there."""
    with watched[1].watching() as asked, pytest.raises(AssertionError, match=r"six"):
        INSTALLERS[tool](client, Index(f"{index}/simple/"), "six")
    assert {one for one in asked if "six" in one.path} == {Asked("GET", "/pypi/alice/simple/six/", 404)}


def test_for_a_project_in_quarantine_no_other_index_is_asked(watched: tuple[Server, AccessLog], index: str, client: Client) -> None:
    """uv stops at the first index that knows a project: were there no page, it would take what is somebody else's."""
    server, log = watched
    for user, name, version in (("alice", "lab-quarantined", "1.0"), ("bob", "lab-quarantined", "9.9"), ("bob", "lab-other", "1.0")):
        basename, body = build_wheel(name, version)
        with server.client("all", user=user) as owner:
            assert owner.put(f"/upload/{user}/{basename}", content=body).status_code == 201
    with server.client("all") as alice:
        said = {"namespace": "alice", "project": "lab-quarantined", "status": "QUARANTINED"}
        assert alice.post("/graphql", json={"query": mutation("setProjectStatus"), "variables": {"input": said}}).json()["data"]["result"] == {
            "__typename": "SetProjectStatusPayload"
        }
    both = ["--target", str(client.home / "site"), "--index", f"{index}/simple/", "--default-index", f"{server.url}/pypi/bob/simple/"]
    client.uv_pip(Path(sys.executable), "install", *both, "lab-other")
    with log.watching() as asked, pytest.raises(AssertionError, match="lab-quarantined"):
        client.uv_pip(Path(sys.executable), "install", *both, "lab-quarantined")
    assert {one for one in asked if "quarantined" in one.path} == {Asked("GET", "/pypi/alice/simple/lab-quarantined/", 200)}
    assert installed(client.home / "site") == ["lab_other-1.0"]


def installed(site: Path) -> list[str]:
    """The distributions in a folder, that can be imported from there."""
    found = sorted(path.name.removesuffix(".dist-info") for path in site.glob("lab_*.dist-info"))
    modules = [name.partition("-")[0] for name in found]
    imports = f"import sys; sys.path.insert(0, {str(site)!r}); import {', '.join(modules)}; print({' + '.join(f'{each}.answer' for each in modules)})"
    assert run(["python3", "-S", "-c", imports]).stdout.strip() == str(42 * len(modules))
    return found


def fetched(asked: Sequence[Asked], ending: str) -> list[str]:
    """The basenames of what was downloaded."""
    return [one.path.rpartition("/")[2] for one in asked if one.path.endswith(ending) and one.status == 200 and one.method == "GET"]


def pins(text: str) -> list[str]:
    """The requirements of a pinned file."""
    return [line for line in text.splitlines() if "==" in line and not line.startswith((" ", "#"))]
