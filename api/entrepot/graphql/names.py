"""Names in the schema, each made once."""

from __future__ import annotations

from strawberry.schema.name_converter import NameConverter
from strawberry.types.arguments import StrawberryArgument


class Names(NameConverter):
    """Strawberry's, which otherwise makes the names of a field's arguments anew for each object that the field is asked of."""

    def __init__(self) -> None:
        super().__init__()
        self._arguments: dict[StrawberryArgument, str] = {}

    def from_argument(self, argument: StrawberryArgument) -> str:
        """`orderBy` for `order_by`."""
        name = self._arguments.get(argument)
        if name is None:
            name = self._arguments[argument] = super().from_argument(argument)
        return name
