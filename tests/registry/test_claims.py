"""Names that only one may have: reserved names, scopes, tables, commands, GraphQL names, routes."""

from __future__ import annotations

import re
from typing import Any, cast

import pytest
import strawberry
import typer
from entrepot.errors import PluginError
from entrepot.plugin import File, Models, Services, hookimpl
from entrepot.registry import Registry
from plugin_builder import Crate, crate, plugin
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Host, Mount, Route, Router, WebSocketRoute

NO_SERVICES = cast(Services, None)  # these routes ask nothing of them


def both(**hooks: object) -> Registry:
    """Two plugins with the same hooks."""
    return Registry.of({"kites": plugin(**hooks), "boats": plugin(**hooks)})


# -- reserved names ---------------------------------------------------------------------------------------------------


def test_reserved_names_are_the_cores_the_types_and_the_plugins() -> None:
    registry = Registry.of({"kites": plugin(package_types=[Crate()], reserved_names=["Strings"])})
    assert {"graphql", "upload", "t", "org", "api", "user", "package", "strings", "crate", "kites"} <= registry.reserved_names


def test_every_reserved_name_is_in_lower_case() -> None:
    names = Registry.of({"kites": plugin(reserved_names=["Strings"])}).reserved_names
    assert names == {name.lower() for name in names}


def test_two_plugins_that_reserve_one_name_are_both_named() -> None:
    with pytest.raises(PluginError, match="'boats' and 'kites' both claim the reserved name 'strings'"):
        both(reserved_names=["strings"])


def test_a_plugin_that_reserves_the_name_of_anothers_type_is_named_with_it() -> None:
    with pytest.raises(PluginError, match="'kites' and 'boats' both claim the reserved name 'crate'"):
        Registry.of({"kites": plugin(package_types=[Crate()]), "boats": plugin(reserved_names=["crate"])})


def test_a_plugin_may_not_reserve_what_the_core_serves() -> None:
    with pytest.raises(PluginError, match="The core and the plugin 'kites' both claim the reserved name 'graphql'"):
        Registry.of({"kites": plugin(reserved_names=["graphql"])})


def test_a_plugin_may_claim_a_word_that_is_only_kept_free() -> None:
    assert "api" in Registry.of({"kites": plugin(reserved_names=["api"])}).reserved_names


@pytest.mark.parametrize("name", ["", None, 7])
def test_what_is_no_name_cannot_be_reserved(name: object) -> None:
    with pytest.raises(PluginError, match=r"'kites' reserves .* which is no name"):
        Registry.of({"kites": plugin(reserved_names=[name])})


# -- scopes -----------------------------------------------------------------------------------------------------------


def test_scopes_are_the_cores_three_for_each_type_and_the_plugins() -> None:
    scopes = Registry.of({"kites": plugin(package_types=[Crate()], scopes={"kites:fly": "Fly kites."})}).scopes()
    assert {"all", "api:read", "crate", "crate:download", "crate:upload", "kites:fly"} <= set(scopes)
    assert scopes["kites:fly"] == "Fly kites."
    assert all(scopes.values())


def test_two_plugins_with_one_scope_are_both_named() -> None:
    with pytest.raises(PluginError, match="'boats' and 'kites' both claim the scope 'fly'"):
        both(scopes={"fly": "Fly."})


def test_a_scope_of_the_core_or_of_a_type_cannot_be_taken() -> None:
    with pytest.raises(PluginError, match="The core and the plugin 'kites' both claim the scope 'api:read'"):
        Registry.of({"kites": plugin(scopes={"api:read": "Read."})})
    with pytest.raises(PluginError, match="'kites' claims the scope 'crate:upload' twice"):
        Registry.of({"kites": plugin(package_types=[Crate()], scopes={"crate:upload": "Upload."})})


@pytest.mark.parametrize("scope", ["two words", "", "Fly", "fly:", 7])
def test_a_scope_that_a_token_could_not_hold_stops_the_start(scope: object) -> None:
    with pytest.raises(PluginError, match="'kites'"):
        Registry.of({"kites": plugin(scopes={scope: "Fly."})})


def test_a_scope_without_a_sentence_stops_the_start() -> None:
    with pytest.raises(PluginError, match="'kites' has the scope 'fly' without a sentence"):
        Registry.of({"kites": plugin(scopes={"fly": " "})})


