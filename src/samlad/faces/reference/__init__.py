"""The HTTP reference that a running server shows at `/api/docs`: our OpenAPI document in a viewer that we ship."""

import asyncio
import gzip
import hashlib
from functools import cached_property
from typing import Any

import msgspec
from litestar import Litestar, Response, Router, get

from samlad.faces.design.security import POLICY, policy_text
from samlad.faces.page import AnyRequest, page
from samlad.kernel import openapi

# The viewer writes style attributes into its own shadow tree; nothing else is allowed more than elsewhere.
_POLICY = policy_text({**POLICY, "style-src": "'self' 'unsafe-inline'"})


class Document:
    """The document as it is sent. Building it takes seconds of work, so it is done once, when somebody asks."""

    def __init__(self, app: Litestar) -> None:
        self.content = msgspec.json.encode(openapi.document(app))
        self.etag = f'"{hashlib.sha256(self.content).hexdigest()[:16]}"'

    @cached_property
    def compressed(self) -> bytes:
        """The gzip form."""
        return gzip.compress(self.content, mtime=0)


async def document_of(app: Litestar) -> Document:
    """The application's document, built in a thread for the first who asks; the others wait for the same."""
    if "reference" not in app.state:
        app.state.reference = asyncio.ensure_future(asyncio.to_thread(Document, app))
    found: Document = await asyncio.shield(app.state.reference)
    return found


@get("/")
async def reference_page(request: AnyRequest) -> Response[Any]:
    """The viewer. It reads the document from beside it."""
    headers = {"content-security-policy": _POLICY}
    return page(request, "reference/api.html", shop_name="Samlad", headers=headers)


@get("/openapi.json")
async def openapi_json(request: AnyRequest) -> Response[bytes]:
    """The OpenAPI 3.1 document."""
    found = await document_of(request.app)
    headers = {"etag": found.etag, "cache-control": "no-cache", "vary": "accept-encoding"}
    media_type = "application/vnd.oai.openapi+json"
    if request.headers.get("if-none-match") == found.etag:
        return Response(b"", status_code=304, headers=headers, media_type=media_type)
    content = found.content
    if "gzip" in request.headers.get("accept-encoding", ""):
        content = found.compressed
        headers["content-encoding"] = "gzip"
    return Response(content, headers=headers, media_type=media_type)


routes: list[Router] = [
    Router("/api/docs", route_handlers=[reference_page, openapi_json], include_in_schema=False)
]
