"""The plugins that are loaded: which type is this file, and what does each plugin add? A plugin that breaks the contract stops the start."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO

import pluggy

from entrepot import contract
from entrepot.errors import EntrepotError, PluginError, UnclaimedFile, ValidationError
from entrepot.hooks import FileEvent, Hooks, Models, PackageEvent, Upload
from entrepot.packagetype import PackageType
from entrepot.services.actors import CORE_SCOPES

if TYPE_CHECKING:
    import typer
    from pydantic import BaseModel
    from starlette.routing import BaseRoute

    from entrepot.services.facade import Services

log = logging.getLogger("entrepot.plugins")

NOTIFICATIONS = ("file_published", "file_removed", "package_changed")


class Registry:
    """Every loaded plugin and what it adds. Made by `load`, `built_in` or `of`; whole and checked, or a PluginError."""

    def __init__(self, plugins: Iterable[tuple[str, object]]) -> None:
        self._manager = pluggy.PluginManager("entrepot")
        self._manager.add_hookspecs(Hooks)
        for name, plugin in plugins:
            _register(self._manager, name, plugin)
        self.plugins: tuple[str, ...] = tuple(sorted(name for name, _ in self._manager.list_name_plugin()))
        self._owners: dict[str, str] = {}
        self.types: Mapping[str, PackageType] = MappingProxyType(dict(sorted(self._collect_types().items())))
        self._reserved = self._collect_reserved()
        self._scopes = self._collect_scopes()
        self._models = self._collect_models()
        self.check_graphql()
        self.commands()
        self.settings_models()
        self._listeners = {hook: self._callers(hook) for hook in (*NOTIFICATIONS, "validate_upload")}

    # -- loading ------------------------------------------------------------------------------------------------------

    @classmethod
    def load(cls, names: Sequence[str] | None = None) -> Registry:
        """The installed plugins, or only the named ones. Raises PluginError for a name that is not installed."""
        installed = list(entry_points(group="entrepot"))
        missing = sorted(set(names or ()) - {point.name for point in installed})
        if missing:
            known = ", ".join(sorted({point.name for point in installed})) or "none"
            raise PluginError(f"No plugin named {missing[0]!r} is installed. Installed are: {known}.")
        return cls(_import(point) for point in _distinct(point for point in installed if names is None or point.name in names))

    @classmethod
    def built_in(cls) -> Registry:
        """The plugins that come with the server, and no third party's."""
        return cls(_import(point) for point in _distinct(entry_points(group="entrepot")) if point.dist and point.dist.name == "entrepot")

    @classmethod
    def of(cls, plugins: Mapping[str, object]) -> Registry:
        """These plugin objects by name: for tests."""
        return cls(plugins.items())

    # -- package types ------------------------------------------------------------------------------------------------

    def owner_of(self, type_name: str) -> str:
        """The name of the plugin that a type comes from."""
        self.type_named(type_name)
        return self._owners[type_name]

    def type_named(self, name: str) -> PackageType:
        """Raises ValidationError for a type that is not there."""
        try:
            return self.types[name]
        except KeyError:
            raise ValidationError(f"There is no package type {name!r} here. The types are: {self._known()}.") from None

    def detect(self, file: BinaryIO, basename: str, wanted: str | None = None) -> PackageType:
        """The type whose file this is; `wanted` is what the uploader says. Raises ValidationError, and UnclaimedFile where none claims it.

        Reads the file: call it in a thread. Leaves the file at its start.
        """
        if wanted is not None:
            package_type = self.type_named(wanted)
            if not self._claims(package_type, file, basename):
                raise UnclaimedFile(f"{basename!r} is no {wanted} package.")
            return package_type
        claims = [package_type for package_type in self.types.values() if self._claims(package_type, file, basename)]
        if not claims:
            raise UnclaimedFile(f"{basename!r} is a package of no type that this server knows ({self._known()}).")
        if len(claims) > 1:
            names = " and ".join(package_type.name for package_type in claims)
            raise ValidationError(f"{basename!r} could be a package of the types {names}. Say which it is with `type=`.")
        return claims[0]

    def _claims(self, package_type: PackageType, file: BinaryIO, basename: str) -> bool:
        file.seek(0)
        try:
            return bool(package_type.detect(file, basename))
        except Exception:  # a plugin's code: whatever it raises
            log.exception("The package type %r of the plugin %r failed to detect; taken as no.", package_type.name, self._owners[package_type.name])
            return False
        finally:
            file.seek(0)

    def _known(self) -> str:
        return ", ".join(self.types) or "none"

    # -- what plugins add ---------------------------------------------------------------------------------------------

    def graphql_types(self) -> list[tuple[str, type]]:
        """The types that the schema must know although no field names them: the hook's, and each package type's file and facet."""
        own = [(plugin, contract.check_strawberry(plugin, "graphql_types", given)) for plugin, given in self._each("graphql_types")]
        for name, package_type in self.types.items():
            own += [(self._owners[name], given) for given in (package_type.graphql_type, package_type.facet_type) if given is not None]
        return list(dict.fromkeys(own))

    def graphql_queries(self) -> list[tuple[str, type]]:
        """The types whose fields join Query."""
        return [(plugin, contract.check_strawberry(plugin, "graphql_queries", given)) for plugin, given in self._each("graphql_queries")]

    def graphql_mutations(self) -> list[tuple[str, type]]:
        """The types whose fields join Mutation."""
        return [(plugin, contract.check_strawberry(plugin, "graphql_mutations", given)) for plugin, given in self._each("graphql_mutations")]

    def check_graphql(self, *, core_types: Iterable[type] = (), core_queries: Iterable[type] = (), core_mutations: Iterable[type] = ()) -> None:
        """Raises PluginError for a GraphQL name that is there twice; the schema calls it again with the core's own classes."""
        contract.check_graphql(
            types=self.graphql_types(),
            queries=self.graphql_queries(),
            mutations=self.graphql_mutations(),
            core_types=core_types,
            core_queries=core_queries,
            core_mutations=core_mutations,
        )

    def models(self) -> list[Models]:
        """The plugins' own tables."""
        return list(self._models)

    def routes(self, services: Services) -> list[tuple[str, BaseRoute]]:
        """The plugins' routes at the root of the site, by plugin. Raises PluginError for a path that is served twice or not reserved."""
        claims = contract.RouteClaims()
        found: list[tuple[str, BaseRoute]] = []
        for plugin, given in self._answers("routes", services=services):
            mine = frozenset(name for name, owner in self._reserved.owners.items() if owner == plugin)
            for route in contract.check_routes(plugin, contract.check_sequence(plugin, "routes", given), mine):
                claims.claim(route, plugin)
                found.append((plugin, route))
        return found

    def type_routes(self, services: Services) -> list[tuple[str, BaseRoute]]:
        """The package types' own routes, by type name; their paths are below `/<type>`. Raises PluginError for a path that is served twice."""
        found: list[tuple[str, BaseRoute]] = []
        for name, package_type in self.types.items():
            claims = contract.RouteClaims()
            for route in package_type.routes(services):
                claims.claim(route, self._owners[name])
                found.append((name, route))
        return found

    def scopes(self) -> dict[str, str]:
        """Every token scope with its sentence: the core's, each type's, the plugins'."""
        return dict(self._scopes)

    @property
    def reserved_names(self) -> frozenset[str]:
        """Names that no namespace may take, in lower case."""
        return contract.CORE_SEGMENTS | contract.KEPT_NAMES | frozenset(self._reserved.owners) | frozenset(self.plugins)

    def commands(self, core: Iterable[str] = ()) -> dict[str, typer.Typer]:
        """The command groups that join the command line, whose own names are `core`."""
        claims = contract.Claims("command", core)
        found: dict[str, Any] = {}
        for plugin, given in self._answers("commands"):
            for name, group in contract.check_mapping(plugin, "commands", given).items():
                claims.claim_once(name, plugin)
                found[name] = group
        return found

    def settings_models(self) -> dict[str, type[BaseModel]]:
        """The models of the plugins' settings, by plugin: each is a section of the settings file."""
        from pydantic import BaseModel

        found: dict[str, type[BaseModel]] = {}
        for plugin, given in self._answers("settings"):
            if not inspect.isclass(given) or not issubclass(given, BaseModel):
                raise PluginError(f"The hook 'settings' of the plugin {plugin!r} gives {given!r}; it must give a pydantic model.")
            found[plugin] = given
        return found

    # -- while it runs ------------------------------------------------------------------------------------------------

    def validate_upload(self, upload: Upload) -> None:
        """Ask each plugin; the first refusal is raised. A plugin that fails otherwise refuses too: a veto that breaks must not let files in."""
        for plugin, caller in self._listeners["validate_upload"]:
            try:
                caller(upload=upload)
            except EntrepotError:
                raise
            except Exception:  # a plugin's code: whatever it raises
                log.exception("The plugin %r failed to validate an upload of %s; the upload is refused.", plugin, upload.path)
                raise

    def notify(self, hook: str, event: FileEvent | PackageEvent) -> None:
        """Tell each plugin of a change that is committed. What a plugin raises is logged, and the next one is told all the same."""
        if hook not in NOTIFICATIONS:
            raise ValueError(f"{hook!r} is no notification; there are {', '.join(NOTIFICATIONS)}.")
        for plugin, caller in self._listeners[hook]:
            try:
                caller(event=event)
            except Exception:  # a plugin's code: whatever it raises
                log.exception("The hook %r of the plugin %r failed.", hook, plugin)

    # -- collecting ---------------------------------------------------------------------------------------------------

    def _callers(self, hook: str) -> list[tuple[str, pluggy.HookCaller]]:
        """One caller for each plugin that has the hook, in the order of names: pluggy's own call does not say whose answer is whose."""
        having = sorted(implementation.plugin_name for implementation in getattr(self._manager.hook, hook).get_hookimpls())
        everyone = self._manager.get_plugins()
        return [(name, self._manager.subset_hook_caller(hook, everyone - {self._manager.get_plugin(name)})) for name in having]

    def _answers(self, hook: str, **arguments: object) -> list[tuple[str, Any]]:
        """What each plugin answers to a hook that is called at start."""
        answers: list[tuple[str, Any]] = []
        for plugin, caller in self._callers(hook):
            try:
                given = caller(**arguments)
            except PluginError:
                raise
            except Exception as error:  # a plugin's code: whatever it raises
                raise PluginError(f"The hook {hook!r} of the plugin {plugin!r} failed: {type(error).__name__}: {error}") from error
            answers += [(plugin, answer) for answer in given]
        return answers

    def _each(self, hook: str) -> list[tuple[str, object]]:
        return [(plugin, one) for plugin, given in self._answers(hook) for one in contract.check_sequence(plugin, hook, given)]

    def _collect_types(self) -> dict[str, PackageType]:
        claims = contract.Claims("package type")
        found: dict[str, PackageType] = {}
        for plugin, given in self._each("package_types"):
            package_type = contract.check_type(plugin, given)
            claims.claim_once(package_type.name, plugin)
            found[package_type.name] = package_type
        self._owners = claims.owners
        return found

    def _collect_reserved(self) -> contract.Claims:
        """Who reserves which name, beside what the core serves; a type's name is reserved by its plugin."""
        claims = contract.Claims("reserved name", contract.CORE_SEGMENTS)
        for name, plugin in self._owners.items():
            claims.claim(name, plugin)
        for plugin, given in self._each("reserved_names"):
            if not isinstance(given, str) or not given:
                raise PluginError(f"The plugin {plugin!r} reserves {given!r}, which is no name.")
            claims.claim(given.lower(), plugin)
        return claims

    def _collect_scopes(self) -> dict[str, str]:
        found = dict(CORE_SCOPES)
        claims = contract.Claims("scope", CORE_SCOPES)
        for name, package_type in self.types.items():
            title = package_type.title
            for scope, sentence in (
                (name, f"Read and write: {title}."),
                (f"{name}:download", f"Read and download: {title}."),
                (f"{name}:upload", f"Upload: {title}."),
            ):
                claims.claim_once(scope, self._owners[name])
                found[scope] = sentence
        for plugin, given in self._answers("scopes"):
            for scope, text in contract.check_mapping(plugin, "scopes", given).items():
                contract.check_scope(plugin, scope, text)
                claims.claim_once(scope, plugin)
                found[scope] = str(text)
        return found

    def _collect_models(self) -> list[Models]:
        claims = contract.Claims("models label", ("models",))
        found: list[Models] = []
        for plugin, given in self._answers("models"):
            models = contract.check_models(plugin, given)
            claims.claim_once(models.label, plugin)
            found.append(models)
        return found


