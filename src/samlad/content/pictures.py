"""Pictures of pages and brands: judged by their bytes, stored once, measured so that pages do not jump."""

import asyncio
import base64
import io
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from samlad.access import audit
from samlad.catalog import media_files
from samlad.catalog.unpacking import unpacked
from samlad.content import colour, store
from samlad.content.events import PictureAdded
from samlad.content.model import Picture, PictureInput
from samlad.content.permissions import CHANGE
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.problems import InvalidInput

if TYPE_CHECKING:  # loaded where a picture is looked at: most processes never do
    from PIL.Image import Image

LARGEST_BYTES = 5_000_000
PRINTED_SIZE = (600, 240)
PRINTED_BYTES = 100_000
_FORMATS = {"jpg": "JPEG", "png": "PNG", "gif": "GIF", "webp": "WEBP", "avif": "AVIF"}


def read(content: bytes, name: str) -> tuple[Picture, str]:
    """What a file is, and how documents carry it. Only its header is read before its size is known.

    Raises:
        InvalidInput: too large, or no picture that browsers show.
    """
    if len(content) > LARGEST_BYTES:
        raise InvalidInput.at("content", f"larger than {LARGEST_BYTES // 1_000_000} MB; save it smaller")
    kind = media_files.kind_of(content)
    if kind is None:
        raise InvalidInput.at("content", "it is not a JPEG, PNG, GIF, WebP or AVIF picture")
    with unpacked(content, _FORMATS[kind], "content") as found:
        width, height = found.size
        printed = _printed(found)
    picture = Picture(
        key=media_files.key_of(content, kind),
        name=name,
        width=width,
        height=height,
        bytes=len(content),
        created_at=now(),
    )
    return picture, printed


def _printed(found: "Image") -> str:
    """A small PNG as a ``data:`` URL; empty if even that is larger than documents may carry."""
    small = found.convert("RGBA")
    small.thumbnail(PRINTED_SIZE)
    for colours in (None, 64):
        made = small if colours is None else small.quantize(colours)
        held = io.BytesIO()
        made.save(held, "PNG", optimize=True)
        if held.tell() <= PRINTED_BYTES:
            return "data:image/png;base64," + base64.b64encode(held.getvalue()).decode()
    return ""


async def add(tx: Tx, home: Path, data: PictureInput) -> Picture:
    """Keep a picture. The same bytes again are the same picture, and change nothing.

    The file is there before the row: a row without a file cannot be, a file without a row is harmless.

    Raises:
        InvalidInput: as `read`.
    """
    tx.actor.require(CHANGE)
    picture, printed = await asyncio.to_thread(read, data.content, data.name)
    await asyncio.to_thread(media_files.store, home, data.content, picture.key.rpartition(".")[2])
    made = await store.put_picture(tx, picture, printed)
    if made is None:
        return (await store.pictures(tx, [picture.key]))[picture.key]
    log.append(tx, PictureAdded(key=picture.key, name=picture.name))
    audit.record(tx, "content.picture-added", "content_picture", None, after=made)
    return made


@lru_cache(maxsize=64)
def icon(home: Path, key: str, letter: str, accent: str, size: int) -> bytes:
    """A square PNG for home screens: the brand's icon, or the first letter of its name on its accent.

    A whole picture is in the inner 80 %, so that a phone may cut it round (the "safe zone" of maskable icons).
    """
    from PIL import Image, ImageDraw, ImageFont

    ground = Image.new("RGB", (size, size), accent)
    if key:
        path = media_files.path_of(home, key)
        if path.is_file():
            with Image.open(path) as found:
                picture = found.convert("RGBA")
            inner = size * 8 // 10
            picture.thumbnail((inner, inner))
            place = ((size - picture.width) // 2, (size - picture.height) // 2)
            ground = Image.new("RGB", (size, size), "#ffffff")
            ground.paste(picture, place, picture)
    else:
        draw = ImageDraw.Draw(ground)
        font = ImageFont.load_default(size * 0.5)
        draw.text((size / 2, size / 2), letter[:1].upper(), fill=colour.on(accent), font=font, anchor="mm")
    held = io.BytesIO()
    ground.save(held, "PNG", optimize=True)
    return held.getvalue()
