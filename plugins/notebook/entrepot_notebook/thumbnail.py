"""A small picture of a notebook: the first image among its outputs, decoded within bounds and drawn anew."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

extra_name = "thumbnail.png"
size = (340, 210)
"""Width and height at most, as the anaconda client made them."""

_tries = 3
_longest = 12 << 20
_most_pixels = 16_000_000
_one_at_a_time = threading.Lock()
"""A large image takes more than 100 MB while it is decoded."""


def make_thumbnail(images: Iterable[str]) -> bytes | None:
    """A PNG of the first of these base64 texts that is an image, if one of the first few is."""
    return next((body for image in islice(images, _tries) if (body := _drawn(image)) is not None), None)


def _drawn(text: str) -> bytes | None:
    from PIL.Image import open as open_image  # a few MB, for notebooks with images

    if len(text) > _longest:
        return None
    try:
        with _one_at_a_time, open_image(io.BytesIO(base64.b64decode(text)), formats=("PNG", "JPEG")) as image:
            if image.width * image.height > _most_pixels:
                return None
            image.draft("RGB", size)  # a JPEG is decoded no larger than needed
            return _as_png(image)
    except Exception:  # whatever broken images provoke in the decoders: the notebook is none the worse for it
        return None


def _as_png(image: Image) -> bytes:
    drawn = image.convert("RGB" if image.mode in ("RGB", "CMYK", "YCbCr", "L", "1", "I", "I;16") and "transparency" not in image.info else "RGBA")
    drawn.thumbnail(size)
    drawn.info.clear()  # nothing of the original's metadata
    body = io.BytesIO()
    drawn.save(body, "PNG")
    return body.getvalue()
