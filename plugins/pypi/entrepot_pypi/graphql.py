"""What wheels and sdists add to the schema."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import strawberry
from entrepot.plugin import File, PackageFacet, Services, StoredExtra, StoredFile

from entrepot_pypi import page, readme
from entrepot_pypi.status import PypiProjectStatus


@strawberry.type(description="A link that a Python package gives, as it states it.")
class PypiLink:
    """One Project-URL."""

    label: str = strawberry.field(description="What it leads to: `Homepage`, `Changelog` …")
    url: str = strawberry.field(description="Where it leads: http and https alone.")


@strawberry.type(description="What a Python package says of itself at length.")
class PypiReadme:
    """`html` is made when it is asked for."""

    source: str = strawberry.field(description="As it was written: the first 512 KiB of it.")
    cut: bool = strawberry.field(description="Whether it is longer than 512 KiB, and `source` and `html` end there.")
    content_type: str = strawberry.field(description="How it was written: `text/markdown`, `text/x-rst` or `text/plain`. Empty: text/x-rst.")
    digest: strawberry.Private[str]

    @strawberry.field(
        description="As HTML without anything that acts: no script, style, frame or form. Links and images may lead anywhere. What does not render, "
        "or is cut, is shown as it was written, and so is anything while too many READMEs wait to be rendered. Counts as 2,000 fields of a request.",
        metadata={"cost": 2000},
    )
    async def html(self) -> str:
        """By a process of its own, and remembered."""
        if self.cut:
            return readme.as_written(self.source)
        return await readme.rendered(self.source, self.content_type, self.digest)


@strawberry.type(description="A wheel or a source distribution.")
class PypiFile(File):
    """Plain attributes: `file_fields` fills them."""

    packagetype: str = strawberry.field(description="`bdist_wheel` or `sdist`.")
    python_tag: str = strawberry.field(description="The Pythons that a wheel is for, as in its filename (`py3`); `source` for an sdist.")
    abi_tag: str | None = strawberry.field(description="The ABIs that a wheel is for, as in its filename (`none`, `cp312`); null for an sdist.")
    platform_tag: str | None = strawberry.field(description="The platforms that a wheel is for, as in its filename (`any`); null for an sdist.")
    build_tag: str | None = strawberry.field(description="The build number in a wheel's filename, where it has one.")
    tags: list[str] = strawberry.field(
        description="The compatibility tags of a wheel, one by one (`py2-none-any`, `py3-none-any`); none for an sdist. The first 500 of them."
    )
    requires_python: str | None = strawberry.field(description="The Python versions that the file can be installed on, as a PEP 440 specifier.")
    requires_dist: list[str] = strawberry.field(description="What the file depends on: PEP 508 requirements.")
    provides_extra: list[str] = strawberry.field(description="The extras that its requirements speak of.")
    metadata_version: str = strawberry.field(description="The version of its core metadata.")
    license: str | None = strawberry.field(description="The licence: `licenseExpression` where there is one, else as the package states it.")
    license_expression: str | None = strawberry.field(description="The licence as an SPDX expression (PEP 639).")
    license_files: list[str] = strawberry.field(description="The files with the texts of its licences, as paths within it (PEP 639).")
    classifiers: list[str] = strawberry.field(description="Its trove classifiers.")
    keywords: list[str] = strawberry.field(description="Its keywords.")
    author: str | None = strawberry.field(description="Who wrote it, as it states.")
    author_email: str | None = strawberry.field(description="The addresses of its authors, as it states.")
    maintainer: str | None = strawberry.field(description="Who maintains it, as it states.")
    maintainer_email: str | None = strawberry.field(description="The addresses of its maintainers, as it states.")
    project_urls: list[PypiLink] = strawberry.field(description="The links that it gives.")
    dynamic: list[str] = strawberry.field(description="The fields of an sdist's metadata that a build may change.")
    yanked: bool = strawberry.field(description="Whether installers pass the file over unless its version is pinned (PEP 592).")
    yanked_reason: str | None = strawberry.field(description="Why the file was yanked, if somebody said so.")
    core_metadata: bool = strawberry.field(description="Whether the file has a `.metadata` sidecar, which installers read in its place (PEP 658).")
    core_metadata_sha256: str | None = strawberry.field(
        description="The SHA-256 digest of the file's `.metadata` sidecar (PEP 658), in lower-case hex."
    )
    blake2b256: str = strawberry.field(description="The BLAKE2b digest of 256 bits, in lower-case hex.")
    description_type: strawberry.Private[str]
    sidecar: strawberry.Private[StoredExtra | None]

    @strawberry.field(description="What it says of itself at length; null where it says nothing. Counts as 1,000 fields.", metadata={"cost": 1000})
    async def readme(self, info: strawberry.Info[Any, Any]) -> PypiReadme | None:
        """Its metadata is read from the storage."""
        return await _readme(info, self.sidecar, self.description_type)


@strawberry.type(description="A package as a PyPI project.")
class PypiFacet(PackageFacet):
    """What `PypiType.facet` answers."""

    name: str = strawberry.field(description="The normalized name: the one in the project's URLs.")
    project_status: PypiProjectStatus = strawberry.field(description="What is said of the project as a whole (PEP 792).")
    project_status_reason: str | None = strawberry.field(description="Why, if somebody said so.")
    namespace: strawberry.Private[str]

    @strawberry.field(
        description="What the newest file with the label `main` says of the project at length; null where it says nothing. Counts as 1,000 fields.",
        metadata={"cost": 1000},
    )
    async def readme(self, info: strawberry.Info[Any, Any]) -> PypiReadme | None:
        """One look for the file, and its metadata from the storage."""
        file = await Services(info.context.site).newest(info.context.actor, namespace=self.namespace, type="pypi", name=self.name)
        if file is None:
            return None
        return await _readme(info, readme.sidecar_of(file), file.attributes.get("description_content_type", ""))


def file_fields(file: StoredFile) -> Mapping[str, Any]:
    """The values of PypiFile's own fields."""
    told = file.attributes
    sidecar = file.extras.get(page.metadata_extra)
    reason = page.yanked(file.state)
    texts = ("abi_tag", "platform_tag", "requires_python", "license_expression", "author", "author_email", "maintainer", "maintainer_email")
    lists = ("requires_dist", "provides_extra", "license_files", "classifiers", "keywords", "dynamic")
    return {
        **{key: told.get(key) for key in texts},
        **{key: list(told.get(key) or ()) for key in lists},
        "packagetype": told.get("packagetype", ""),
        "python_tag": told.get("python_tag", ""),
        "build_tag": told.get("build"),
        "tags": _tags(told),
        "metadata_version": told.get("metadata_version") or "",
        "license": told.get("license_expression") or told.get("license"),
        "project_urls": [
            PypiLink(label=label, url=url) for label, url in (told.get("project_urls") or {}).items() if url.startswith(("https://", "http://"))
        ],
        "yanked": bool(reason),
        "yanked_reason": reason if isinstance(reason, str) else None,
        "core_metadata": sidecar is not None,
        "core_metadata_sha256": sidecar.sha256 if sidecar else None,
        "blake2b256": file.blake2b,
        "description_type": told.get("description_content_type") or "",
        "sidecar": readme.sidecar_of(file),
    }


def _tags(told: Mapping[str, Any]) -> list[str]:
    """A filename of 255 characters may mean some thousand tags."""
    pythons, abis, platforms = (told[key].split(".") if told.get(key) else [] for key in ("python_tag", "abi_tag", "platform_tag"))
    return [f"{python}-{abi}-{platform}" for python in pythons for abi in abis for platform in platforms][:500]


async def _readme(info: strawberry.Info[Any, Any], sidecar: StoredExtra | None, content_type: str) -> PypiReadme | None:
    body = None if sidecar is None else await Services(info.context.site).extra(sidecar)
    source, cut = ("", False) if body is None else await asyncio.to_thread(readme.shown_source, body)
    if sidecar is None or not source.strip():
        return None
    return PypiReadme(source=source, cut=cut, content_type=content_type, digest=sidecar.sha256)
