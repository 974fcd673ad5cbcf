"""Which plugins are loaded, and which stop the start."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from entrepot.errors import PluginError
from entrepot.plugin import hookimpl
from entrepot.registry import Registry
from plugin_builder import plugin

ONE = "from entrepot.plugin import hookimpl\n@hookimpl\ndef reserved_names():\n    return ['{0}']\n"

Install = Callable[..., None]


def test_an_installed_plugin_is_found_by_its_entry_point(installed: Install) -> None:
    installed("entrepot-kites", {"kites": "entrepot_kites"}, ONE.format("strings"))
    assert "strings" in Registry.load(["kites"]).reserved_names


def test_only_the_named_plugins_are_loaded(installed: Install) -> None:
    installed("entrepot-kites", {"kites": "entrepot_kites"}, ONE.format("strings"))
    installed("entrepot-broken", {"broken": "entrepot_broken"}, "1 / 0")
    assert Registry.load(["kites"]).plugins == ("kites",)


def test_an_empty_list_loads_nothing(installed: Install) -> None:
    installed("entrepot-kites", {"kites": "entrepot_kites"}, ONE.format("strings"))
    assert Registry.load([]).plugins == ()


def test_a_name_that_is_not_installed_stops_the_start_and_says_what_is(installed: Install) -> None:
    installed("entrepot-kites", {"kites": "entrepot_kites"}, ONE.format("strings"))
    with pytest.raises(PluginError, match=r"No plugin named 'boats' is installed\. Installed are: .*kites"):
        Registry.load(["kites", "boats"])


def test_the_built_in_plugins_are_those_of_the_server_alone(installed: Install) -> None:
    installed("entrepot-kites", {"kites": "entrepot_kites"}, ONE.format("strings"))
    assert set(Registry.built_in().types) >= {"conda", "pypi"}
    assert "kites" not in Registry.built_in().plugins
    assert "kites" in Registry.load().plugins


def test_a_plugin_that_cannot_be_imported_stops_the_start_with_the_cause(installed: Install) -> None:
    installed("entrepot-kites", {"kites": "entrepot_kites"}, "import a_module_that_is_not_there")
    with pytest.raises(PluginError, match=r"'kites' of entrepot-kites 1\.5 cannot be imported: ModuleNotFoundError: .*a_module_that") as caught:
        Registry.load(["kites"])
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_an_entry_point_that_names_nothing_stops_the_start(installed: Install) -> None:
    installed("entrepot-kites", {"kites": "entrepot_kites:missing"}, "")
    with pytest.raises(PluginError, match=r"'kites' of entrepot-kites 1\.5 cannot be imported: AttributeError"):
        Registry.load(["kites"])


def test_two_distributions_with_a_plugin_of_one_name_stop_the_start(installed: Install) -> None:
    installed("entrepot-kites", {"kites": "entrepot_kites"}, ONE.format("strings"))
    installed("other-kites", {"kites": "other_kites"}, ONE.format("ropes"))
    with pytest.raises(PluginError, match=r"Two plugins are named 'kites'.* of entrepot-kites 1\.5 .*Uninstall one") as caught:
        Registry.load(["kites"])
    assert "other_kites of other-kites 1.5" in caught.value.message


def test_an_object_without_hooks_is_no_plugin() -> None:
    with pytest.raises(PluginError, match="'kites' has no hooks"):
        Registry.of({"kites": object()})


def test_a_class_is_no_plugin() -> None:
    with pytest.raises(PluginError, match="'kites' is the class Plugin"):
        Registry.of({"kites": type(plugin(reserved_names=["strings"]))})


def test_one_object_cannot_be_two_plugins() -> None:
    kites = plugin(reserved_names=["strings"])
    with pytest.raises(PluginError, match="'boats' does not fit this server"):
        Registry.of({"kites": kites, "boats": kites})


def test_a_hook_that_does_not_exist_stops_the_start() -> None:
    with pytest.raises(PluginError, match="'kites' does not fit this server: unknown hook 'package_tipes'"):
        Registry.of({"kites": plugin(package_tipes=[])})


def test_a_hook_with_a_wrong_argument_stops_the_start() -> None:
    with pytest.raises(PluginError, match=r"(?s)'kites' does not fit this server: .*validate_upload.*uplaod"):
        Registry.of({"kites": plugin(validate_upload=lambda self, uplaod: None)})


def test_an_async_hook_stops_the_start() -> None:
    class Kites:
        @hookimpl
        async def reserved_names(self) -> list[str]:
            return []

    with pytest.raises(PluginError, match="'reserved_names' of the plugin 'kites' is `async`"):
        Registry.of({"kites": Kites()})


def test_a_hook_that_fails_stops_the_start_with_the_cause() -> None:
    def broken(self: object) -> None:
        raise LookupError("no strings")

    with pytest.raises(PluginError, match="The hook 'reserved_names' of the plugin 'kites' failed: LookupError: no strings") as caught:
        Registry.of({"kites": plugin(reserved_names=broken)})
    assert isinstance(caught.value.__cause__, LookupError)


@pytest.mark.parametrize("hook", ["package_types", "graphql_types", "graphql_queries", "graphql_mutations", "reserved_names"])
def test_a_hook_that_should_give_several_things_and_gives_one_stops_the_start(hook: str) -> None:
    with pytest.raises(PluginError, match=f"'{hook}' of the plugin 'kites' gives 'strings'; it must give a list or tuple"):
        Registry.of({"kites": plugin(**{hook: "strings"})})


def test_a_plugin_may_be_a_module_or_an_object_and_give_nothing_at_all() -> None:
    registry = Registry.of({"kites": plugin(models=None, settings=None, scopes={}, package_types=[])})
    assert (registry.models(), registry.settings_models(), dict(registry.types)) == ([], {}, {})
