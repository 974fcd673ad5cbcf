"""A script asks for a one-time URL, a program without a token sends a wheel to it, and pip installs that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from installed_server import Server
from real_client import Client, run

ANNOUNCE = """
import json, sys, urllib.request
site, token, namespace, basename, package = sys.argv[1:]
query = '''mutation ($input: CreateUploadInput!) { createUpload(input: $input) {
    ... on CreateUploadPayload { url headers { name value } expiresAt } ... on Error { message } } }'''
variables = {"input": {"namespace": namespace, "basename": basename, "package": package, "labels": ["main", "dev"]}}
headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
request = urllib.request.Request(f"{site}/graphql", json.dumps({"query": query, "variables": variables}).encode(), headers)
print(json.loads(urllib.request.urlopen(request).read())["data"]["createUpload"]["url"])
"""

SEND = """
import sys, urllib.error, urllib.request
url, file = sys.argv[1:]
request = urllib.request.Request(url, open(file, "rb").read(), {"Content-Type": "application/octet-stream"}, method="PUT")
try:
    print(urllib.request.urlopen(request).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""


def script(text: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", text, *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_program_without_a_token_publishes_what_was_announced(server: Server, token: str, wheels: list[Path], client: Client) -> None:
    wheel = next(file for file in wheels if file.name.startswith("wheel-"))
    url = script(ANNOUNCE, server.url, token, "alice", wheel.name, "wheel")
    assert url.startswith(f"{server.url}/upload/-/")
    other = next(file for file in wheels if file.name.startswith("six-"))
    assert script(SEND, url, str(other)) == "422"
    assert script(SEND, url, str(wheel)) == "201"
    assert script(SEND, url, str(wheel)) == "409"
    python = client.venv()
    client.pip(python, "install", "--index-url", f"{server.url}/pypi/alice/label/dev/simple/", "--no-deps", "wheel")
    assert "wheel" in run([str(python), "-m", "pip", "list"]).stdout