# -- tables, settings, commands ---------------------------------------------------------------------------------------


def test_tables_are_handed_on() -> None:
    tables = Models(label="kites", models="kites.models", migrations="kites.migrations")
    assert Registry.of({"kites": plugin(models=tables)}).models() == [tables]


@pytest.mark.parametrize(("label", "who"), [("kites", "The plugins 'boats' and 'kites'"), ("models", "The core and the plugin 'boats'")])
def test_a_label_of_tables_that_is_taken_stops_the_start(label: str, who: str) -> None:
    with pytest.raises(PluginError, match=f"{who} both claim the models label '{label}'"):
        both(models=Models(label=label, models="m", migrations="n"))


@pytest.mark.parametrize("given", [{"label": "kites"}, Models(label="no label", models="m", migrations="n")])
def test_what_is_no_models_stops_the_start(given: object) -> None:
    with pytest.raises(PluginError, match="'kites'"):
        Registry.of({"kites": plugin(models=given)})


def test_settings_are_a_section_with_the_name_of_the_plugin() -> None:
    class Wind(BaseModel):
        speed: int = 3

    assert Registry.of({"kites": plugin(settings=Wind)}).settings_models() == {"kites": Wind}


@pytest.mark.parametrize("given", [str, {"speed": 3}])
def test_settings_that_are_no_model_stop_the_start(given: object) -> None:
    with pytest.raises(PluginError, match="'settings' of the plugin 'kites' gives"):
        Registry.of({"kites": plugin(settings=lambda self: given)})


def test_commands_join_by_name_and_two_of_one_name_stop_the_start() -> None:
    fly = typer.Typer()
    assert Registry.of({"kites": plugin(commands={"fly": fly})}).commands() == {"fly": fly}
    with pytest.raises(PluginError, match="'boats' and 'kites' both claim the command 'fly'"):
        both(commands={"fly": fly})
    with pytest.raises(PluginError, match="The core and the plugin 'kites' both claim the command 'serve'"):
        Registry.of({"kites": plugin(commands={"serve": fly})}).commands(core=["serve"])


# -- GraphQL ----------------------------------------------------------------------------------------------------------


@strawberry.type
class Query:
    wind_speed: int = 3


@strawberry.type
class Other:
    measured: int = strawberry.field(name="windSpeed", default=4)


@strawberry.type(name="Wind")
class First:
    speed: int = 3


@strawberry.type(name="Wind")
class Second:
    speed: int = 3


@strawberry.type(name="File")
class Impostor:
    size: int = 3


@pytest.mark.parametrize(("hook", "what"), [("graphql_queries", "query"), ("graphql_mutations", "mutation")])
def test_a_field_that_two_plugins_add_stops_the_start(hook: str, what: str) -> None:
    with pytest.raises(PluginError, match=f"'boats' and 'kites' both claim the GraphQL {what} 'windSpeed'"):
        Registry.of({"kites": plugin(**{hook: [Query]}), "boats": plugin(**{hook: [Other]})})


def test_a_field_may_be_both_a_query_and_a_mutation() -> None:
    registry = Registry.of({"kites": plugin(graphql_queries=[Query], graphql_mutations=[Other])})
    assert registry.graphql_queries() == [("kites", Query)]
    assert registry.graphql_mutations() == [("kites", Other)]


def test_a_field_that_the_core_has_stops_the_start() -> None:
    registry = Registry.of({"kites": plugin(graphql_queries=[Other])})
    with pytest.raises(PluginError, match="The core and the plugin 'kites' both claim the GraphQL query 'windSpeed'"):
        registry.check_graphql(core_queries=[Query])


def test_two_types_of_one_graphql_name_stop_the_start() -> None:
    with pytest.raises(PluginError, match="'boats' and 'kites' both claim the GraphQL type 'Wind'"):
        Registry.of({"kites": plugin(graphql_types=[First]), "boats": plugin(graphql_types=[Second])})
    with pytest.raises(PluginError, match="'kites' claims the GraphQL type 'Wind' twice"):
        Registry.of({"kites": plugin(graphql_types=[First, Second])})


def test_a_type_of_the_cores_name_stops_the_start() -> None:
    with pytest.raises(PluginError, match="The core and the plugin 'kites' both claim the GraphQL type 'File'"):
        Registry.of({"kites": plugin(graphql_types=[Impostor])}).check_graphql(core_types=[File])


