"""What anaconda.org's page "Working with packages" tells its users to do, one flow after the other, with real clients where people use them."""

from __future__ import annotations

from pathlib import Path

import httpx
from conda_builder import build_conda
from pypi_builder import build_wheel
from real_client import Client

from .conftest import Someone, Town


def installed(client: Client, town: Town, channel: str, spec: str) -> bool:
    """Whether a conda client installs it from a channel, given as a path on the server."""
    prefix = client.home / f"prefix{len(list(client.home.glob('prefix*')))}"
    done = client.rattler(town.server.url + channel, prefix, spec, check=False, cache=client.home / f"cache{prefix.name}")
    return done.returncode == 0 and any(Path(prefix, "share").glob(f"{spec.partition('=')[0].strip()}/*"))


def test_create_a_package_then_upload_into_it(town: Town, alice: Someone, bob: Someone) -> None:
    made = alice.does("createPackage", "package { id visibility }", namespace=alice.name, name="hello", summary="Says hello", visibility="PRIVATE")
    assert made["package"]["visibility"] == "PRIVATE"
    file = alice.has(build_conda("hello", "1.0"))
    assert file["package"] == "hello"
    found = alice.package(alice.name, "hello")
    assert found is not None
    assert (found["id"], found["visibility"], [release["version"] for release in found["releases"]["nodes"]]) == (
        made["package"]["id"],
        "PRIVATE",
        ["1.0"],
    )
    assert alice.sees(alice.name, "hello")
    assert not bob.sees(alice.name, "hello")


def test_labels_in_channel_urls(town: Town, alice: Someone, client: Client) -> None:
    file = alice.has(build_conda("tool", "2.0"), label="dev")
    assert installed(client, town, f"/conda/{alice.name}/label/dev", "tool")
    assert not installed(client, town, f"/conda/{alice.name}", "tool")
    address = {"namespace": alice.name, "type": "conda", "path": file["path"]}
    alice.does("addLabel", files={"addresses": [address]}, label="main")
    assert installed(client, town, f"/conda/{alice.name}", "tool")
    alice.does("removeLabel", files={"addresses": [address]}, label="dev")
    assert not installed(client, town, f"/conda/{alice.name}/label/dev", "tool")


def test_install_with_a_token_and_a_label(town: Town, alice: Someone, client: Client) -> None:
    alice.has(build_conda("tool", "2.0"), label="dev", private="true")
    token = alice.token("conda:download")
    assert not installed(client, town, f"/conda/{alice.name}/label/dev", "tool")
    assert installed(client, town, f"/t/{token}/conda/{alice.name}/label/dev", "tool")
    assert installed(client, town, f"/conda/t/{token}/{alice.name}/label/dev", "tool")


def test_a_private_package_is_invisible_then_visible_with_a_download_token(town: Town, alice: Someone, client: Client) -> None:
    alice.has(build_conda("secret", "1.0"), private="true")
    anonymous = httpx.get(f"{town.server.url}/conda/{alice.name}/noarch/repodata.json")
    assert anonymous.json()["packages.conda"] == {}
    assert not installed(client, town, f"/conda/{alice.name}", "secret")
    token = alice.token("conda:download")
    assert installed(client, town, f"/t/{token}/conda/{alice.name}", "secret")
    pypi = alice.token("pypi:download")
    assert not installed(client, town, f"/t/{pypi}/conda/{alice.name}", "secret")


def test_a_private_package_is_visible_to_a_collaborator_who_has_logged_in(town: Town, alice: Someone, client: Client) -> None:
    bob = town.logged_in("bob")
    alice.has(build_conda("secret", "1.0"), private="true")
    alice.has(build_conda("other", "1.0"), private="true")
    assert not bob.sees(alice.name, "secret")
    package = alice.package(alice.name, "secret")
    assert package is not None
    alice.does("addCollaborator", packageId=package["id"], user=bob.name)
    assert bob.sees(alice.name, "secret")
    assert not bob.sees(alice.name, "other")
    token = bob.token("conda:download")
    assert installed(client, town, f"/t/{token}/conda/{alice.name}", "secret")


def test_a_private_package_is_visible_to_a_read_only_group(town: Town, alice: Someone, bob: Someone, client: Client) -> None:
    acme = town.organization(alice)
    alice.has(build_conda("secret", "1.0"), acme, private="true")
    assert not bob.sees(acme, "secret")
    town.group(alice, acme, "READ", bob)
    assert bob.sees(acme, "secret")
    assert installed(client, town, f"/t/{bob.token('conda:download')}/conda/{acme}", "secret")
    assert bob.upload(build_conda("secret", "2.0"), acme).status_code == 403
    assert bob.upload(build_conda("mine", "1.0"), acme).status_code == 403


