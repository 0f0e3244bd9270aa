"""HTTP of import and export."""

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

from litestar import Request, Response, Router, get, post
from litestar.connection import ASGIConnection
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.handlers import BaseRouteHandler
from litestar.params import Body, QueryParameter
from litestar.response import Stream

from samlad.catalog import exports, imports
from samlad.catalog.api.parameters import ChannelCode
from samlad.catalog.imports import ImportReport
from samlad.catalog.permissions import CHANGE, READ
from samlad.catalog.shops import choose
from samlad.kernel.http import AnyRequest, actor_of, context_of, database_of
from samlad.kernel.problems import InvalidInput, TooLarge

PIECE = 1 << 20
LARGEST_BODY = 1 << 30
"""Of a body without Content-Length; others are measured by the setting ``upload_limit``."""
Connection = ASGIConnection[Any, Any, Any, Any]
CodeText = Annotated[
    str,
    QueryParameter(
        max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$", description="Where prices without a list go"
    ),
]
Upload = Annotated[
    dict[str, UploadFile],
    Body(media_type=RequestEncodingType.MULTI_PART, description="The file, as the part “file”"),
]


def may_upload(connection: Connection, _handler: BaseRouteHandler) -> None:
    """Before a byte of the body is read: may the caller import, and is the file small enough?"""
    request: AnyRequest = Request(connection.scope)
    actor_of(request).require(CHANGE)
    limit = database_of(request).settings.upload_limit
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > limit:
        raise TooLarge(f"A file may have {limit:,} bytes.", max_bytes=limit)


@post(
    "/imports/products",
    status_code=200,
    summary="Import products from a file",
    guards=[may_upload],
    request_max_body_size=LARGEST_BODY,
)
async def import_products(
    request: AnyRequest,
    data: Upload,
    channel: ChannelCode = None,
    price_list: CodeText = "base",
    dry_run: Annotated[bool, QueryParameter(description="Only say what would happen")] = False,
    skip_refused: Annotated[
        bool, QueryParameter(description="Import the rest when lines are refused")
    ] = False,
) -> Response[ImportReport]:
    """Import Shopify's product CSV, our CSV or our JSON Lines. What is there is updated by handle and SKU, so the same file
    may be sent again. The whole file is looked at first: when it is broken, or (unless ``skip_refused``) lines are
    refused, nothing is written. The answer counts all lines and shows up to 1,000 that have problems or notes."""
    upload = data.get("file")
    if upload is None:
        raise InvalidInput.at("file", "send the file as the part “file” of multipart/form-data")
    shop = await choose(database_of(request), channel)
    limit = database_of(request).settings.upload_limit
    with tempfile.TemporaryDirectory(prefix="samlad-import-") as folder:
        path = Path(folder) / "upload"
        await _keep(upload, path, limit)
        options = imports.ImportOptions(
            channel=shop, price_list=price_list, dry_run=dry_run, skip_refused=skip_refused
        )
        report = await imports.run_file(database_of(request), path, options, context=context_of(request))
    return Response(report.short())


async def _keep(upload: UploadFile, path: Path, limit: int) -> None:
    size = 0
    with path.open("wb") as out:
        while piece := await upload.read(PIECE):
            size += len(piece)
            if size > limit:
                raise TooLarge(f"A file may have {limit:,} bytes.", max_bytes=limit)
            await asyncio.to_thread(out.write, piece)


@get("/exports/products", summary="Export products to a file")
async def export_products(
    request: AnyRequest,
    channel: ChannelCode = None,
    as_format: Annotated[
        Literal["jsonl", "csv"],
        QueryParameter(
            name="format", description="jsonl brings categories, attributes and price lists with it"
        ),
    ] = "jsonl",
) -> Stream:
    """The catalogue of a channel with its prices, streamed from one snapshot; an import reads it back without loss."""
    actor_of(request).require(READ)
    shop = await choose(database_of(request), channel)
    write = exports.csv_file if as_format == "csv" else exports.jsonl
    media_type = "text/csv; charset=utf-8" if as_format == "csv" else "application/jsonl"
    headers = {"Content-Disposition": f'attachment; filename="products.{as_format}"'}
    return Stream(
        write(database_of(request), shop, context=context_of(request)), media_type=media_type, headers=headers
    )


router = Router(path="/api", tags=["Import and export"], route_handlers=[import_products, export_products])
