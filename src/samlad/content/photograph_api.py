"""Photographs that customers sent, for browsers. Their address is random and told only where they may be seen."""

from uuid import UUID

from litestar import Response, Router, get
from litestar.params import FromPath

from samlad.content import photograph_store
from samlad.kernel.http import AnyRequest, database_of
from samlad.kernel.problems import NotFound

_A_WHILE = "private, max-age=86400"
"""Not for ever: what was erased is to be gone."""


@get("/{photograph:uuid}")
async def photograph(request: AnyRequest, photograph: FromPath[UUID]) -> Response[bytes]:
    """The photograph, small with ``?small=1``."""
    small = request.query_params.get("small") == "1"
    content = await photograph_store.pixels(database_of(request), photograph, small=small)
    if content is None:
        raise NotFound("There is no such picture.")
    headers = {"cache-control": _A_WHILE, "x-content-type-options": "nosniff", "x-robots-tag": "noindex"}
    return Response(content, media_type="image/webp", headers=headers)


router = Router(path="/media/photo", route_handlers=[photograph], include_in_schema=False)
