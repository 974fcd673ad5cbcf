"""Which representation of a simple page a client gets: PEP 691, section "Version + Format Selection"."""

from __future__ import annotations

from urllib.parse import unquote

json_type = "application/vnd.pypi.simple.v1+json"
v1html_type = "application/vnd.pypi.simple.v1+html"
html_type = "text/html"

media_types = {"json": json_type, "v1html": v1html_type, "html": html_type}
"""Representations by the media type that they are answered with, best first where a client names several with the same weight."""

_named = {
    json_type: "json",
    "application/vnd.pypi.simple.latest+json": "json",
    v1html_type: "v1html",
    "application/vnd.pypi.simple.latest+html": "v1html",
    html_type: "html",
}
_wild = ("html", "json", "v1html")
"""Best first where a client names none: what asks for `*/*` is a browser or curl, and expects what every index answers."""
_ranges = {"*/*": _wild, "application/*": ("json", "v1html"), "text/*": ("html",)}

refusal = f"This index page comes as {json_type}, {v1html_type} or {html_type}: name one of them in Accept, or in ?format=."


def negotiate(accept: str, query: str) -> str | None:
    """The representation to answer with; None: the client takes none of them. `?format=` wins over Accept; no Accept takes anything."""
    wanted = _format(query)
    if wanted is not None:
        return _named.get(wanted)
    weights = _weights(accept if accept.strip() else "*/*")
    best = max(weights.values(), default=0.0)
    if best <= 0:
        return None
    candidates = [name for name, weight in weights.items() if weight == best]
    named = {_named[media_type] for media_type, _ in _items(accept) if media_type in _named}
    return next((name for name in media_types if name in candidates and name in named), None) or next(name for name in _wild if name in candidates)


def _format(query: str) -> str | None:
    """The media type that the query asks for. A `+` is a plus here: everyone writes it so."""
    for item in query.split("&"):
        key, _, value = item.partition("=")
        if key == "format":
            return unquote(value).strip().lower()
    return None


def _weights(accept: str) -> dict[str, float]:
    """The weight of each representation: that of the most specific range that covers it."""
    found: dict[str, tuple[int, float]] = {}
    for media_type, weight in _items(accept):
        name = _named.get(media_type)
        covered = (name,) if name is not None else _ranges.get(media_type, ())
        specificity = 2 if name is not None else int(media_type != "*/*")
        for covered_name in covered:
            found[covered_name] = max(found.get(covered_name, (-1, 0.0)), (specificity, weight))
    return {name: weight for name, (_, weight) in found.items()}


def _items(accept: str) -> list[tuple[str, float]]:
    """The ranges of an Accept header with their weights; a range whose weight is no number is passed over."""
    items: list[tuple[str, float]] = []
    for part in accept.split(","):
        media_type, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                weight = _weight(value.strip())
        if weight >= 0:
            items.append((media_type, weight))
    return items


def _weight(value: str) -> float:
    try:
        weight = float(value)
    except ValueError:
        return -1.0
    return weight if 0 <= weight <= 1 else -1.0
