"""Settings: from `ENTREPOT_*` in the environment, then from a TOML file, then the defaults below. `docs/settings.md` lists each; a test compares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource


class Settings(BaseSettings):
    """How this server runs."""

    model_config = SettingsConfigDict(env_prefix="ENTREPOT_", extra="ignore", validate_default=True)

    data: Path = Field(Path("entrepot-data"), description="The folder that holds the database and the stored files.")
    database_url: str = Field("", description="Where the database is. Empty: `entrepot.sqlite3` in the data folder.")
    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="The port to listen on; 0 takes a free one.")
    workers: int = Field(1, ge=1, le=256, description="Worker processes.")
    public_url: str = Field("", description="The URL under which clients reach this server. Empty: the request's own host, if it is a local one.")
    max_upload: int = Field(2 << 30, ge=1, description="The largest file that may be uploaded, in bytes.")
    spool_memory: int = Field(1 << 20, ge=0, description="How much of an upload is gathered before it is written to disk, in bytes.")
    cache: int = Field(96 << 20, ge=0, description="How much memory a worker may use for rendered index documents, in bytes.")
    index_max_age: int = Field(0, ge=0, description="Seconds for which clients may use an index document without asking again. 0: they always ask.")
    anonymous_read: bool = Field(True, description="Whether public packages are readable without a token.")
    plugins: list[str] | None = Field(None, description="The names of the plugins to load. Unset: all that are installed.")
    graphql_max_cost: int = Field(20_000, ge=1, description="The largest cost of one GraphQL request, in fields that it may answer with.")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="What is logged: debug, info, warning or error.")

    @property
    def database_path(self) -> Path:
        """The SQLite file."""
        return self.data / "entrepot.sqlite3"

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, env_settings: PydanticBaseSettingsSource, **rest: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What stands on the command line wins, then the environment, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(config: Path | None = None, **given: Any) -> Settings:
    """The settings, with what was given on the command line on top; `config` is the TOML file (or ENTREPOT_CONFIG, or `entrepot.toml` here)."""
    import os

    path = config or Path(os.environ.get("ENTREPOT_CONFIG", "entrepot.toml"))

    class FileSettings(Settings):
        model_config = SettingsConfigDict(toml_file=path)

    return FileSettings(**{key: value for key, value in given.items() if value is not None})
