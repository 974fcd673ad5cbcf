"""Operations of migrations that Tortoise lacks."""

from __future__ import annotations

from collections.abc import Mapping

from tortoise.migrations.operations import RunSQL
from tortoise.migrations.schema_editor import BaseSchemaEditor


class RunEither(RunSQL):
    """Raw SQL where the two databases have no common words: a script for each, by its dialect."""

    def __init__(self, scripts: Mapping[str, str]) -> None:
        super().__init__(sql="")
        self.scripts = scripts

    async def _run_sql(self, state_editor: BaseSchemaEditor, sqls: object) -> None:
        await super()._run_sql(state_editor, self.scripts[state_editor.client.capabilities.dialect])
