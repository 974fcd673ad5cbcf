"""pip installs what was uploaded, and nothing else."""

from __future__ import annotations

from installed_server import Server
from real_client import Client, run


def test_pip_installs_a_wheel_with_its_dependency(filled: Server, client: Client) -> None:
    python = client.venv()
    client.pip(python, "install", "--index-url", f"{filled.url}/pypi/alice/simple/", "python-dateutil")
    assert run([str(python), "-c", "import dateutil, six; print(six.__version__)"]).stdout.strip() == "1.17.0"


def test_pip_reads_the_metadata_before_it_downloads_a_wheel(filled: Server, client: Client) -> None:
    said = client.pip(client.venv(), "install", "--dry-run", "-v", "--index-url", f"{filled.url}/pypi/alice/simple/", "python-dateutil").stdout
    assert "python_dateutil-2.9.0.post0-py2.py3-none-any.whl.metadata" in said


def test_pip_builds_and_installs_an_sdist(filled: Server, client: Client) -> None:
    python = client.venv()
    client.pip(python, "install", "--index-url", f"{filled.url}/pypi/alice/simple/", "--no-binary", "six", "six==1.16.0")
    assert run([str(python), "-c", "import six; print(six.__version__)"]).stdout.strip() == "1.16.0"


def test_pip_checks_the_hash_it_was_given(filled: Server, client: Client) -> None:
    python = client.venv()
    requirements = client.home / "requirements.txt"
    requirements.write_text(f"six==1.17.0 --hash=sha256:{'0' * 64}\n")
    done = client.pip(python, "install", "--index-url", f"{filled.url}/pypi/alice/simple/", "--require-hashes", "-r", str(requirements), check=False)
    assert done.returncode != 0
    assert "DO NOT MATCH" in done.stdout + done.stderr


def test_pip_lists_the_versions_and_finds_no_package_of_another_index(filled: Server, client: Client) -> None:
    python = client.venv()
    index = f"{filled.url}/pypi/alice/simple/"
    assert "1.17.0, 1.16.0" in client.pip(python, "index", "versions", "six", "--index-url", index).stdout
    done = client.pip(python, "install", "--index-url", index, "requests", check=False)
    assert done.returncode != 0
    assert "No matching distribution" in done.stderr


def test_pip_honours_uploaded_prior_to(filled: Server, client: Client) -> None:
    index = f"{filled.url}/pypi/alice/simple/"
    done = client.pip(client.venv(), "install", "--dry-run", "--uploaded-prior-to", "2020-01-01", "--index-url", index, "six", check=False)
    assert done.returncode != 0
    assert "No matching distribution" in done.stderr


def test_pip_reads_with_a_token_in_the_path_and_as_basic(filled: Server, client: Client, token: str) -> None:
    host = filled.url.removeprefix("http://")
    for index in (
        f"{filled.url}/t/{token}/pypi/alice/simple/",
        f"{filled.url}/pypi/t/{token}/alice/simple/",
        f"http://__token__:{token}@{host}/pypi/alice/simple/",
    ):
        python = client.venv()
        client.pip(python, "install", "--index-url", index, "six")
        assert run([str(python), "-c", "import six; print(six.__version__)"]).stdout.strip() == "1.17.0"
