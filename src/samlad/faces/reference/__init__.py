"""The HTTP reference that a running server shows at `/api/docs`: our OpenAPI document in a viewer that we ship."""

from typing import Any

from litestar import Response, Router, get

from samlad.faces.design.security import POLICY, policy_text
from samlad.faces.page import AnyRequest, page
from samlad.faces.reference.document import document_of, keep_ready

__all__ = ["keep_ready", "routes"]

# The viewer writes style attributes into its own shadow tree; nothing else is allowed more than elsewhere.
_POLICY = policy_text({**POLICY, "style-src": "'self' 'unsafe-inline'"})


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
