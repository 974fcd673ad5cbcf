"""No secret ever reaches the log: everything that a server writes is searched, after credentials were put into every place, good and bad ones."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest
from changes import mutation
from conda_builder import build_conda
from entrepot.redaction import HIDDEN, redacted
from entrepot_process import COMMAND, Running, process_environment
from ground import Ground
from object_store import SECRET, free_ports
from pypi_builder import build_wheel

if TYPE_CHECKING:
    from .conftest import Serve

DATABASE_PASSWORD = "p4ssword-of-the/database"
METRICS_TOKEN = "token-of-the-metrics-0123456789"


@dataclass
class Visit:
    """Requests with credentials, and the secrets that they held or got."""

    server: Running
    secrets: set[str] = field(default_factory=set)
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))

    def keep(self, *secrets: str) -> None:
        """Remember secrets, and each as it looks in a Basic credential or percent-encoded."""
        for secret in secrets:
            self.secrets |= {secret, quote(secret, safe="")}

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A request; no redirect is followed."""
        return self.client.request(method, self.server.url + path, **options)

    def everywhere(self, token: str) -> None:
        """Offer a token in every place where one may stand, and in some where none may."""
        self.keep(token, token.removeprefix("ent-"))
        basic = [base64.b64encode(f"{user}:{password}".encode()).decode() for user, password in (("__token__", token), (token, ""), (token, "x"))]
        self.keep(*basic)
        headers = [
            {"Authorization": f"Bearer {token}"},
            {"Authorization": f"token {token}"},
            {"Authorization": f"bearer   {token}"},
            *({"Authorization": f"Basic {one}"} for one in basic),
            {"Authorization": token},
            {"Authorization": f"Digest {token}"},
            {"X-API-Key": token},
            {"Cookie": f"session={token}"},
            {"Cookie": f"a=b; entrepot_session={token}; __Host-entrepot_session={token}", "Origin": f"https://{token}.example"},
            {"Referer": f"https://elsewhere/t/{token}/"},
            {"X-Request-ID": token, "X-Forwarded-For": token, "User-Agent": token},
        ]
        paths = ["/conda/alice/noarch/repodata.json", "/pypi/alice/files/none", "/nowhere", "/metrics"]
        for header in headers:
            for path in paths:
                self.ask("GET", path, headers=header)
            self.ask("PUT", "/upload/alice/broken.conda", headers=header, content=b"broken")
            self.ask("POST", "/graphql", headers=header, json={"query": "{ viewer { name } nonsense }"})
        places = [f"/t/{token}", f"/conda/t/{token}", f"/pypi/t/{token}", f"/t/{token}/t/{token}", f"/nonsense/t/{token}", f"/%74/{token}"]
        for place in places:
            for method in ("GET", "PUT"):
                for rest in ("", "/conda/alice/noarch/repodata.json", "/alice/simple/", "/upload/alice/x.whl"):
                    self.ask(method, place + rest)
        for query in ("token", "access_token", "api_key", "x"):
            self.ask("GET", f"/pypi/alice/simple/?{query}={token}")
        self.ask("PUT", f"/upload/-/{token}", content=b"x")
        self.ask("GET", f"/upload/-/{token}")
        for raw in (f"GET /t/{token}/ HTTP/9\r\n\r\n", f"GET /t/{token}/{'x' * 70_000} HTTP/1.1\r\n\r\n", f"Authorization: Bearer {token}\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", self.server.port)) as connection:
                connection.sendall(raw.encode())
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass

    def broken_off(self, token: str) -> None:
        """An upload whose client goes away in the middle."""
        with socket.create_connection(("127.0.0.1", self.server.port)) as connection:
            head = f"PUT /upload/alice/x.whl HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 1000000\r\n\r\n"
            connection.sendall(head.encode() + b"x" * 1000)

    def graphql(self, token: str, name: str, wanted: str, /, **given: Any) -> dict[str, Any]:
        """The payload of a mutation."""
        body = {"query": mutation(name, wanted), "variables": {"input": given}}
        answer = self.ask("POST", "/graphql", headers={"Authorization": f"Bearer {token}"}, json=body)
        result: dict[str, Any] = answer.json()["data"]["result"]
        return result

    def logs_in(self, name: str, password: str) -> str:
        """Log in with good and bad passwords in good and bad questions, and out; answers the secret of a session that goes on."""
        self.keep(password, f"{password}-wrong")
        query, input = mutation("login"), {"name": name, "password": f"{password}-wrong"}
        for question in (
            {"query": query, "variables": {"input": input}},
            {"query": query, "variables": {"input": {**input, "more": 1}}},
            {"query": query, "variables": {"input": {"name": password, "password": [password]}}},
            {"query": f'mutation {{ login(input: {{name: "{password}", password: {password}}}) {{ __typename }} }}'},
            {"query": f'mutation {{ login(input: {{password: "{password}"}}) {{ nonsense }} }}'},
            [{"query": query, "variables": {"input": input}}],
        ):
            answer = self.ask("POST", "/graphql", json=question)
            assert password not in answer.text
        self.ask("GET", "/graphql", params={"query": query, "variables": json.dumps({"input": input})})
        for _ in range(2):
            answer = self.ask("POST", "/graphql", json={"query": query, "variables": {"input": {"name": name, "password": password}}})
            assert answer.json()["data"]["result"]["__typename"] == "LoginPayload", answer.text
            secret = answer.cookies["entrepot_session"]
            self.keep(secret, secret.removeprefix("ent-"))
        self.client.cookies.clear()
        return str(secret)

    def one_time_upload(self, token: str, basename: str, package: str, body: bytes) -> None:
        """Announce an upload, use its address, and use it again."""
        made = self.graphql(token, "createUpload", "url", namespace="alice", basename=basename, package=package)
        address = urlsplit(made["url"]).path
        self.keep(address.rpartition("/")[2])
        assert self.ask("PUT", address, content=body).status_code == 201
        assert self.ask("PUT", address, content=body).status_code == 409
        self.ask("PUT", f"{address}/more", content=body)
        self.ask("POST", address, content=body)

    def links(self, *paths: str) -> None:
        """Follow links to files; where they are signed, their parameters are secrets."""
        for path in paths:
            answer = self.ask("GET", path)
            assert answer.status_code in (200, 302, 303, 307), (path, answer.text)
            if answer.is_redirect:
                parameters = parse_qs(urlsplit(answer.headers["location"]).query)
                self.keep(*parameters["X-Amz-Signature"])
                assert httpx.get(answer.headers["location"]).status_code == 200


