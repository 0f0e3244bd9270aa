"""Style sheets, scripts and icons: held in memory, sent compressed, cached by browsers for ever because their address has their hash.

`faces/design/static/x` has the address `/static/x`; `faces/<face>/static/x` has `/static/<face>/x`.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from functools import cache, cached_property
from pathlib import Path

from litestar import Request, Response, Router, get, head
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

_FACES = Path(__file__).resolve().parents[1]
_COMPRESSIBLE = frozenset({".css", ".js", ".mjs", ".svg", ".json", ".webmanifest", ".txt", ".wasm"})
_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
}
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


class Asset:
    """One static file with all that its answers need."""

    def __init__(self, path: Path) -> None:
        self.content = path.read_bytes()
        self.version = hashlib.sha256(self.content).hexdigest()[:12]
        self.media_type = (
            _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        )
        self._compressible = path.suffix in _COMPRESSIBLE

    @cached_property
    def compressed(self) -> bytes | None:
        """The gzip form (same bytes each time), or None for what does not get smaller."""
        if not self._compressible:
            return None
        packed = gzip.compress(self.content, compresslevel=9, mtime=0)
        return packed if len(packed) < len(self.content) else None


@cache
def _assets() -> dict[str, Asset]:
    """All static files by the path after `/static/`."""
    found = {}
    for root in sorted(_FACES.glob("*/static")):
        prefix = "" if root.parent.name == "design" else f"{root.parent.name}/"
        for path in sorted(root.rglob("*")):
            if path.is_file() and path.suffix != ".md":
                found[prefix + path.relative_to(root).as_posix()] = Asset(path)
    return found


@cache
def asset(path: str) -> str:
    """The address of a static file, with its content hash: `asset("samlad.css")` is `/static/samlad.css?v=…`.

    Raises `KeyError` for a file that is not there.
    """
    return f"/static/{path}?v={_assets()[path].version}"


def _find(path: str) -> Asset:
    found = _assets().get(path.lstrip("/"))
    if found is None:
        raise NotFoundException(f"There is no file /static/{path.lstrip('/')}.")
    return found


def _headers(found: Asset, request: Request[object, object, State]) -> dict[str, str]:
    """For ever when asked for with its hash, else (a script that imports another) with an ETag to ask again by."""
    return {
        "cache-control": _FOR_EVER if request.query_params.get("v") == found.version else _ASK_AGAIN,
        "etag": f'"{found.version}"',
        "vary": "accept-encoding",
    }


@get("/{path:path}", include_in_schema=False, sync_to_thread=False, name="static")
def _send(path: FromPath[str], request: Request[object, object, State]) -> Response[bytes]:
    found = _find(path)
    headers = _headers(found, request)
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(b"", status_code=304, headers=headers, media_type=found.media_type)
    content = found.content
    if "gzip" in request.headers.get("accept-encoding", "") and found.compressed is not None:
        content = found.compressed
        headers["content-encoding"] = "gzip"
    return Response(content, headers=headers, media_type=found.media_type)


@head("/{path:path}", include_in_schema=False, sync_to_thread=False)
def _describe(path: FromPath[str], request: Request[object, object, State]) -> Response[None]:
    found = _find(path)
    return Response(None, headers=_headers(found, request), media_type=found.media_type)


def static_router() -> Router:
    """The route `/static/…` of all faces."""
    return Router("/static", route_handlers=[_send, _describe], include_in_schema=False)
