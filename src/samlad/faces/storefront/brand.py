"""How the shop looks to browsers: its theme, its icons, the web app that it can be installed as, and what it says offline."""

import asyncio
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from litestar import Response, get

from samlad import content
from samlad.content import pictures, theme
from samlad.faces import page as face
from samlad.faces.design import asset
from samlad.faces.page import AnyRequest
from samlad.faces.storefront.place import channel_of
from samlad.kernel.http import database_of

FOR_EVER = "public, max-age=31536000, immutable"
A_DAY = "public, max-age=86400"
MOST_UNDER_ICON = 12
ICONS = {"/icon-180.png": 180, "/icon-192.png": 192, "/icon-512.png": 512}
_WORKER = Path(__file__).parent / "static/worker.js"


@get("/theme.css")
async def theme_css(request: AnyRequest) -> Response[str]:
    """The tokens of this shop's brand. Asked for with its fingerprint it never changes."""
    look = await content.look_of(database_of(request), await channel_of(request, before_opening=True))
    is_known = request.query_params.get("v") == look.version
    headers = {"Cache-Control": FOR_EVER if is_known else "no-cache", "ETag": f'"{look.version}"'}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response("", status_code=304, headers=headers, media_type="text/css")
    return Response(look.sheet, headers=headers, media_type="text/css")


@get(list(ICONS))
async def icon(request: AnyRequest) -> Response[bytes]:
    """The shop's icon as a square, for home screens."""
    channel = await channel_of(request, before_opening=True)
    look = await content.look_of(database_of(request), channel)
    accent = theme.palettes(look.brand)["light"].accent
    made = await asyncio.to_thread(
        pictures.icon,
        request.app.state.runtime.settings.home,
        look.brand.icon or look.brand.logo or "",
        (look.brand.name or channel.name)[:1],
        accent,
        ICONS[request.url.path],
    )
    etag = f'"{hashlib.sha256(made).hexdigest()[:16]}"'
    headers = {"Cache-Control": A_DAY, "ETag": etag}
    if request.headers.get("if-none-match") == etag:
        return Response(b"", status_code=304, headers=headers, media_type="image/png")
    return Response(made, headers=headers, media_type="image/png")


@get("/manifest.webmanifest")
async def manifest(request: AnyRequest) -> Response[bytes]:
    """What the shop is as a web app (W3C Web Application Manifest). The till has one of its own."""
    channel = await channel_of(request, before_opening=True)
    look = await content.look_of(database_of(request), channel)
    palette, name = theme.palettes(look.brand)["light"], look.brand.name or channel.name
    document = {
        "id": "/",
        "name": name,
        "short_name": short_name(name),
        "lang": channel.locale,
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": palette.canvas,
        "theme_color": palette.surface,
        "icons": [
            {"src": path, "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
            for path, size in ICONS.items()
            for purpose in ("any", "maskable")
            if size > 180
        ],
    }
    return Response(
        msgspec.json.encode(document),
        media_type="application/manifest+json",
        headers={"Cache-Control": "public, max-age=3600", "Vary": "Cookie, Accept-Language"},
    )


def short_name(name: str) -> str:
    """What stands under the icon on a home screen: as many whole words as fit there."""
    if len(name) <= MOST_UNDER_ICON or " " not in name[: MOST_UNDER_ICON + 1]:
        return name[:MOST_UNDER_ICON]
    return name[: MOST_UNDER_ICON + 1].rsplit(" ", 1)[0]


@get("/offline")
async def offline(request: AnyRequest) -> Response[Any]:
    """What the service worker shows when there is no network. It is asked for without cookies, once."""
    channel = await channel_of(request, before_opening=True)
    look = await content.look_of(database_of(request), channel)
    return face.page(
        request,
        "storefront/offline.html",
        headers={"Content-Language": face.locale_of(request)},
        shop_name=look.brand.name or channel.name,
        look=look,
    )


@get("/sw.js")
async def service_worker(request: AnyRequest) -> Response[str]:
    """The shop's service worker. It is another one, and browsers fetch anew, whenever a file of ours is."""
    await channel_of(request, before_opening=True)
    headers = {"Cache-Control": "no-cache"}
    return Response(_worker(), headers=headers, media_type="text/javascript")


@cache
def _worker() -> str:
    files = [asset("samlad.css"), asset("samlad.js"), asset("storefront/shop.css"), asset("favicon.svg")]
    text = _WORKER.read_text()
    version = hashlib.sha256("".join([text, *files]).encode()).hexdigest()[:12]
    head = f"const VERSION = {msgspec.json.encode(version).decode()};\n"
    return f"{head}const FILES = {msgspec.json.encode(files).decode()};\n{text}"


handlers = [theme_css, icon, manifest, offline, service_worker]
