"""Our own copies of pictures, for browsers. Their address has their hash, so they never change."""

from litestar import Response, Router, get
from litestar.params import FromPath
from litestar.response import File

from samlad.catalog import media_files, renditions
from samlad.kernel.http import AnyRequest
from samlad.kernel.problems import NotFound

_FOR_EVER = "public, max-age=31536000, immutable"
_WIDTHS = {str(width): width for width in renditions.WIDTHS}


@get("/{key:str}", sync_to_thread=True)
def picture(key: FromPath[str], request: AnyRequest) -> Response[bytes] | File:
    """A stored picture; with ``?w=`` of one of `renditions.WIDTHS` a copy of so many pixels."""
    home = request.app.state.runtime.settings.home
    try:
        path = media_files.path_of(home, key)
    except ValueError:
        raise NotFound("There is no such picture.") from None
    if not path.is_file():
        raise NotFound("There is no such picture.")
    width = request.query_params.get("w")
    if width in _WIDTHS:
        path = renditions.of(home, path, _WIDTHS[width])
    media_type = media_files.TYPES[path.suffix[1:]]
    etag = f'"{path.stem}"'
    headers = {"cache-control": _FOR_EVER, "etag": etag, "x-content-type-options": "nosniff"}
    if request.headers.get("if-none-match") == etag:
        return Response(b"", status_code=304, headers=headers, media_type=media_type)
    return File(
        path, filename=path.name, content_disposition_type="inline", headers=headers, media_type=media_type
    )


router = Router(path="/media", route_handlers=[picture], include_in_schema=False)
