"""Photographs that customers send: of what is broken, of what they bought. Judged by their bytes, and drawn anew.

What is kept is our own drawing of the pixels, turned upright, so that nothing that a camera or a program wrote beside them
(place, time, the phone's number, a second picture) comes with it, and no trick with the file's form survives.
"""

import io

import msgspec

from samlad.catalog import media_files
from samlad.catalog.unpacking import unpacked
from samlad.kernel.problems import InvalidInput

LARGEST_BYTES = 12_000_000
"""What phones send; it is made smaller here."""
MOST = 4
"""Photographs of one review or return."""
SIDE, THUMB = 1600, 240
"""Longest side of what is kept, pixels."""
_FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "avif": "AVIF"}


class Photograph(msgspec.Struct, frozen=True, kw_only=True):
    """A photograph as it is kept: WebP, with a small one for lists; sizes in pixels."""

    content: bytes
    thumb: bytes
    width: int
    height: int
    thumb_width: int
    thumb_height: int


def read(content: bytes, field: str = "photos") -> Photograph:
    """Draw a photograph anew. Only its header is read before its size is known. Slow: call it in a thread.

    Raises:
        InvalidInput: too large, or no photograph that we read.
    """
    from PIL import ImageOps

    if len(content) > LARGEST_BYTES:
        raise InvalidInput.at(field, f"larger than {LARGEST_BYTES // 1_000_000} MB; save it smaller")
    kind = media_files.kind_of(content)
    if kind not in _FORMATS:
        raise InvalidInput.at(field, "it is not a JPEG, PNG, WebP or AVIF picture")
    with unpacked(content, _FORMATS[kind], field) as found:
        drawn = ImageOps.exif_transpose(found).convert("RGB")
    drawn.thumbnail((SIDE, SIDE))
    small = drawn.copy()
    small.thumbnail((THUMB, THUMB))
    return Photograph(
        content=_webp(drawn, 80),
        thumb=_webp(small, 70),
        width=drawn.width,
        height=drawn.height,
        thumb_width=small.width,
        thumb_height=small.height,
    )


def _webp(picture: "object", quality: int) -> bytes:
    held = io.BytesIO()
    picture.save(held, "WEBP", quality=quality, exif=b"", icc_profile=None)  # type: ignore[attr-defined]
    return held.getvalue()
