"""Settings: from the command line, then `ENTREPOT_*` in the environment, then a TOML file, then the defaults below.

`docs/settings.md` lists each; a test compares.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

import pydantic_settings
from pydantic import BaseModel, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from entrepot.errors import SettingsError

PREFIX = "ENTREPOT_"
DEFAULT_FILE = Path("entrepot.toml")

Section = TypeVar("Section", bound=BaseModel)


class Settings(BaseSettings):
    """How this server runs."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", validate_default=True)

    data: Path = Field(default=Path("entrepot-data"), description="The folder that holds the database and the stored files.")
    database_url: str = Field(default="", repr=False, description="Where the database is. Empty: `entrepot.sqlite3` in the data folder.")
    database_connections: int = Field(
        default=8, ge=2, le=200, description="How many connections to PostgreSQL a worker's pool may open; half of them at most write at once."
    )
    storage_url: str = Field(
        default="",
        repr=False,
        description="The object store that holds the files: `s3://bucket/prefix`, `gs://…`, `az://…`. Empty: a folder in the data folder.",
    )
    storage_options: dict[str, str] = Field(
        default_factory=dict,
        repr=False,
        description="What the object store needs: `endpoint`, `region`, `access_key_id`, `secret_access_key` … What is not given here is taken from "
        "the store's own variables (`AWS_…`, `GOOGLE_…`, `AZURE_…`).",
    )
    downloads: Literal["redirect", "stream"] = Field(
        default="redirect",
        description="How files of an object store are served: `redirect` sends clients to the store with a link that is good for a minute, "
        "`stream` passes the bytes through this server.",
    )
    accel_redirect: str = Field(
        default="",
        description="The prefix of an internal nginx location that serves the folder of the files: nginx then sends them, by `X-Accel-Redirect`.",
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="The address to listen on.")
    port: int = Field(default=8080, ge=0, le=65535, description="The port to listen on; 0 takes a free one.")
    workers: int = Field(default=1, ge=1, le=256, description="Worker processes.")
    shutdown_delay: int = Field(
        default=0, ge=0, description="Seconds for which a server that is told to stop goes on serving, while `/readyz` says that it is about to."
    )
    shutdown_grace: int = Field(default=30, ge=0, description="Seconds that requests in flight get to finish when the server stops.")
    tls_certificate: Path | None = Field(
        default=None,
        description="The file with the TLS certificate and its chain (PEM). Unset: plain HTTP, for a proxy in front or this machine.",
    )
    tls_key: Path | None = Field(default=None, description="The file with the certificate's key (PEM), without a passphrase.")
    public_url: str = Field(
        default="", description="The URL under which clients reach this server. Empty: the request's own host, if it is a local one."
    )
    trusted_proxies: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="The addresses and networks of the proxies in front. What they say of a request counts: its client, scheme, host, and id.",
    )
    forwarded_by: Literal["x-forwarded", "forwarded"] = Field(
        default="x-forwarded",
        description="Which headers the proxies write: X-Forwarded-For, -Proto and -Host, or Forwarded. Others do not count.",
    )
    max_upload: int = Field(default=2 << 30, ge=1, description="The largest file that may be uploaded, in bytes.")
    spool_memory: int = Field(
        default=1 << 20,
        ge=0,
        description="How much of an upload is gathered before a thread hashes and spools it, in bytes.",
    )
    cache: int = Field(default=128 << 20, ge=0, description="How much memory a worker may use for rendered index documents, in bytes.")
    index_max_age: int = Field(
        default=0, ge=0, description="Seconds for which clients may use an index document without asking again. 0: they always ask."
    )
    anonymous_read: bool = Field(default=True, description="Whether public packages are readable without a token.")
    registration: bool = Field(default=False, description="Whether anybody may make an account, with the mutation `register`.")
    organizations_per_user: int = Field(
        default=100,
        ge=0,
        description="How many organizations a user may ever create, those that were deleted included: their names stay taken. "
        "Administrators of the site may create any number.",
    )
    plugins: Annotated[list[str] | None, NoDecode] = Field(
        default=None, description="The names of the plugins to load. Unset: all that are installed."
    )
    plugin_settings: dict[str, dict[str, Any]] = Field(
        default_factory=dict, repr=False, description="The plugins' own settings, by plugin; in the file, each plugin's are a section with its name."
    )
    graphql_max_cost: int = Field(default=20_000, ge=1, description="The largest cost of one GraphQL request, in fields that it may answer with.")
    metrics_token: str = Field(
        default="", repr=False, description="The Bearer token that `/metrics` asks for. Empty: it answers to this machine alone, and to no proxy."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="What is logged: debug, info, warning or error.")
    log_format: Literal["logfmt", "json"] = Field(default="logfmt", description="How a line is written: logfmt or json.")
    access_log: bool = Field(default=False, description="Whether each request is logged, with its status, bytes and time.")

    @field_validator("plugins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """The environment says `conda,pypi`."""
        return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value

    @field_validator("public_url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username):
            raise ValueError("give a URL like https://packages.example.org, without a user, a query or a fragment")
        return value.rstrip("/")

    @field_validator("trusted_proxies")
    @classmethod
    def _check_networks(cls, values: list[str]) -> list[str]:
        for value in values:
            try:
                ip_network(value)
            except ValueError:
                raise ValueError("give IP addresses or networks, like 10.0.0.5, 10.0.0.0/8 or fd00::/8; names are not looked up") from None
        return values

    @field_validator("metrics_token")
    @classmethod
    def _check_token(cls, value: str) -> str:
        if value and (len(value) < 16 or not value.isascii() or not value.isprintable() or " " in value):
            raise ValueError("it needs at least 16 ASCII characters without spaces; `openssl rand -hex 32` makes a good one")
        return value

    @field_validator("tls_key")
    @classmethod
    def _check_tls(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if "tls_certificate" in info.data and (info.data["tls_certificate"] is None) != (value is None):
            raise ValueError("tls_certificate and tls_key belong together: give both files, or neither")
        return value

    @field_validator("accel_redirect")
    @classmethod
    def _check_location(cls, value: str) -> str:
        if value and not re.fullmatch(r"/[A-Za-z0-9._/-]*", value):
            raise ValueError("give a path like /entrepot-files/")
        return value and value.rstrip("/") + "/"

    @property
    def database_path(self) -> Path:
        """The SQLite file."""
        return self.data / "entrepot.sqlite3"

    def section(self, plugin: str, model: type[Section]) -> Section:
        """A plugin's own settings: from `ENTREPOT_<PLUGIN>_<SETTING>`, then from its section of the file. Raises SettingsError."""
        stored = self.plugin_settings.get(plugin, {})
        environment = _environment(f"{PREFIX}{plugin.upper()}_")
        try:
            return model.model_validate({**stored, **{name: environment[name] for name in model.model_fields if name in environment}})
        except ValidationError as error:
            raise SettingsError(_sentence(error, lambda name: f"The setting {name} of the plugin {plugin}")) from error


def load_settings(config: Path | None = None, **given: Any) -> Settings:
    """The settings, with what was given on the command line on top; `config` is the TOML file (or ENTREPOT_CONFIG, or `entrepot.toml` here).

    Raises SettingsError with a sentence that names the setting and where it was made.
    """
    given = {name: value for name, value in given.items() if value is not None}
    environment = _environment(PREFIX)
    path = config or (Path(environment["config"]) if environment.get("config") else None)
    stored = _read(path or DEFAULT_FILE, required=path is not None)

    def origin(name: str) -> str:
        if name in given:
            return f"The option --{name.replace('_', '-')}"
        if name in environment:
            return f"The setting {PREFIX}{name.upper()} in the environment"
        return f"The setting {name} in {path or DEFAULT_FILE}"

    try:
        return Settings(**{**{name: value for name, value in stored.items() if name not in environment}, **given})
    except ValidationError as error:
        raise SettingsError(_sentence(error, origin)) from error
    except pydantic_settings.SettingsError as error:
        if "storage_options" in str(error):
            raise SettingsError(f"{origin('storage_options')} is not valid JSON: write an object of texts.") from None
        raise SettingsError(f"{origin('plugin_settings')} is not valid JSON: write an object of objects, by plugin and setting.") from error


def check_sections(settings: Settings, models: Mapping[str, type[BaseModel]]) -> None:
    """Raises SettingsError for a section that no loaded plugin has, and for wrong settings in the others."""
    for name in settings.plugin_settings:
        if name not in models:
            known = ", ".join(sorted(models)) or "none"
            raise SettingsError(f"The settings have a section [{name[:80]}], but no loaded plugin has settings of that name; those that do: {known}.")
    for name, model in models.items():
        settings.section(name, model)


def _environment(prefix: str) -> dict[str, str]:
    return {name[len(prefix) :].lower(): value for name, value in os.environ.items() if name.upper().startswith(prefix)}


def _read(path: Path, *, required: bool) -> dict[str, Any]:
    """The file as keyword arguments: plain values are the core's settings, sections the plugins'."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if not required:
            return {}
        raise SettingsError(f"There is no settings file {path}.") from None
    except OSError as error:
        raise SettingsError(f"The settings file {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings file {path} is not valid TOML: {error}.") from error
    sections = {name: value for name, value in content.items() if isinstance(value, dict) and name != "storage_options"}
    values = {name: value for name, value in content.items() if name not in sections}
    for name in values:
        if name not in Settings.model_fields or name == "plugin_settings":
            raise SettingsError(f"There is no setting {name[:80]!r}, but {path} has it. There are: {', '.join(Settings.model_fields)}.")
    return {**values, "plugin_settings": sections} if sections else values


def _sentence(error: ValidationError, name_of: Callable[[str], str]) -> str:
    """What is wrong with the first wrong setting. Never the value: it may be a secret."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = [str(part) for part in first["loc"]] or ["?"]
    inside = f" at {'.'.join(where[1:])}" if where[1:] else ""
    message = first["msg"].removeprefix("Value error, ")
    return f"{name_of(where[0])} is not acceptable{inside}: {message[:1].lower()}{message[1:]}."
