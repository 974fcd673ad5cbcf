"""nginx in front of one host, with the configuration of the manual: TLS, files that nginx sends itself, a path in the public URL."""

from __future__ import annotations

import hashlib
import os
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import trustme
from command import run_command
from conda_builder import build_conda
from entrepot_process import Running, process_environment, serving
from ground import laid
from nginx import Nginx, changed, nginx, of_manual
from object_store import free_ports
from pypi_builder import build_wheel

BASENAME, PACKAGE = build_conda("ship", "1.0", files={"share/data": os.urandom(300_000)})
SECRET_BASENAME, SECRET_PACKAGE = build_conda("secret", "1.0", files={"share/data": os.urandom(300_000)})
PLACE = "/conda/alice/noarch"


@dataclass
class Site:
    """A server behind nginx, and alice's way in."""

    data: Path
    server: Running
    front: Nginx
    client: httpx.Client
    token: str

    @property
    def anyone(self) -> httpx.Client:
        """A client without a credential."""
        return httpx.Client(base_url=self.client.base_url, verify=self.trust, timeout=60)

    trust: ssl.SSLContext


@pytest.fixture
def site(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    """As the manual has it, on SQLite and a folder; the parameter is the path of the public URL."""
    path = getattr(request, "param", "")
    port, data = free_ports(1)[0], tmp_path / "data"
    authority = trustme.CA()
    made = authority.issue_cert("localhost", "127.0.0.1")
    (tmp_path / "chain.pem").write_bytes(b"".join(one.bytes() for one in made.cert_chain_pems))
    (tmp_path / "key.pem").write_bytes(made.private_key_pem.bytes())
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    settings = {
        "ENTREPOT_PUBLIC_URL": f"https://127.0.0.1:{port}{path}",
        "ENTREPOT_TRUSTED_PROXIES": "127.0.0.1",
        "ENTREPOT_ACCEL_REDIRECT": "/entrepot-files/",
    }
    with laid("folder"), ExitStack() as stack:
        for arguments in (["user", "create", "alice"], ["token", "create", "alice", "--name", "laptop"]):
            done = run_command(*arguments, "--data", data, folder=tmp_path, environment=process_environment())
            assert done.returncode == 0, done.stderr
            token = done.stdout.strip()
        server = stack.enter_context(serving(data, environment=settings))
        replacements = {
            "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
            "server_name packages.example.org;": "server_name 127.0.0.1;",
            "/etc/ssl/packages.example.org/fullchain.pem": str(tmp_path / "chain.pem"),
            "/etc/ssl/packages.example.org/privkey.pem": str(tmp_path / "key.pem"),
            "/var/log/nginx/": "FOLDER/",
            "server 127.0.0.1:8080;": f"server 127.0.0.1:{server.port};",
            "/var/lib/entrepot/blobs/": f"{data}/blobs/",
        }
        text = of_manual("# tokens may stand in paths")
        if path:
            text = changed(text, {"    location / {\n        proxy_pass http://entrepot;\n    }\n": of_manual(f"location {path}/")})
        front = stack.enter_context(nginx(changed(text, replacements), port))
        headers = {"Authorization": f"Bearer {token}"}
        client = stack.enter_context(httpx.Client(base_url=f"https://127.0.0.1:{port}{path}", headers=headers, verify=trust, timeout=60))
        yield Site(data, server, front, client, token, trust)


def put(site: Site, basename: str, body: bytes, query: str = "") -> str:
    """Upload; answers the URL that the server says."""
    answer = site.client.put(f"/upload/alice/{basename}{query}", content=body)
    assert answer.status_code == 201, answer.text
    url: str = answer.json()["url"]
    return url


def test_nginx_sends_the_file_whole_in_ranges_and_not_again(site: Site) -> None:
    url = put(site, BASENAME, PACKAGE)
    with site.anyone as client:
        whole = client.get(url)
        assert whole.content == PACKAGE
        assert "x-accel-redirect" not in whole.headers
        assert whole.headers["server"].startswith("nginx")
        etag = whole.headers["etag"]
        assert etag == f'"{hashlib.sha256(PACKAGE).hexdigest()}"'
        assert "attachment" in whole.headers["content-disposition"]
        assert whole.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in whole.headers["content-security-policy"]
        assert whole.headers["access-control-allow-origin"] == "*"
        assert "immutable" in whole.headers["cache-control"]
        part = client.get(url, headers={"Range": "bytes=1000-1999"})
        assert (part.status_code, part.content) == (206, PACKAGE[1000:2000])
        assert part.headers["content-range"] == f"bytes 1000-1999/{len(PACKAGE)}"
        tail = client.get(url, headers={"Range": "bytes=-500"})
        assert (tail.status_code, tail.content) == (206, PACKAGE[-500:])
        assert client.get(url, headers={"Range": f"bytes={len(PACKAGE)}-"}).status_code == 416
        same = client.get(url, headers={"If-None-Match": etag})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
        head = client.head(url)
        assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(PACKAGE)))


