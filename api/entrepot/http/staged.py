"""`PUT /upload/-/<secret>`: the bytes of an upload that was announced. The secret is the only credential; no namespace can be named `-`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.http.request import Facts
from entrepot.http.upload import answer, declared_size, send_body
from entrepot.http.urls import base_url
from entrepot.services.staging import receiving

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from entrepot.site import Site

PATH = "/upload/-/"


class StagedEndpoint:
    """The route's endpoint."""

    path = PATH + "{secret}"

    def __init__(self, site: Site) -> None:
        self._site = site

    async def put(self, request: Request) -> Response:
        """201 with the file as JSON; 200 when the same bytes were there under the same path. Either way the address is used up."""
        facts = Facts(request.scope)
        async with receiving(
            self._site, secret=request.path_params["secret"], address=facts.address, declared_size=declared_size(request)
        ) as reception:
            await send_body(request, reception.write)
            published = await reception.publish()
        return answer(published, base_url(self._site, request.scope))


def staged_url(base: str, secret: str) -> str:
    """The address of an upload that was announced, below the site's URL."""
    return f"{base}{PATH}{secret}"
