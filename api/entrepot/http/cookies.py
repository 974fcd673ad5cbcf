"""The session cookie: when it counts, and how it is set.

A browser sends a cookie whoever asks it to, so a cookie proves who asks only where it is known which page asks:

- **What counts.** For GET and HEAD of pages, index documents and files, and for `/graphql`. Never for uploads, nor for what else a plugin's routes
  take by another method: programs use these, with tokens. A credential in a header or in the path wins; the cookie is not looked at then.
- **Which page asks.** The browser's own word counts first: `Sec-Fetch-Site`, which no page can write. Where there is none (over plain HTTP browsers
  send none) it is `Origin`, which must be this site's: that of `public_url`, or the scheme and host of the request itself. The host of a request
  cannot be forged by a page of another one, and where it is another one (DNS rebinding) the browser sends no cookie of ours. `Origin: null`, which is
  a sandboxed page, a file, or one that hides where it comes from, is nobody's. A request with neither header comes from a program that holds the
  cookie itself: curl with a jar. Browsers of before 2020 that send neither with a POST cannot send JSON across sites either, and `/graphql` takes
  nothing but JSON.
- **To act** (`/graphql`) the request must come from a page of this very origin; sibling subdomains are strangers. A POST that does not is refused
  loudly. Logging in, out and registering are refused so with no cookie too: nobody shall be logged in as somebody else by a page of another site.
- **To read** by GET, a link from anywhere may lead here as the one who is logged in, for that is what a link is; but no page of another site, a
  sibling's neither, may load anything as them. Such a request is answered as anybody's.
- **The cookie** is HttpOnly, `SameSite=Lax`, without a Domain, and Secure where the site has https. Then it is named `__Host-…`, which no other host
  and no plain HTTP can set; or `__Secure-…` where the site lies below a path, for `__Host-` would hand it to everything else on that host. Several
  cookies of the name are none: one of them was put there by somebody else.
- A cookie that is no (longer) session's is nobody's. It is no error, for the reader could do nothing about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from entrepot.clock import now
from entrepot.errors import PermissionDenied
from entrepot.services.sessions import LONGEST

if TYPE_CHECKING:
    from starlette.responses import Response

    from entrepot.http.request import Facts
    from entrepot.services.sessions import Opened, Renewed
    from entrepot.site import Site

NAME = "entrepot_session"
FOREIGN = (
    "This request does not come from a page of this site, so the session in its cookie does not count. "
    "Programs use a token; if it is a page of this site, its operator has to set `public_url` to the address that the browser shows."
)


class SessionCookie:
    """The session cookie of one request to the API, and of its answer."""

    def __init__(self, site: Site, facts: Facts, answer: Response, agent: str = "") -> None:
        self._site, self._facts, self._answer = site, facts, answer
        self.agent = agent
        """The program that asks, by its own word."""
        self.secret = secret_of(site, facts) if facts.cookie else ""
        """The secret that came along, be it a session's or not."""

    def require_own_page(self) -> None:
        """Raises PermissionDenied for a request that a page of another site has made."""
        if not from_own_page(self._site, self._facts):
            raise PermissionDenied(FOREIGN)

    def hold(self, session: Opened | Renewed) -> None:
        """Give the browser the secret of a session: one that was begun, or that goes on with another secret."""
        left = LONGEST.total_seconds() - (now() - session.created_at) / 1000
        self._set(session.secret, max_age=int(left))

    def drop(self) -> None:
        """Take the cookie away, if there is one."""
        if self._facts.cookie:
            self._set("", max_age=0)

    def _set(self, value: str, *, max_age: int) -> None:
        self._answer.set_cookie(
            cookie_name(self._site, self._facts),
            value,
            max_age=max_age,
            path=_path(self._site),
            secure=is_secure(self._site, self._facts),
            httponly=True,
            samesite="lax",
        )


def secret_of(site: Site, facts: Facts) -> str:
    """The secret in the request's session cookie; empty where there is no such cookie, or more than one."""
    name = cookie_name(site, facts)
    found = [value.strip() for key, _, value in (pair.partition("=") for pair in facts.cookie.split(";")) if key.strip() == name]
    return found[0] if len(found) == 1 else ""


def cookie_name(site: Site, facts: Facts) -> str:
    """What the cookie is called here: a browser that knows us by https takes none that came by http."""
    if not is_secure(site, facts):
        return NAME
    return f"__Host-{NAME}" if _path(site) == "/" else f"__Secure-{NAME}"


def is_secure(site: Site, facts: Facts) -> bool:
    """Whether the browser reached this site by https: by the setting, by TLS of our own, or by the word of a trusted proxy."""
    return site.settings.public_url.startswith("https:") or facts.scheme == "https"


def _path(site: Site) -> str:
    return urlsplit(site.settings.public_url).path or "/"


def from_own_page(site: Site, facts: Facts) -> bool:
    """Whether a request was made by a page of this very origin, by its reader's own hand, or by a program that is no browser."""
    if facts.origin == "null":
        return False
    if facts.fetch_site:
        return facts.fetch_site in ("same-origin", "none")
    return not facts.origin or facts.origin in _origins(site, facts)


def may_read(site: Site, facts: Facts) -> bool:
    """Whether a GET may be answered as to the one who is logged in: it leads the reader here, or comes from a page of this origin."""
    if facts.fetch_site and facts.fetch_mode == "navigate":
        return True
    return from_own_page(site, facts)


def _origins(site: Site, facts: Facts) -> tuple[str, ...]:
    public = urlsplit(site.settings.public_url)
    return f"{public.scheme}://{public.netloc}", f"{facts.scheme}://{facts.host}"