def _distinct(points: Iterable[EntryPoint]) -> list[EntryPoint]:
    """In the order of names. Raises PluginError where two distributions bring a plugin of one name: pluggy would take the first, silently."""
    found: dict[str, EntryPoint] = {}
    for point in points:
        first = found.setdefault(point.name, point)
        if first is not point:
            raise PluginError(
                f"Two plugins are named {point.name!r}: {first.value}{_origin(first)} and {point.value}{_origin(point)}. Uninstall one."
            )
    return [found[name] for name in sorted(found)]


def _origin(point: EntryPoint) -> str:
    return f" of {point.dist.name} {point.dist.version}" if point.dist else ""


def _import(point: EntryPoint) -> tuple[str, object]:
    try:
        return point.name, point.load()
    except Exception as error:  # a plugin's code: whatever it raises
        raise PluginError(f"The plugin {point.name!r}{_origin(point)} cannot be imported: {type(error).__name__}: {error}") from error


def _register(manager: pluggy.PluginManager, name: str, plugin: object) -> None:
    if inspect.isclass(plugin):
        raise PluginError(f"The plugin {name!r} is the class {plugin.__name__}; its entry point must name an instance or a module.")
    try:
        manager.register(plugin, name=name)
        manager.check_pending()
    except (pluggy.PluginValidationError, ValueError) as error:
        raise PluginError(f"The plugin {name!r} does not fit this server: {str(error).strip()}") from error
    callers = manager.get_hookcallers(plugin)
    if not callers:
        raise PluginError(f"The plugin {name!r} has no hooks: mark its functions with `entrepot.plugin.hookimpl`.")
    for caller in callers:
        for implementation in caller.get_hookimpls():
            if implementation.plugin is plugin and inspect.iscoroutinefunction(implementation.function):
                raise PluginError(f"The hook {caller.name!r} of the plugin {name!r} is `async`; hooks are plain functions.")
