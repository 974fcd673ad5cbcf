"""Who makes a request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from entrepot.services.grants import NOTHING, Grants


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A user, an organization's token, or anonymous, with the scopes of the credential."""

    name: str = ""
    """The name of the user's or organization's namespace; empty for anonymous."""
    namespace_id: int | None = None
    is_organization: bool = False
    is_admin: bool = False
    grants: Grants = NOTHING
    scopes: frozenset[str] = frozenset()
    token_id: int | None = None
    package_id: int | None = None
    """The one package that the token is bound to."""
    session_id: int | None = None
    address: str = ""

    @property
    def anonymous(self) -> bool:
        """Whether no credential was given. Whoever runs commands on the server's own machine has no namespace, and is not anonymous."""
        return self.namespace_id is None and not self.is_admin

    def allows(self, *needs: str) -> bool:
        """Whether the credential's scopes cover one of the needs (`conda:upload`, `api:read` …). Anonymous has none to narrow it."""
        return self.anonymous or any(covers(self.scopes, need) for need in needs)


ANONYMOUS = Actor()

CORE_SCOPES = {
    "all": "Everything that the owner may do.",
    "repos": "Read and write packages of every type.",
    "api": "Read and write through the API.",
    "api:read": "Read through the API.",
    "api:write": "Write through the API.",
}


def covers(scopes: Iterable[str], need: str) -> bool:
    """Whether a need is covered: by itself, by its family (`conda` covers `conda:upload`), by `repos` for what is no API, by `all`."""
    family = need.partition(":")[0]
    return any(scope in ("all", need, family) or (scope == "repos" and family != "api") for scope in scopes)