def test_a_type_may_be_named_by_several() -> None:
    assert both(graphql_types=[First]).graphql_types() == [("boats", First), ("kites", First)]


@pytest.mark.parametrize("hook", ["graphql_types", "graphql_queries", "graphql_mutations"])
def test_what_is_no_strawberry_type_stops_the_start(hook: str) -> None:
    with pytest.raises(PluginError, match=f"'{hook}' of the plugin 'kites' gives <class 'str'>"):
        Registry.of({"kites": plugin(**{hook: [str]})})


# -- routes -----------------------------------------------------------------------------------------------------------


async def answer(request: Request) -> Response:
    return Response()


def route(path: str, *methods: str) -> Route:
    return Route(path, answer, methods=list(methods) or None)


def rooted(**routes: list[Any]) -> Registry:
    """A plugin for each name, that reserves it and has the routes."""
    return Registry.of({name: plugin(reserved_names=[name], routes=some) for name, some in routes.items()})


def test_routes_are_handed_on_with_their_plugins() -> None:
    fly, sail = route("/kites/fly"), route("/boats/sail")
    assert rooted(kites=[fly], boats=[sail]).routes(NO_SERVICES) == [("boats", sail), ("kites", fly)]


def test_a_plugin_may_ask_for_the_services_or_not() -> None:
    class Kites:
        @hookimpl
        def routes(self, services: object) -> list[BaseRoute]:
            assert services is NO_SERVICES
            return [route("/{namespace}")]

    assert len(Registry.of({"kites": Kites(), "boats": plugin(routes=[route("/{namespace}/{package}")])}).routes(NO_SERVICES)) == 2


@pytest.mark.parametrize("path", ["/conda", "/boats/x", "/boats/{x}"])
def test_a_route_whose_first_segment_is_not_reserved_stops_the_start(path: str) -> None:
    with pytest.raises(PluginError, match=re.escape(f"'kites' serves {path.replace('{x}', '{}')} but does not reserve")):
        rooted(kites=[route(path)]).routes(NO_SERVICES)


def test_the_name_of_the_plugins_own_type_needs_no_reservation() -> None:
    registry = Registry.of({"kites": plugin(package_types=[Crate()], routes=[route("/crate/search")])})
    assert len(registry.routes(NO_SERVICES)) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (route("/{namespace}"), route("/{owner}")),
        (route("/{namespace}", "GET", "PUT"), route("/{owner}", "PUT")),
        (Mount("/{rest}", routes=[]), Mount("/{other}", routes=[])),
        (route("/"), route("/")),
        (Host("kites.example.org", Router()), Host("kites.example.org", Router())),
    ],
)
def test_a_path_that_two_plugins_serve_stops_the_start(first: BaseRoute, second: BaseRoute) -> None:
    with pytest.raises(PluginError, match="The plugins 'boats' and 'kites' both serve"):
        rooted(boats=[first], kites=[second]).routes(NO_SERVICES)


def test_a_path_that_one_plugin_serves_twice_stops_the_start() -> None:
    with pytest.raises(PluginError, match="The plugin 'kites' serves /kites twice for the same methods"):
        rooted(kites=[route("/kites"), route("/kites")]).routes(NO_SERVICES)


def test_one_path_may_be_served_by_several_for_different_methods_and_shapes() -> None:
    routes = [route("/kites/{x}", "GET"), route("/kites/{x}", "PUT"), route("/kites/{x:int}", "GET"), WebSocketRoute("/kites/ws", answer)]
    assert len(rooted(kites=routes).routes(NO_SERVICES)) == 4


def test_what_is_no_route_stops_the_start() -> None:
    with pytest.raises(PluginError, match="'kites' gives '/kites' as a route"):
        rooted(kites=["/kites"]).routes(NO_SERVICES)


def test_a_types_own_routes_are_handed_on_by_type_and_checked() -> None:
    fly = route("/{namespace}/fly")
    registry = Registry.of({"kites": plugin(package_types=[crate(routes=lambda self, serve: [fly])])})
    assert registry.type_routes(NO_SERVICES) == [("crate", fly)]
    doubled = Registry.of({"kites": plugin(package_types=[crate(routes=lambda self, serve: [fly, route("/{owner}/fly")])])})
    with pytest.raises(PluginError, match=r"'kites' serves /\{\}/fly twice"):
        doubled.type_routes(NO_SERVICES)