def test_what_the_folder_holds_is_reached_through_entrepot_alone(site: Site) -> None:
    put(site, SECRET_BASENAME, SECRET_PACKAGE, "?private=true")
    digest = hashlib.sha256(SECRET_PACKAGE).hexdigest()
    inside = f"sha256/{digest[:2]}/{digest[2:4]}/{digest}"
    assert (site.data / "blobs" / inside).is_file()
    with site.anyone as client:
        for path in (f"/entrepot-files/{inside}", f"//entrepot-files/{inside}", f"/x/../entrepot-files/{inside}", f"/%65ntrepot-files/{inside}"):
            answer = client.get(path)
            assert answer.status_code == 404, path
            assert SECRET_PACKAGE not in answer.content
        assert client.get("/entrepot-files/../entrepot.sqlite3").status_code == 404
        assert client.get(f"{PLACE}/{SECRET_BASENAME}").status_code == 404
        assert client.get(f"{PLACE}/{SECRET_BASENAME}", headers={"X-Accel-Redirect": f"/entrepot-files/{inside}"}).status_code == 404
        mine = client.get(f"/t/{site.token}{PLACE}/{SECRET_BASENAME}")
    assert mine.content == SECRET_PACKAGE
    assert mine.headers["cache-control"].startswith("private")
    assert site.token not in site.front.logs
    assert f"/t/***{PLACE}" in site.front.logs


def test_an_upload_is_refused_before_its_bytes_are_sent_and_streams_through_where_it_is_not(site: Site) -> None:
    with site.anyone as client:
        refused = client.put("/upload/alice/x.conda", content=b"x" * 100_000)
    assert refused.status_code == 401
    assert list((site.front.folder / "body").glob("**/*[0-9]")) == []
    put(site, BASENAME, PACKAGE)


@pytest.mark.parametrize("site", ["/packages"], indirect=True)
def test_a_public_url_with_a_path_works_where_the_proxy_takes_the_path_away(site: Site) -> None:
    base = str(site.client.base_url).rstrip("/")
    assert base.endswith("/packages")
    url = put(site, BASENAME, PACKAGE)
    assert url.startswith(f"{base}/conda/alice/")
    wheel, body = build_wheel("harbour", "1.0")
    put(site, wheel, body)
    with site.anyone as client:
        assert client.get(url).content == PACKAGE
        page = client.get(f"{base}/pypi/alice/simple/harbour/")
        link = page.text.split('href="')[1].split("#")[0]
        assert client.get(str(page.url.join(link))).content == body
        moved = client.get(f"{base}/pypi/alice/simple/Harbour")
        assert moved.status_code == 301
        assert client.get(str(moved.url.join(moved.headers["location"]))).status_code == 200
        query = '{ package(namespace: "alice", name: "ship") { files { nodes { downloadUrl } } } }'
        told = client.post(f"{base}/graphql", json={"query": query}).json()["data"]["package"]["files"]["nodes"][0]["downloadUrl"]
        assert told == url
