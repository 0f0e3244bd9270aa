"""Smaller copies of pictures, for the small places in which pages show them: drawn when first asked for, then kept.

A copy has its original's address with ``?w=`` and one of three widths, so that nobody can ask for ten thousand of one
picture. What cannot be drawn smaller is sent as it is.
"""

import io
import re
import threading
from pathlib import Path

from samlad.catalog import media_files
from samlad.catalog.unpacking import unpacked
from samlad.kernel.problems import InvalidInput

WIDTHS = (240, 480, 960)
"""Pixels: a line of a cart, a card of a list on a phone, a product's picture."""
QUALITY = 78
_FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "avif": "AVIF"}
"""Without GIF: those move."""
_STORED = re.compile(r"/media/[0-9a-f]{64}\.(?:" + "|".join(_FORMATS) + ")")
_drawing = threading.BoundedSemaphore(2)


def srcset(src: str) -> str:
    """The copies of a picture as the attribute of the same name says them; empty for what has none."""
    return ", ".join(f"{src}?w={width} {width}w" for width in WIDTHS) if _STORED.fullmatch(src) else ""


def of(home: Path, original: Path, width: int) -> Path:
    """The file of a copy of so many pixels, made if it is not there; the original if it is no larger than that.

    Slow the first time: call it in a thread. Two at once make the same copy, of which one stays.
    """
    path = home / "media" / "small" / original.stem[:2] / f"{original.stem}-{width}.webp"
    if path.exists():
        return path
    pillow_format = _FORMATS.get(original.suffix[1:])
    drawn = None if pillow_format is None else _drawn(original, pillow_format, width)
    if drawn is None:
        return original
    media_files.write(home, path, drawn)
    return path


def _drawn(original: Path, pillow_format: str, width: int) -> bytes | None:
    """A copy as WebP; None for what moves, is damaged or too small or large, and where the copy would be no smaller."""
    from PIL import ImageOps

    content = original.read_bytes()
    try:
        with _drawing, unpacked(content, pillow_format, "content") as found:
            if getattr(found, "is_animated", False) or found.width <= width:
                return None
            small = ImageOps.exif_transpose(found)
            has_alpha = "A" in small.getbands() or "transparency" in small.info
            small = small.convert("RGBA" if has_alpha else "RGB")
            small.thumbnail((width, width * 4))
    except InvalidInput:
        return None
    held = io.BytesIO()
    small.save(held, "WEBP", quality=QUALITY, exif=b"", icc_profile=None)
    made = held.getvalue()
    return made if len(made) < len(content) else None