@contextmanager
def found_in_nothing(visit: Visit, log: Path) -> Iterator[None]:
    """Afterwards, search all that the server wrote for all secrets."""
    with visit.client:
        yield
    visit.server.process.terminate()
    assert visit.server.process.stdout is not None
    written = log.read_text(errors="replace") + visit.server.process.stdout.read()
    visit.server.process.wait(60)
    written += log.read_text(errors="replace")
    for secret in visit.secrets:
        at = written.find(secret)
        assert at == -1, f"{secret!r} is in the log: …{written[max(0, at - 200) : at + 100]}…"


def with_password(ground: Ground) -> dict[str, str]:
    """A setting that holds the database's password, where there is a database server. (It lets everybody in.)"""
    if ground.is_folder:
        return {}
    url = ground.environment["ENTREPOT_DATABASE_URL"]
    return {"database_url": url.replace("entrepot@", f"entrepot:{quote(DATABASE_PASSWORD, safe='')}@")}


@pytest.mark.parametrize("log_format", ["logfmt", "json"])
def test_no_credential_in_any_place_is_ever_written(
    serve: Serve, token: str, with_password_of_carol: None, log: Path, ground: Ground, log_format: str
) -> None:
    server = serve(log_level="debug", access_log="true", log_format=log_format, workers=2, metrics_token=METRICS_TOKEN, **with_password(ground))
    visit = Visit(server, {DATABASE_PASSWORD, quote(DATABASE_PASSWORD, safe=""), SECRET, METRICS_TOKEN})
    with found_in_nothing(visit, log):
        visit.everywhere(token)
        visit.everywhere("a-token-of-another-form_0815")
        visit.ask("GET", "/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}).raise_for_status()
        visit.everywhere(visit.logs_in("carol", "correct-horse battery~staple"))
        visit.broken_off(token)
        visit.keep(visit.graphql(token, "createToken", "secret", name="made", scopes=["all"])["secret"])
        basename, body = build_wheel("harbour", "1.0", files={"harbour/data": bytes(200_000)})
        visit.one_time_upload(token, basename, "harbour", body)
        visit.one_time_upload(token, *_named(build_conda("ship", "1.0")))
        visit.links(f"/pypi/alice/files/{basename}" if ground.is_folder else _address(visit, token))
    assert f"/t/{HIDDEN}" in log.read_text()
    assert f"/upload/-/{HIDDEN}" in log.read_text()


def _named(built: tuple[str, bytes]) -> tuple[str, str, bytes]:
    return built[0], built[0].split("-")[0], built[1]


def _address(visit: Visit, token: str) -> str:
    query = '{ package(namespace: "alice", name: "harbour") { files { nodes { downloadUrl } } } }'
    answer = visit.ask("POST", "/graphql", headers={"Authorization": f"Bearer {token}"}, json={"query": query}).json()
    url: str = answer["data"]["package"]["files"]["nodes"][0]["downloadUrl"]
    return urlsplit(url).path


def test_errors_of_the_server_with_their_tracebacks_hold_no_secret(serve: Serve, token: str, log: Path, ground: Ground, data: Path) -> None:
    server = serve(log_level="debug", access_log="true", **with_password(ground))
    visit = Visit(server, {DATABASE_PASSWORD, quote(DATABASE_PASSWORD, safe=""), SECRET})
    with found_in_nothing(visit, log):
        visit.one_time_upload(token, *_named(build_conda("ship", "1.0")))
        visit.keep(token)
        for table in ("shard", "entry", "file", "token"):  # less and less works
            ground.rows(data, f"ALTER TABLE {table} RENAME TO {table}_gone")
            visit.everywhere(token)
    assert "Traceback" in log.read_text()
    assert "status=500" in log.read_text() or '"status":500' in log.read_text()


def test_a_store_that_is_not_there_is_told_of_without_its_key(serve: Serve, token: str, log: Path, ground: Ground) -> None:
    if ground.is_folder:
        settings = {"storage_url": "s3://depot/prefix"}
    else:
        settings = {"storage_url": ground.environment["ENTREPOT_STORAGE_URL"], **with_password(ground)}
    options = {
        "endpoint": f"http://127.0.0.1:{free_ports(1)[0]}",
        "region": "x",
        "access_key_id": "somebody",
        "secret_access_key": "key-that-nobody-sees",
    }
    server = serve(log_level="debug", access_log="true", storage_options=json.dumps(options), **settings)
    visit = Visit(server, {"key-that-nobody-sees", DATABASE_PASSWORD, SECRET, token})
    with found_in_nothing(visit, log):
        basename, body = build_conda("ship", "1.0")
        answer = visit.ask("PUT", f"/upload/alice/{basename}", headers={"Authorization": f"Bearer {token}"}, content=body)
        assert answer.status_code == 503
        assert "key-that-nobody-sees" not in answer.text
        assert visit.ask("GET", "/readyz").status_code == 503
    assert "127.0.0.1" in log.read_text()


def test_a_database_that_is_not_there_is_told_of_without_its_password(tmp_path: Path) -> None:
    url = f"postgres://entrepot:{quote(DATABASE_PASSWORD, safe='')}@127.0.0.1:{free_ports(1)[0]}/entrepot"
    environment = {**process_environment(), "ENTREPOT_DATABASE_URL": url, "ENTREPOT_LOG_LEVEL": "debug"}
    for command in (["serve", "--port", "0"], ["check"]):
        (tmp_path / "data").mkdir(exist_ok=True)
        done = subprocess.run(
            [*COMMAND, *command, "--data", str(tmp_path / "data")],
            capture_output=True,
            text=True,
            env=environment,
            cwd=tmp_path,
            check=False,
            timeout=120,
        )
        assert done.returncode != 0
        assert done.stderr
        for secret in (DATABASE_PASSWORD, quote(DATABASE_PASSWORD, safe="")):
            assert secret not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET /t/ent-abc/conda/alice/x", "GET /t/***/conda/alice/x"),
        ("GET /conda/t/some.thing%20else/x?y", "GET /conda/t/***/x?y"),
        ("https%3A%2F%2Fhost%2Ft%2Fsecret%2Fconda", "https%3A%2F%2Fhost%2Ft%2F***%2Fconda"),
        ("PUT /upload/-/c2VjcmV0 HTTP/1.1", "PUT /upload/-/*** HTTP/1.1"),
        ("{'Authorization': 'Bearer abc'}", "{'Authorization': 'Bearer ***'}"),
        ("(b'authorization', b'Basic YWJj')", "(b'authorization', b'Basic ***')"),
        ("authorization: token abc", "authorization: token ***"),
        ("X-API-Key: abc", "X-API-Key: ***"),
        ("Cookie: a=b; entrepot_session=abc; c=d", "Cookie: ***"),
        ("(b'cookie', b'entrepot_session=abc; a=b')", "(b'cookie', b'***')"),
        ("set-cookie: __Host-entrepot_session=abc; HttpOnly", "set-cookie: ***"),
        ("{'entrepot_session': 'abc', 'x': 1}", "{'entrepot_session': '***', 'x': 1}"),
        ("__Secure-entrepot_session=abc; x", "__Secure-entrepot_session=***; x"),
        ("{'name': 'a', 'password': 'it\\'s mine', 'x': 1}", "{'name': 'a', 'password': ***, 'x': 1}"),
        ('LoginInput(name="a", password="say \\"x\\"")', 'LoginInput(name="a", password=***)'),
        ("oldPassword: hunter2, newPassword: 'a b'", "oldPassword: ***, newPassword: ***"),
        ("the password is wrong", "the password is wrong"),
        ("postgres://user:p@ss:w@host/db", "postgres://user:***@host/db"),
        ("https://depot/x?X-Amz-Signature=abc&y=1", "https://depot/x?X-Amz-Signature=***&y=1"),
        ("see ent-0123456789abcdef.", "see ***."),
        ("basic needs of a token are met", "basic *** of a token are met"),
        ("nothing to see at /conda/alice/tt/x", "nothing to see at /conda/alice/tt/x"),
    ],
)
def test_a_secret_is_known_by_its_place_or_its_form(text: str, shown: str) -> None:
    assert redacted(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "a." * 32_000 + "@",
        "a://" * 16_000 + "@",
        "basic" + " " * 64_000,
        "authorization" + " " * 64_000,
        "%2Ft%2F" * 9_000,
        "password: '" * 6_000,
        "password: '" + "\\" * 64_000,
        "cookie: " * 8_000,
        "entrepot_session" * 4_000,
    ],
    ids=["words", "schemes", "basic", "header", "paths", "passwords", "backslashes", "cookies", "sessions"],
)
def test_strangers_cannot_make_the_search_for_secrets_costly(text: str) -> None:
    before = time.process_time()
    redacted(text)
    assert time.process_time() - before < 5
