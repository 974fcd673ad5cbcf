"""The tables of `docs/permissions.md`, printed from what decides.

`python -m entrepot.services.permissiontable docs/permissions.md` prints them into the page anew.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from entrepot.services.actors import ANONYMOUS, CORE_SCOPES, Actor, covers
from entrepot.services.grants import Grants, Level
from entrepot.services.operations import MUTATIONS, REQUESTS
from entrepot.services.permissions import given

HOME, PACKAGE, SOMEBODY = 1, 7, 2
"""Inner ids: a namespace, a package in it, and somebody else's namespace."""
ALL = frozenset({"all"})


def _somebody(**more: object) -> Actor:
    return Actor(name="somebody", namespace_id=SOMEBODY, scopes=ALL, **more)  # type: ignore[arg-type]  # the fields of an Actor


ROLES: Mapping[str, Actor] = {
    "anonymous": ANONYMOUS,
    "any user": _somebody(),
    "group, read": _somebody(grants=Grants(packages={PACKAGE: Level.READ}, homes={HOME: Level.READ})),
    "group, write": _somebody(grants=Grants(packages={PACKAGE: Level.WRITE}, homes={HOME: Level.WRITE})),
    "group, admin": _somebody(grants=Grants(packages={PACKAGE: Level.ADMIN}, homes={HOME: Level.ADMIN})),
    "group on all, read": _somebody(grants=Grants(namespaces={HOME: Level.READ})),
    "group on all, write": _somebody(grants=Grants(namespaces={HOME: Level.WRITE})),
    "group on all, admin; `owners`": _somebody(grants=Grants(namespaces={HOME: Level.ADMIN})),
    "collaborator": _somebody(grants=Grants(packages={PACKAGE: Level.WRITE}, homes={HOME: Level.WRITE})),
    "organization's token": Actor(name="acme", namespace_id=HOME, is_organization=True, scopes=ALL),
    "the user whose namespace it is": Actor(name="alice", namespace_id=HOME, scopes=ALL),
    "token bound to the package": Actor(name="alice", namespace_id=HOME, scopes=ALL, package_id=PACKAGE),
    "token bound to another package": Actor(name="alice", namespace_id=HOME, scopes=ALL, package_id=PACKAGE + 1),
    "site administrator": _somebody(is_admin=True),
}
"""One of each who can come, to ask the module that decides."""


def levels() -> Iterable[Sequence[str]]:
    """What each has on a public package, a private one, and the namespace."""
    yield ("who", "public package", "private package", "namespace")
    for name, actor in ROLES.items():
        on_package = given(actor, namespace_id=HOME, package_id=PACKAGE)
        on_namespace = given(actor, namespace_id=HOME, package_id=None)
        everybody = "read, on an open site" if actor.anonymous else "read"
        yield (
            name,
            _word(on_package) if on_package > Level.NONE else everybody,
            _word(on_package),
            _word(on_namespace) if on_namespace > Level.NONE else everybody,
        )


def operations() -> Iterable[Sequence[str]]:
    """What each operation takes."""
    yield ("operation", "takes", "on the", "besides")
    for one in (*REQUESTS, *MUTATIONS):
        name = f"`{one.name}`" if one in MUTATIONS else one.name
        yield (f"{name} {one.what}".strip(), _word(one.level), one.on.value if one.level > Level.NONE else "-", one.note)


def scopes() -> Iterable[Sequence[str]]:
    """What a credential with one scope is good for."""
    uses = {"download a `T`": "T:download", "upload a `T`": "T:upload", "read through the API": "api:read", "change through the API": "api:write"}
    yield ("scope", *uses)
    for scope in (*CORE_SCOPES, "T", "T:download", "T:upload"):
        needs = [(need, "api:write") if need == "T:upload" else (need,) for need in uses.values()]
        yield (f"`{scope}`", *("yes" if any(covers({scope}, one) for one in some) else "" for some in needs))


def _word(level: Level) -> str:
    return level.name.lower() if level > Level.NONE else "-"


TABLES: Mapping[str, Callable[[], Iterable[Sequence[str]]]] = {"levels": levels, "operations": operations, "scopes": scopes}


def printed(rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    head, *body = rows
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def with_tables(page: str) -> str:
    """The page with each table as it is now: between `<!-- table: NAME -->` and `<!-- end -->`."""
    for name, rows in TABLES.items():
        before, mark, rest = page.partition(f"<!-- table: {name} -->")
        _, end, after = rest.partition("<!-- end -->")
        if not end:
            raise ValueError(f"The page has no place for the table {name}.")
        page = f"{before}{mark}\n\n{printed(rows())}\n\n{end}{after}"
    return page


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(with_tables(target.read_text()))
