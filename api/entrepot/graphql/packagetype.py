"""Package types in GraphQL, and what a person types to install a package."""

from __future__ import annotations

from typing import Annotated, Self

import strawberry

from entrepot import packagetype as contract
from entrepot.errors import Conflict, ValidationError
from entrepot.graphql.context import Info
from entrepot.services.labels import MAIN, label_name
from entrepot.services.namespaces import GRAMMAR

LabelName = Annotated[str | None, strawberry.argument(description="The label that the channel is narrowed to.")]


@strawberry.type(description="How to install a package as one of its types.")
class InstallCommands:
    """What `PackageType.install` says."""

    type: PackageType = strawberry.field(description="The package type.")
    channel: str = strawberry.field(description="What the installer points at: the URL of the namespace, narrowed by the label.")
    commands: list[str] = strawberry.field(description="What to type, in this order.")


@strawberry.type(description="A kind of package that this server serves.")
class PackageType:
    """A loaded package type."""

    name: str = strawberry.field(description="The type's name, as in its URLs: `conda`.")
    title: str = strawberry.field(description="What people call it: `Conda package`.")
    packagetype: strawberry.Private[contract.PackageType]

    @strawberry.field(description="How to install some package of this type. It is not looked up: see `Package.installCommands`.")
    def install_commands(
        self,
        info: Info,
        namespace: Annotated[str, strawberry.argument(description="The name of the namespace.")],
        package: Annotated[str, strawberry.argument(description="The name of the package.")],
        label: LabelName = MAIN,
    ) -> InstallCommands | None:
        """Every word is checked: it ends up in somebody's shell."""
        if not GRAMMAR.fullmatch(namespace):
            raise ValidationError(f"{namespace[:80]!r} cannot be the name of a namespace.")
        return self.commands_for(info, namespace=namespace, name=self.packagetype.canonical_name(package), label=label_name(label or MAIN))

    def commands_for(self, info: Info, *, namespace: str, name: str, label: str) -> InstallCommands:
        """The commands for a canonical name under a label. Raises Conflict where they would lack the server's address."""
        if not info.context.base_url:
            raise Conflict("The server does not know the address at which you reach it. Its operator has to set ENTREPOT_PUBLIC_URL.")
        channel = info.context.channel_url(type=self.name, namespace=namespace, label=label)
        return InstallCommands(type=self, channel=channel, commands=list(self.packagetype.install(name, channel)))

    @classmethod
    def of(cls, packagetype: contract.PackageType) -> Self:
        """From a type of the registry."""
        return cls(name=packagetype.name, title=packagetype.title, packagetype=packagetype)
