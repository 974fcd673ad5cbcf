"""The interfaces that plugins implement. Nothing here imports the rest of the schema."""

from __future__ import annotations

import strawberry
from strawberry import relay


@strawberry.interface(description="One uploaded artifact of a release. Each package type has its own implementation.")
class File(relay.Node):
    """Plain attributes: the resolvers fill them once per file."""

    id: relay.NodeID[str]
    type: str = strawberry.field(description="The name of the file's package type.")
    path: str = strawberry.field(description="The file's address within its namespace and type.")
    basename: str = strawberry.field(description="The name under which the file is downloaded.")
    version: str = strawberry.field(description="The version as the file spells it.")
    size: float = strawberry.field(description="The size in bytes.")
    sha256: str = strawberry.field(description="The SHA-256 digest, in lower-case hex.")
    md5: str = strawberry.field(description="The MD5 digest, in lower-case hex.")
    uploaded_at: str = strawberry.field(description="When the file was uploaded: RFC 3339, UTC.")
    download_url: str = strawberry.field(description="Where to download the file.")


@strawberry.interface(description="What a package type says of a package.")
class PackageFacet:
    """A package has one facet for each of its types that offers one."""

    type: str = strawberry.field(description="The name of the package type.")
