"""Where settings come from, and what is said of wrong ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from entrepot.errors import SettingsError
from entrepot.settings import Settings, check_sections, load_settings
from pydantic import BaseModel, Field


@pytest.fixture(autouse=True)
def somewhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, and no settings in the environment."""
    for name in [name for name in os.environ if name.upper().startswith("ENTREPOT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


class Mirror(BaseModel):
    """A plugin's settings."""

    url: str = "https://example.org"
    depth: int = Field(default=3, ge=1)


def test_the_defaults_are_those_of_the_manual() -> None:
    settings = load_settings()
    assert (settings.data, settings.host, settings.port, settings.workers) == (Path("entrepot-data"), "127.0.0.1", 8080, 1)


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("entrepot.toml").write_text('host = "file"\nport = 1\nworkers = 2\n')
    monkeypatch.setenv("ENTREPOT_PORT", "3")
    monkeypatch.setenv("ENTREPOT_WORKERS", "4")
    settings = load_settings(workers=5, port=None)
    assert (settings.host, settings.port, settings.workers) == ("file", 3, 5)


def test_the_file_is_the_one_that_config_names_then_the_variable_then_the_one_here(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, port in (("entrepot.toml", 1), ("variable.toml", 2), ("option.toml", 3)):
        Path(name).write_text(f"port = {port}")
    assert load_settings().port == 1
    monkeypatch.setenv("ENTREPOT_CONFIG", "variable.toml")
    assert load_settings().port == 2
    assert load_settings(Path("option.toml")).port == 3


def test_plugins_are_a_list_in_the_file_and_separated_by_commas_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("entrepot.toml").write_text('plugins = ["conda"]')
    assert load_settings().plugins == ["conda"]
    monkeypatch.setenv("ENTREPOT_PLUGINS", "conda, pypi")
    assert load_settings().plugins == ["conda", "pypi"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("port = 70000", "The setting port in entrepot.toml is not acceptable: input should be less than or equal to 65535."),
        ('workers = "many"', "The setting workers in entrepot.toml is not acceptable: input should be a valid integer"),
        ('log_level = "loud"', "The setting log_level in entrepot.toml is not acceptable: input should be 'debug', 'info', 'warning' or 'error'."),
        ('public_url = "packages"', "The setting public_url in entrepot.toml is not acceptable: give a URL like https://packages.example.org"),
        ("prot = 80", "There is no setting 'prot', but entrepot.toml has it. There are: data,"),
        ("port = ", "The settings file entrepot.toml is not valid TOML: "),
        ("[port]\nport = 1", "The settings have a section [port], but no loaded plugin has settings of that name"),
    ],
)
def test_a_wrong_file_is_refused_with_the_name_of_the_setting(content: str, sentence: str) -> None:
    Path("entrepot.toml").write_text(content)
    with pytest.raises(SettingsError) as caught:
        check_sections(load_settings(), {})
    assert caught.value.message.startswith(sentence)


def test_a_wrong_variable_and_a_wrong_option_are_named_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="The option --port is not acceptable"):
        load_settings(port=70000)
    monkeypatch.setenv("ENTREPOT_PORT", "eighty")
    with pytest.raises(SettingsError, match="The setting ENTREPOT_PORT in the environment is not acceptable"):
        load_settings()


def test_a_wrong_value_is_not_repeated_for_it_may_be_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENTREPOT_PLUGIN_SETTINGS", '{"mirror": "hunter2"}')
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "hunter2" not in caught.value.message


def test_settings_that_are_printed_show_no_secret() -> None:
    settings = Settings(database_url="postgres://entrepot:hunter2@db/entrepot", plugin_settings={"mirror": {"password": "hunter2"}})
    assert "hunter2" not in f"{settings!r} {settings}"


def test_a_file_that_was_asked_for_must_be_there() -> None:
    with pytest.raises(SettingsError, match=r"There is no settings file missing\.toml"):
        load_settings(Path("missing.toml"))


def test_a_file_that_cannot_be_read_is_named() -> None:
    Path("entrepot.toml").mkdir()
    with pytest.raises(SettingsError, match=r"The settings file entrepot\.toml cannot be read"):
        load_settings()


def test_a_plugin_has_a_section_and_variables_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("entrepot.toml").write_text('[mirror]\nurl = "https://file"\ndepth = 5')
    monkeypatch.setenv("ENTREPOT_MIRROR_DEPTH", "7")
    settings = load_settings()
    check_sections(settings, {"mirror": Mirror})
    assert settings.section("mirror", Mirror) == Mirror(url="https://file", depth=7)


def test_a_plugin_without_a_section_has_its_defaults() -> None:
    assert load_settings().section("mirror", Mirror) == Mirror()


def test_a_wrong_setting_of_a_plugin_is_named_with_the_plugin() -> None:
    Path("entrepot.toml").write_text("[mirror]\ndepth = 0")
    with pytest.raises(SettingsError, match="The setting depth of the plugin mirror is not acceptable: input should be greater than or equal to 1"):
        check_sections(load_settings(), {"mirror": Mirror})


def test_a_worker_gets_the_settings_that_its_parent_has(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("entrepot.toml").write_text('plugins = ["conda"]\n[mirror]\ndepth = 5')
    settings = load_settings(port=3, data=Path("there"))
    monkeypatch.setenv("ENTREPOT_PORT", "4")
    assert Settings.model_validate_json(settings.model_dump_json()) == settings


def test_a_public_url_loses_its_last_slash() -> None:
    assert load_settings(public_url="https://packages.example.org/here/").public_url == "https://packages.example.org/here"
