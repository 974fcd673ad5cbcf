"""Who may do what, written down a second time: from the table of the manual's page "Permissions", and from no line of the server.

Tests ask it what the server must answer. Whoever changes what a level means changes it here too, knowingly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

TYPES = ("conda", "environment", "notebook", "pypi")
Place = tuple[str, str]
"""A namespace and the name of a package there."""


class Level(IntEnum):
    """Each includes those before it."""

    NOTHING = 0
    READ = 1
    WRITE = 2
    ADMIN = 3


class Answer(StrEnum):
    """What a request comes to."""

    SEEN = "seen"
    DONE = "done"
    MISSING = "not found"
    UNKNOWN = "unauthenticated"
    DENIED = "denied"


_api = frozenset({"api:read", "api:write"})
_by_type = {name: frozenset({f"{name}:download", f"{name}:upload"}) for name in TYPES}
_repos = frozenset[str]().union(*_by_type.values())
COVERED = {
    "all": _api | _repos,
    "api": _api,
    "repos": _repos,
    **_by_type,
    **{scope: frozenset({scope}) for scope in _api | _repos},
}
"""What each scope lets a credential be used for."""


@dataclass(frozen=True, kw_only=True)
class Credential:
    """What a request comes with."""

    owner: str = ""
    """The user's or organization's name; empty: it comes with nothing."""
    scopes: frozenset[str] = frozenset({"all"})
    bound_to: Place | None = None
    ended: bool = False
    """Whether it is expired or revoked."""
    session: bool = False
    """Whether it is the cookie of a session, which counts for reading and for GraphQL, and for no upload."""

    def allows(self, *needs: str) -> bool:
        """Whether one of the needs is covered."""
        return not self.owner or any(need in COVERED[scope] for scope in self.scopes for need in needs)


@dataclass
class Group:
    """Members of an organization with one level, on named packages or on everything."""

    level: Level
    packages: set[Place] | None = None
    members: set[str] = field(default_factory=set)


@dataclass
class World:
    """All that decides."""

    open: bool = True
    """Whether readers need no credential."""
    organizations: set[str] = field(default_factory=set)
    admins: set[str] = field(default_factory=set)
    disabled: set[str] = field(default_factory=set)
    private: dict[Place, bool] = field(default_factory=dict)
    """Every package, and whether it is private."""
    groups: dict[tuple[str, str], Group] = field(default_factory=dict)
    """By organization and name."""
    collaborators: set[tuple[str, Place]] = field(default_factory=set)

    # -- levels -------------------------------------------------------------------------------------------------------

    def given(self, who: Credential, namespace: str, package: str | None = None) -> Level:
        """The level of who asks on a namespace, or on a package in it, but for what everybody has."""
        place = None if package is None else (namespace, package)
        if not who.owner or who.bound_to not in (None, place):
            return Level.NOTHING
        if who.owner in self.admins:
            return Level.ADMIN
        if who.owner == namespace:
            return Level.WRITE if namespace in self.organizations else Level.ADMIN
        levels = [Level.NOTHING]
        for (organization, _), group in self.groups.items():
            if organization == namespace and who.owner in group.members and (group.packages is None or place in group.packages):
                levels.append(group.level)
        if place is not None and (who.owner, place) in self.collaborators:
            levels.append(Level.WRITE)
        return max(levels)

    def belongs(self, who: Credential, organization: str) -> bool:
        """Whether who asks may know who belongs to an organization: its members, whoever reads all of it, itself."""
        member = any(who.owner in group.members for (name, _), group in self.groups.items() if name == organization)
        return who.bound_to is None and (member or self.given(who, organization) >= Level.READ)

    def sees(self, who: Credential, place: Place, *needs: str) -> bool:
        """Whether a package exists for who asks, with a credential that is good for one of the needs."""
        if place not in self.private:
            return False
        if not self.private[place] and self.everybody(who):
            return True
        return self.given(who, *place) >= Level.READ and who.allows(*needs)

    def everybody(self, who: Credential) -> bool:
        """Whether who asks reads what is public."""
        return self.open or bool(who.owner)

    def dead(self, who: Credential) -> bool:
        """Whether the credential opens nothing."""
        return who.ended or who.owner in self.disabled

    # -- answers ------------------------------------------------------------------------------------------------------

    def reads(self, who: Credential, place: Place, type: str) -> Answer:
        """An installer's request for what one package contributes: its line in an index, its page, its shard, a file."""
        if self.dead(who) or not (who.owner or self.open):
            return Answer.UNKNOWN
        if not self.open and not who.allows(f"{type}:download"):
            return Answer.DENIED
        return Answer.SEEN if self.sees(who, place, f"{type}:download") else Answer.MISSING

    def told(self, who: Credential, type: str) -> Answer:
        """An installer's request for what is said to everybody."""
        if self.dead(who) or not (who.owner or self.open):
            return Answer.UNKNOWN
        return Answer.SEEN if self.open or who.allows(f"{type}:download") else Answer.DENIED

    def asks(self, who: Credential, place: Place | None) -> Answer:
        """A query about a package, or (None) about what everybody may read who may read anything."""
        if self.dead(who):
            return Answer.UNKNOWN
        if not who.allows("api:read"):
            return Answer.DENIED
        seen = self.everybody(who) if place is None else self.sees(who, place, "api:read")
        return Answer.SEEN if seen else Answer.MISSING

    def uploads(self, who: Credential, place: Place, type: str) -> Answer:
        """An upload into a package, which it may make."""
        if self.dead(who) or not who.owner or who.session:
            return Answer.UNKNOWN
        namespace, package = place
        level = max(self.given(who, namespace), self.given(who, namespace, package) if place in self.private else Level.NOTHING)
        return Answer.DONE if level >= Level.WRITE and who.allows(f"{type}:upload", "api:write") else Answer.DENIED

    def changes(self, who: Credential, namespace: str, package: str | None, level: Level) -> Answer:
        """A mutation on a package or (None) a namespace that takes a level."""
        may = self.mutates(who)
        if may is not Answer.DONE:
            return may
        if package is not None and not self.sees(who, (namespace, package), "api:read", "api:write"):
            return Answer.MISSING
        return Answer.DONE if self.given(who, namespace, package) >= level else Answer.DENIED

    def mutates(self, who: Credential) -> Answer:
        """Whether who asks may run mutations at all."""
        if self.dead(who):
            return Answer.UNKNOWN
        if not who.allows("api:read"):
            return Answer.DENIED
        if not who.owner:
            return Answer.UNKNOWN
        return Answer.DONE if who.allows("api:write") else Answer.DENIED
