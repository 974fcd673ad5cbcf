"""What every plugin must keep. Each rule raises PluginError with the names of the plugins that break it, and so stops the start."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from starlette.routing import BaseRoute, Host
from strawberry.schema.config import StrawberryConfig
from strawberry.types.base import StrawberryObjectDefinition

from entrepot.errors import PluginError
from entrepot.graphql.interfaces import File, PackageFacet
from entrepot.hooks import Models
from entrepot.packagetype import PackageType, type_name_pattern

CORE_SEGMENTS = frozenset({"graphql", "upload", "t", "healthz", "readyz", "metrics"})
"""The first path segments that the core itself serves: no plugin may claim them."""

_pages = """
about account admin docs explore favicon.ico file files help label labels login logout namespace namespaces organization organizations
org orgs register robots.txt search settings static token tokens type types
"""  # `org`: a client in wide use drops every argument that equals it
_rest_roots = """
.well-known api authentication authentication-type authentications channels commit copy dist download group groups license notices package
package_listing packages release scopes stage user users
"""  # the first segments of the REST API that existing clients speak; on its own host it has no prefix

KEPT_NAMES = frozenset(f"{_pages} {_rest_roots}".split())
"""Names that no namespace may take and that a package type may not have. A plugin may claim one for its routes."""

_scope_pattern = re.compile(r"[a-z][a-z0-9_.-]*(:[a-z][a-z0-9_.-]*)*")
_representation_pattern = re.compile(r"[a-z][a-z0-9_.-]{0,31}")
_graphql_names = StrawberryConfig().name_converter


class Claims:
    """Who claimed which name first."""

    def __init__(self, what: str, taken: Iterable[str] = (), owner: str = "the core") -> None:
        self.what = what
        self.owners = dict.fromkeys(taken, owner)

    def claim(self, name: str, owner: str) -> None:
        """Raises PluginError where another, or the same one, has it already."""
        first = self.owners.setdefault(name, owner)
        if first != owner:
            raise PluginError(f"{_both(first, owner)} both claim the {self.what} {name!r}. Remove or rename one of them.")

    def claim_once(self, name: str, owner: str) -> None:
        """Like `claim`, and one owner may not claim it twice either."""
        if self.owners.get(name) == owner:
            raise PluginError(f"The plugin {owner!r} claims the {self.what} {name!r} twice.")
        self.claim(name, owner)


def _both(first: str, second: str) -> str:
    if first == "the core":
        return f"The core and the plugin {second!r}"
    return f"The plugins {first!r} and {second!r}"


def check_type(plugin: str, candidate: object) -> PackageType:
    """A package type as `package_types` must give it."""
    if not isinstance(candidate, PackageType):
        raise PluginError(f"The plugin {plugin!r} gives {candidate!r} as a package type; it must give instances of PackageType.")
    name = getattr(candidate, "name", None)
    if not isinstance(name, str) or not re.fullmatch(type_name_pattern, name):
        raise PluginError(f"The plugin {plugin!r} has a package type named {name!r}; a type's name is lower-case letters and digits, a letter first.")
    if name in CORE_SEGMENTS | KEPT_NAMES:
        raise PluginError(f"The plugin {plugin!r} names a package type {name!r}, which is a word that the core keeps for itself.")
    whose = f"The package type {name!r} of the plugin {plugin!r}"
    if not isinstance(getattr(candidate, "title", None), str) or not candidate.title:
        raise PluginError(f"{whose} has no title.")
    if not isinstance(candidate.entry_version, int) or candidate.entry_version < 1:
        raise PluginError(f"{whose} has the entry_version {candidate.entry_version!r}; it must be a whole number from 1.")
    _check_representations(whose, candidate)
    _check_implements(whose, "graphql_type", candidate.graphql_type, File)
    _check_implements(whose, "facet_type", candidate.facet_type, PackageFacet)
    return candidate


def _check_representations(whose: str, package_type: PackageType) -> None:
    parts = [representation.name for representation in package_type.part_representations]
    documents = [representation.name for representation in package_type.document_representations]
    for kind, names in (("part", parts), ("document", documents)):
        for name in names:
            if not _representation_pattern.fullmatch(name):
                raise PluginError(f"{whose} has a {kind} representation named {name!r}; use up to 32 of a-z, 0-9, '_', '.', '-', a letter first.")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise PluginError(f"{whose} has two {kind} representations named {twice[0]!r}.")
    for representation in package_type.document_representations:
        if representation.parts not in parts:
            raise PluginError(
                f"{whose} joins the document representation {representation.name!r} from the part representation {representation.parts!r}, "
                f"which it does not have; it has: {', '.join(parts) or 'none'}."
            )
        alike = representation.parts, representation.changed_header
        others = {one.name for one in package_type.document_representations if (one.parts, one.changed_header) == alike} - {representation.name}
        if representation.zstd and representation.zstd not in others:
            raise PluginError(
                f"{whose} sends the document representation {representation.name!r} in zstd as {representation.zstd!r}, "
                "which is no other one from the same parts, with the same changed_header."
            )


def _check_implements(whose: str, member: str, given: object, interface: type) -> None:
    if given is None:
        return
    if not inspect.isclass(given) or not issubclass(given, interface) or definition_of(given) is definition_of(interface):
        raise PluginError(f"{whose} has the {member} {given!r}; it must be a Strawberry type that implements {interface.__name__}.")
    if definition_of(given).origin is not given:
        raise PluginError(f"{whose} has the {member} {given.__name__}, which lacks the decorator @strawberry.type.")


def definition_of(given: type) -> StrawberryObjectDefinition:
    """What Strawberry knows of a decorated class. Raises AttributeError for any other."""
    return given.__strawberry_definition__  # type: ignore[attr-defined, no-any-return]  # Strawberry's mark


def check_graphql(
    *,
    types: Sequence[tuple[str, type]],
    queries: Sequence[tuple[str, type]],
    mutations: Sequence[tuple[str, type]],
    core_types: Iterable[type] = (),
    core_queries: Iterable[type] = (),
    core_mutations: Iterable[type] = (),
) -> None:
    """No two plugins, nor a plugin and the core, may have a GraphQL type, query or mutation of one name: Strawberry takes the first, silently."""
    _claim_types([("the core", given) for given in core_types] + [*types])
    for what, own, core in (("GraphQL query", queries, core_queries), ("GraphQL mutation", mutations, core_mutations)):
        claims = Claims(what, (name for given in core for name in field_names(given)))
        for plugin, given in own:
            for name in field_names(given):
                claims.claim_once(name, plugin)


def _claim_types(types: Iterable[tuple[str, type]]) -> None:
    claims = Claims("GraphQL type")
    seen: dict[str, type] = {}
    for plugin, given in types:
        name = _graphql_names.from_type(definition_of(given))
        if seen.setdefault(name, given) is not given:
            claims.claim_once(name, plugin)
        claims.owners.setdefault(name, plugin)


def check_strawberry(plugin: str, hook: str, given: object) -> type:
    """A class as the GraphQL hooks must give it."""
    if not inspect.isclass(given) or not hasattr(given, "__strawberry_definition__"):
        raise PluginError(f"The hook {hook!r} of the plugin {plugin!r} gives {given!r}; it must give Strawberry types.")
    return given


def field_names(given: type) -> list[str]:
    """The fields of a Strawberry type as GraphQL spells them."""
    return [_graphql_names.get_graphql_name(field) for field in definition_of(given).fields]


def check_scope(plugin: str, scope: object, sentence: object) -> None:
    """A scope is one word (a token's scopes are separated by spaces) with a sentence for people."""
    if not isinstance(scope, str) or not _scope_pattern.fullmatch(scope):
        raise PluginError(f"The plugin {plugin!r} has the scope {scope!r}; use a-z, 0-9, '_', '.', '-', with ':' between the parts.")
    if not isinstance(sentence, str) or not sentence.strip():
        raise PluginError(f"The plugin {plugin!r} has the scope {scope!r} without a sentence that says what it allows.")


def check_models(plugin: str, given: object) -> Models:
    """A plugin's tables live under a label of their own."""
    if not isinstance(given, Models):
        raise PluginError(f"The hook 'models' of the plugin {plugin!r} gives {given!r}; it must give a Models.")
    if not given.label.isidentifier():
        raise PluginError(f"The plugin {plugin!r} has the models label {given.label!r}, which is no identifier.")
    return given


class RouteClaims:
    """Which paths are served already, by which methods, and by whom."""

    def __init__(self) -> None:
        self._served: list[tuple[str, frozenset[str] | None, str]] = []

    def claim(self, route: BaseRoute, owner: str) -> None:
        """Raises PluginError where the same pattern is served already for one of the route's methods."""
        pattern = pattern_of(route)
        methods = frozenset(getattr(route, "methods", None) or ()) or None  # None: all of them
        for served, others, first in self._served:
            if served == pattern and (methods is None or others is None or methods & others):
                who = f"The plugin {owner!r} serves" if first == owner else f"{_both(first, owner)} both serve"
                raise PluginError(f"{who} {pattern} {'twice ' if first == owner else ''}for the same methods. Remove one of them.")
        self._served.append((pattern, methods, owner))


def pattern_of(route: BaseRoute) -> str:
    """The path (or the host) that a route matches, without the names of its parameters."""
    text = f"host {route.host}" if isinstance(route, Host) else str(getattr(route, "path", repr(route)))
    return re.sub(r"\{[^}:]*(:[^}]*)?\}", lambda found: "{" + (found[1] or "") + "}", text)


def first_segment(route: BaseRoute) -> str | None:
    """The fixed first segment of a route's path; None where it has none (the root, a parameter, another host)."""
    segment = pattern_of(route).lstrip("/").partition("/")[0]
    return None if isinstance(route, Host) or not segment or "{" in segment else segment


def check_routes(plugin: str, routes: Sequence[object], reserved: Iterable[str]) -> Iterator[BaseRoute]:
    """Routes at the root of the site: a first segment that is a word must be reserved by the plugin, or a namespace could take it."""
    for route in routes:
        if not isinstance(route, BaseRoute):
            raise PluginError(f"The plugin {plugin!r} gives {route!r} as a route; it must give Starlette routes.")
        segment = first_segment(route)
        if segment is not None and segment.lower() not in reserved:
            raise PluginError(f"The plugin {plugin!r} serves {pattern_of(route)} but does not reserve {segment!r}; name it in `reserved_names`.")
        yield route


def check_mapping(plugin: str, hook: str, given: object) -> Mapping[str, object]:
    """What `scopes` and `commands` must give."""
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
        raise PluginError(f"The hook {hook!r} of the plugin {plugin!r} gives {given!r}; it must give a mapping from names.")
    return given


def check_sequence(plugin: str, hook: str, given: object) -> Sequence[object]:
    """What the hooks that give several things must give."""
    if isinstance(given, str | bytes) or not isinstance(given, Sequence):
        raise PluginError(f"The hook {hook!r} of the plugin {plugin!r} gives {given!r}; it must give a list or tuple.")
    return given
