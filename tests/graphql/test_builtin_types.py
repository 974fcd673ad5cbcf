"""Real packages, uploaded and then asked for: the built-in types through the whole server."""

from __future__ import annotations

from pathlib import Path

import httpx
from conda_builder import build_conda
from entrepot.app import running
from entrepot.registry import Registry
from entrepot.services.tokens import create_token
from entrepot.services.users import create_user
from entrepot.settings import Settings
from ground import Ground
from pypi_builder import build_wheel

QUERY = """{
    viewer { name }
    packages(search: "tool") { totalCount nodes {
        name types { name } labels { name } facets { __typename type } latestRelease { version }
        installCommands { type { name } channel commands }
        files { nodes {
            __typename path version platform downloadUrl labels { name } uploadedBy { name }
            ... on CondaFile { subdir build depends }
            ... on PypiFile { packagetype requiresDist yanked }
        } }
    } }
}"""


async def test_a_conda_package_and_a_wheel_of_one_name_are_one_package(tmp_path: Path, ground: Ground) -> None:
    registry = Registry.built_in()
    async with running(Settings(data=ground.data(tmp_path / "data")), registry) as started:
        await create_user(registry, name="alice", password=None, admin=False)
        token = await create_token(registry, owner="alice", name="t")
        headers = {"Authorization": f"Bearer {token}"}
        transport = httpx.ASGITransport(started.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
            for basename, body in (build_conda("tool", "1.0", depends=["python >=3.9"]), build_wheel("tool", "1.0", requires=["attrs>=20"])):
                assert (await client.put(f"/upload/alice/{basename}", content=body)).status_code == 201
            answer = (await client.post("/graphql", json={"query": QUERY})).json()
            assert "errors" not in answer
            assert answer["data"]["viewer"] == {"name": "alice"}
            (package,) = answer["data"]["packages"]["nodes"]
            wheel, conda = package.pop("files")["nodes"]
            installs = package.pop("installCommands")
            assert package == {
                "name": "tool",
                "types": [{"name": "conda"}, {"name": "pypi"}],
                "labels": [{"name": "main"}],
                "facets": [{"__typename": "CondaFacet", "type": "conda"}, {"__typename": "PypiFacet", "type": "pypi"}],
                "latestRelease": {"version": "1.0"},
            }
            common = {"version": "1.0", "labels": [{"name": "main"}], "uploadedBy": {"name": "alice"}}
            assert common.items() <= wheel.items()
            assert common.items() <= conda.items()
            assert (wheel["__typename"], wheel["packagetype"], wheel["requiresDist"], wheel["yanked"]) == (
                "PypiFile",
                "bdist_wheel",
                ["attrs>=20"],
                False,
            )
            assert (conda["__typename"], conda["subdir"], conda["platform"], conda["depends"]) == ("CondaFile", "noarch", "noarch", ["python >=3.9"])
            for file in (wheel, conda):
                assert file["downloadUrl"].startswith("http://localhost/")
                downloaded = await client.get(file["downloadUrl"])
                assert downloaded.status_code == 200
            assert [install["type"]["name"] for install in installs] == ["conda", "pypi"]
            assert installs[0]["channel"] == "http://localhost/conda/alice"
            assert any("http://localhost/pypi/alice/simple" in command for command in installs[1]["commands"])
