"""A real conda client that reads channels in many ways: solves and installs with py-rattler. Runs in an environment of its own.

Reads calls as JSON from its input: [{"channel", "spec", "prefix", "cache", "document", "auth"}, ...], where `document` is the best of a channel's
index documents that it may use and `auth` a RATTLER_AUTH_FILE or empty. Answers a JSON object for each, a line each: what it has `installed`
(`name version build`) or its `error`, and which index documents it has `read`.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

import rattler

SHARDS, ZST, JSON = "repodata_shards.msgpack.zst", "repodata.json.zst", "repodata.json"


async def install(call: dict[str, str]) -> list[str]:
    os.environ.pop("RATTLER_AUTH_FILE", None)
    if call["auth"]:
        os.environ["RATTLER_AUTH_FILE"] = call["auth"]
    client = rattler.Client.default_client()  # the same one for both, or package downloads go out without the credential
    source = rattler.SourceConfig(sharded_enabled=call["document"] == SHARDS, zstd_enabled=call["document"] != JSON)
    gateway = rattler.Gateway(cache_dir=Path(call["cache"]) / "repodata", client=client, default_config=source)
    records = await rattler.solve(sources=[call["channel"]], specs=[call["spec"]], gateway=gateway, platforms=["linux-64", "noarch"])
    await rattler.install(records, target_prefix=call["prefix"], cache_dir=Path(call["cache"]) / "packages", client=client, show_progress=False)
    return sorted(f"{record.name.normalized} {record.version} {record.build}" for record in records)


def documents_in(cache: Path) -> list[str]:
    """The index documents that a cache was filled from."""
    whole = {json.loads(file.read_text())["url"].rpartition("/")[2] for file in cache.glob("repodata/*.info.json")}
    return sorted(whole | ({SHARDS} if list(cache.glob("repodata/shards-v1/*")) else set()))


async def main() -> None:
    for call in json.load(sys.stdin):
        answer: dict[str, object]
        try:
            answer = {"installed": await install(call)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer | {"read": documents_in(Path(call["cache"]))}))


asyncio.run(main())
sys.stdout.flush()
os._exit(0)  # the interpreter may crash at exit after success