def test_pip_with_a_token_in_the_path(town: Town, alice: Someone, client: Client) -> None:
    alice.has(build_wheel("quiet", "1.0"), private="true")
    python = client.venv()
    public = client.pip(python, "install", "--index-url", f"{town.server.url}/pypi/{alice.name}/simple/", "quiet", check=False)
    assert public.returncode != 0
    assert "No matching distribution" in public.stderr
    token = alice.token("pypi:download")
    client.pip(python, "install", "--index-url", f"{town.server.url}/t/{token}/pypi/{alice.name}/simple/", "quiet")
    assert "quiet" in client.pip(python, "list").stdout


def test_remove_a_version(town: Town, alice: Someone, client: Client) -> None:
    for version in ("1.0", "2.0"):
        alice.has(build_wheel("moby", version))
    package = alice.package(alice.name, "moby")
    assert package is not None
    newest = next(release["id"] for release in package["releases"]["nodes"] if release["version"] == "2.0")
    alice.does("removeRelease", releaseId=newest)
    python, index = client.venv(), f"{town.server.url}/pypi/{alice.name}/simple/"
    gone = client.pip(python, "install", "--index-url", index, "moby==2.0", check=False)
    assert gone.returncode != 0
    client.pip(python, "install", "--index-url", index, "moby")
    assert "1.0" in client.pip(python, "show", "moby").stdout


def test_add_and_revoke_a_collaborator(town: Town, alice: Someone, bob: Someone) -> None:
    alice.has(build_conda("shared", "1.0"), private="true")
    package = alice.package(alice.name, "shared")
    assert package is not None
    assert bob.upload(build_conda("shared", "2.0"), alice.name).status_code == 403
    alice.does("addCollaborator", packageId=package["id"], user=bob.name)
    bob.has(build_conda("shared", "2.0"), alice.name)
    assert bob.upload(build_conda("another", "1.0"), alice.name).status_code == 403
    alice.does("removeCollaborator", packageId=package["id"], user=bob.name)
    assert bob.upload(build_conda("shared", "3.0"), alice.name).status_code == 403
    assert not bob.sees(alice.name, "shared")
    assert alice.sees(alice.name, "shared")


def test_transfer_to_an_organization(town: Town, alice: Someone, bob: Someone, client: Client) -> None:
    acme = town.organization(alice)
    file = alice.has(build_conda("moving", "1.0"))
    package = alice.package(alice.name, "moving")
    assert package is not None
    alice.does("transferPackage", packageId=package["id"], namespace=acme)
    assert bob.sees(acme, "moving")
    assert httpx.get(f"{town.server.url}/conda/{alice.name}/noarch/repodata.json").json()["packages.conda"] == {}
    assert installed(client, town, f"/conda/{acme}", "moving")
    assert not installed(client, town, f"/conda/{alice.name}", "moving")
    old = httpx.get(file["url"], follow_redirects=True)
    assert (old.status_code, old.content) == (200, build_conda("moving", "1.0")[1])
    assert bob.upload(build_conda("moving", "2.0"), acme).status_code == 403
    town.group(alice, acme, "WRITE", bob)
    bob.has(build_conda("moving", "2.0"), acme)


def test_delete_a_package(town: Town, alice: Someone, bob: Someone) -> None:
    file = alice.has(build_conda("gone", "1.0"))
    package = alice.package(alice.name, "gone")
    assert package is not None
    alice.does("deletePackage", packageId=package["id"], confirmation=f"{alice.name}/gone")
    assert not alice.sees(alice.name, "gone")
    assert httpx.get(file["url"]).status_code == 404
    assert bob.upload(build_conda("gone", "2.0"), alice.name).status_code == 403
    alice.has(build_conda("gone", "2.0"))
    assert bob.sees(alice.name, "gone")


def test_upload_to_an_organization(town: Town, alice: Someone, bob: Someone, client: Client) -> None:
    acme = town.organization(alice)
    wheel = build_wheel("ours", "1.0")
    path = client.home / wheel[0]
    path.write_bytes(wheel[1])
    address = f"{town.server.url}/pypi/{acme}/legacy/"
    refused = client.twine("upload", "--repository-url", address, "-u", "__token__", "-p", bob.token("pypi"), str(path), check=False)
    assert refused.returncode != 0
    assert "403" in refused.stdout + refused.stderr
    town.group(alice, acme, "WRITE", bob)
    client.twine("upload", "--repository-url", address, "-u", "__token__", "-p", bob.token("pypi"), str(path))
    bob.has(build_conda("ours", "1.0"), acme)
    assert alice.sees(acme, "ours")
    python = client.venv()
    client.pip(python, "install", "--index-url", f"{town.server.url}/pypi/{acme}/simple/", "ours")
