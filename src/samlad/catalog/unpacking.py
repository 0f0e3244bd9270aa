"""Pictures that come from outside: only their header is read before their size is known."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from samlad.kernel.problems import InvalidInput

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

LARGEST_SIDE = 8_000
LARGEST_AREA = 40_000_000
"""Pixels. A picture of a few bytes can be a terabyte when it is unpacked; what is larger is never unpacked."""


@contextmanager
def unpacked(content: bytes, pillow_format: str, field: str) -> Iterator["Picture"]:
    """The picture, to be drawn from within.

    Raises:
        InvalidInput: it has too many pixels, or is damaged, which may show only while it is drawn.
    """
    from PIL import Image, ImageFile, UnidentifiedImageError

    try:
        ImageFile.LOAD_TRUNCATED_IMAGES = False  # WeasyPrint, once loaded, allows them for the whole process
        with Image.open(io.BytesIO(content), formats=[pillow_format]) as found:
            width, height = found.size
            if max(width, height) > LARGEST_SIDE or width * height > LARGEST_AREA:
                raise InvalidInput.at(field, f"{width} × {height} pixels are too many; save it smaller")
            yield found
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise InvalidInput.at(field, "the picture is damaged") from None
