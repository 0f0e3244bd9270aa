"""What pages weigh: packed on the way, with pictures of the size in which they are shown."""

import gzip
import io
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
from market import Market
from PIL import Image

from samlad.catalog import media_files, renditions
from samlad.faces.page import MOST_PADDING, packed
from samlad.kernel.settings import Settings


def test_a_page_is_packed_and_its_length_says_nothing() -> None:
    body = b"<p>" + b"kettle " * 2_000
    made = [packed(body) for _ in range(60)]
    assert all(gzip.decompress(each) == body for each in made)
    lengths = {len(each) for each in made}
    assert len(lengths) > 10
    assert max(lengths) - min(lengths) <= MOST_PADDING
    assert max(lengths) < len(body) / 10


def picture(mode: str, kind: str, size: tuple[int, int] = (1200, 800), **how: object) -> bytes:
    held = io.BytesIO()
    drawn = Image.radial_gradient("L").resize(size)
    mask = drawn
    drawn = drawn.convert(mode)
    if mode == "RGBA":
        drawn.putalpha(mask)
    drawn.save(held, kind, **how)
    return held.getvalue()


def test_a_copy_is_as_large_as_its_place_and_what_cannot_be_drawn_stays(tmp_path: Path) -> None:
    def small(content: bytes, kind: str, width: int = 240) -> tuple[Path, Path]:
        original = media_files.path_of(tmp_path, media_files.store(tmp_path, content, kind))
        return renditions.of(tmp_path, original, width), original

    for mode, pillow, kind in (("RGB", "JPEG", "jpg"), ("RGBA", "PNG", "png"), ("RGB", "WEBP", "webp")):
        made, original = small(picture(mode, pillow), kind)
        assert made != original
        with Image.open(made) as found:
            assert (found.format, found.size) == ("WEBP", (240, 160))
            assert ("A" in found.getbands()) == (mode == "RGBA")
        assert made.stat().st_size < original.stat().st_size
    turned = Image.Exif()
    turned[0x0112] = 6  # the camera was held upright
    made, _ = small(picture("RGB", "JPEG", exif=turned), "jpg")
    with Image.open(made) as found:
        assert found.size == (240, 360)
        assert not found.getexif()
    with ThreadPoolExecutor(4) as pool:  # four at once make one
        both = list(pool.map(lambda _: small(picture("RGB", "JPEG", (900, 900)), "jpg", 480)[0], range(4)))
    assert len(set(both)) == 1
    moving = io.BytesIO()
    frames = [Image.new("RGB", (600, 600), colour) for colour in ("red", "blue")]
    frames[0].save(moving, "WEBP", save_all=True, append_images=frames[1:])
    for content, kind in (
        (picture("RGB", "JPEG", (200, 200)), "jpg"),
        (b"\xff\xd8\xff\xe0" + b"another" * 70, "jpg"),
        (moving.getvalue(), "webp"),
        (b"GIF89a....", "gif"),
    ):
        made, original = small(content, kind)
        assert made == original
    assert renditions.srcset("/media/x.jpg") == renditions.srcset("https://example.com/a.jpg") == ""


async def test_a_list_is_packed_and_its_pictures_fit(
    guest: httpx.AsyncClient, market: Market, settings: Settings
) -> None:
    made = await market.product(title="Pan", handle="pan", sku="PAN", category="kok", price=9900, stock=(3,))
    key = media_files.store(settings.home, picture("RGB", "JPEG"), "jpg")
    await market.db.transaction(
        lambda tx: tx.execute(
            """INSERT INTO media (id, product, url, storage_key, alt, status)
               VALUES (gen_random_uuid(), $1, $2, $2, 'A pan', 'ready')""",
            made.id,
            key,
        )
    )
    page = await guest.get("/c/kok", headers={"accept-encoding": "gzip"})
    assert page.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in page.headers["vary"]
    plain = await guest.get("/c/kok", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert "<html" in plain.text
    tag = re.search(r"<img [^>]*>", page.text)[0]  # type: ignore[index]
    assert 'width="480" height="480"' in tag
    copies = re.search(r'srcset="([^"]+)"', tag)[1]  # type: ignore[index]
    assert [each.split()[1] for each in copies.split(", ")] == ["240w", "480w", "960w"]
    small = await guest.get(copies.split()[0])
    assert small.headers["content-type"] == "image/webp"
    assert "immutable" in small.headers["cache-control"]
    with Image.open(io.BytesIO(small.content)) as found:
        assert found.width == 240
    again = await guest.get(copies.split()[0], headers={"if-none-match": small.headers["etag"]})
    assert again.status_code == 304
    for other in ("?w=241", "?w=", "?w=-1", ""):  # nobody fills the disk with other widths
        assert (await guest.get(f"/media/{key}{other}")).headers["content-type"] == "image/jpeg"
    assert len(list((settings.home / "media" / "small").rglob("*.webp"))) == 1
    product = await guest.get("/p/pan")
    assert f"/media/{key}?w=960 960w" in product.text
