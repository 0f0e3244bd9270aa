"""HTTP of content: pages with drafts and versions, brand kits, menus, redirects, pictures."""

from typing import Annotated
from uuid import UUID

from litestar import Response, Router, delete, get, post, put
from litestar.params import FromPath, JSONBody, PathParameter

from samlad.content import brands, pages, pictures, redirects, store
from samlad.content.brand_model import Brand, Kit
from samlad.content.model import (
    ContentPage,
    Document,
    Menu,
    MenuInput,
    MenuPlace,
    PageInput,
    PageRow,
    Picture,
    PictureInput,
    Publishing,
    Redirect,
    RedirectsInput,
    RedirectsSaved,
)
from samlad.content.permissions import CHANGE, READ
from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, with_etag, write
from samlad.kernel.listing import DEFAULT_LIMIT, Cursor, FileFormat, Limit, ListQuery, Page, Sorting, Wanted

ChannelCode = Annotated[
    str, PathParameter(max_length=63, pattern=r"^[^\x00]+$", description="Code of the channel")
]
LARGEST_REQUEST = pictures.LARGEST_BYTES * 4 // 3 + 10_000
"""A picture in Base64, and its name."""
Number = Annotated[int, PathParameter(ge=1, le=2_000_000_000, description="Number of the version")]


@get("/content/pages", summary="List pages")
async def list_pages(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    channel: Wanted = None,
    handle: Wanted = None,
    q: Wanted = None,
    as_format: FileFormat = "json",
) -> Response[Page[PageRow]]:
    """Pages as channels made them themselves; ``channel`` is a code. An empty handle is the start page."""
    actor_of(request).require(READ)
    filters = {"channel": channel, "handle": handle, "q": q}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await store.PAGES.answer(database_of(request), query, as_csv=as_format == "csv", name="pages")


@post("/content/pages", status_code=201, summary="Begin a page")
async def create_page(request: AnyRequest, data: JSONBody[PageInput]) -> Response[ContentPage]:
    """Begin a page with a draft. Nobody sees it before it is published."""
    return await write(request, lambda tx: pages.create(tx, data), status=201)


@get("/content/pages/{page_id:uuid}", summary="Read a page")
async def read_page(request: AnyRequest, page_id: FromPath[UUID]) -> Response[ContentPage]:
    """A page with its draft, its latest versions, and an ETag."""
    actor_of(request).require(READ)
    found = await pages.get(database_of(request), page_id)
    return with_etag(found, found.version)


@put("/content/pages/{page_id:uuid}/draft", status_code=200, summary="Save a draft")
async def save_draft(
    request: AnyRequest, page_id: FromPath[UUID], data: JSONBody[Document]
) -> Response[ContentPage]:
    """Keep a draft, all of it anew. It may be unfinished. Send ``If-Match`` so that nobody's words are lost."""
    version = if_match(request)
    return await write(request, lambda tx: pages.save_draft(tx, page_id, data, version=version))


@post("/content/pages/{page_id:uuid}/publish", status_code=200, summary="Publish the draft")
async def publish_page(
    request: AnyRequest, page_id: FromPath[UUID], data: JSONBody[Publishing]
) -> Response[ContentPage]:
    """Publish the draft as a version, from now on or for a time. With an end it goes before versions without one."""
    version = if_match(request)
    return await write(request, lambda tx: pages.publish(tx, page_id, data, version=version))


@get("/content/pages/{page_id:uuid}/versions/{number:int}", summary="Read a version")
async def read_version(request: AnyRequest, page_id: FromPath[UUID], number: Number) -> Document:
    """What a version shows."""
    actor_of(request).require(READ)
    return await pages.version_document(database_of(request), page_id, number)


@post(
    "/content/pages/{page_id:uuid}/versions/{number:int}/withdraw",
    status_code=200,
    summary="Withdraw a version",
)
async def withdraw_version(
    request: AnyRequest, page_id: FromPath[UUID], number: Number
) -> Response[ContentPage]:
    """Show a version no more; what held before it holds again."""
    return await write(request, lambda tx: pages.withdraw(tx, page_id, number))


@post(
    "/content/pages/{page_id:uuid}/versions/{number:int}/restore",
    status_code=200,
    summary="Restore a version",
)
async def restore_version(
    request: AnyRequest, page_id: FromPath[UUID], number: Number
) -> Response[ContentPage]:
    """Make a version the draft again. Customers see it once the draft is published."""
    actor_of(request).require(CHANGE)
    version = if_match(request)
    return await write(request, lambda tx: pages.restore(tx, page_id, number, version=version))


@get("/brand-kits/{code:str}", summary="Read a brand kit")
async def read_kit(request: AnyRequest, code: ChannelCode) -> Response[Kit]:
    """What a channel sets of its brand (``own``), and what holds with what it inherits (``brand``)."""
    actor_of(request).require(READ)
    found = await brands.kit_of(database_of(request), code)
    return with_etag(found, found.version)


@put("/brand-kits/{code:str}", status_code=200, summary="Set a brand kit")
async def set_kit(request: AnyRequest, code: ChannelCode, data: JSONBody[Brand]) -> Response[Kit]:
    """Set the brand of a channel, all of it anew; null is inherited. Colours on which text cannot be read are refused."""
    version = if_match(request)
    return await write(request, lambda tx: brands.set_kit(tx, code, data, version=version))


@get("/menus/{code:str}/{place:str}", summary="Read a menu")
async def read_menu(request: AnyRequest, code: ChannelCode, place: FromPath[MenuPlace]) -> Response[Menu]:
    """A menu as a channel set it; version 0 says that it has none of its own."""
    actor_of(request).require(READ)
    found = await brands.menu_of(database_of(request), code, place)
    return with_etag(found, found.version)


@put("/menus/{code:str}/{place:str}", status_code=200, summary="Set a menu")
async def set_menu(
    request: AnyRequest, code: ChannelCode, place: FromPath[MenuPlace], data: JSONBody[MenuInput]
) -> Response[Menu]:
    """Set a menu, all of it anew; without entries the channel has what it would have without."""
    version = if_match(request)
    return await write(request, lambda tx: brands.set_menu(tx, code, place, data.items, version=version))


@get("/redirects", summary="List redirects")
async def list_redirects(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    channel: Wanted = None,
    q: Wanted = None,
    as_format: FileFormat = "json",
) -> Response[Page[Redirect]]:
    """Old addresses with how often they were asked for; ``q`` is a part of an address. Sort by source, hits, created_at."""
    actor_of(request).require(READ)
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={"channel": channel, "q": q})
    return await store.REDIRECTS.answer(
        database_of(request), query, as_csv=as_format == "csv", name="redirects"
    )


@post("/redirects", status_code=200, summary="Add redirects")
async def add_redirects(request: AnyRequest, data: JSONBody[RedirectsInput]) -> Response[RedirectsSaved]:
    """Lead old addresses to new ones; all of them or none. A way that leads back to itself is refused."""
    return await write(request, lambda tx: redirects.add(tx, data))


@delete("/redirects/{redirect_id:uuid}", status_code=200, summary="Remove a redirect")
async def remove_redirect(request: AnyRequest, redirect_id: FromPath[UUID]) -> Response[list[Redirect]]:
    """Remove a redirect; answers with it, or with nothing if it was not there any more."""
    return await write(request, lambda tx: redirects.remove(tx, [redirect_id]))


@get("/content/pictures", summary="List pictures")
async def list_pictures(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    q: Wanted = None,
    as_format: FileFormat = "json",
) -> Response[Page[Picture]]:
    """Pictures of pages and brands; the address of one is `/media/KEY`."""
    actor_of(request).require(READ)
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={"q": q})
    return await store.PICTURES.answer(
        database_of(request), query, as_csv=as_format == "csv", name="pictures"
    )


@post(
    "/content/pictures",
    status_code=201,
    summary="Add a picture",
    request_max_body_size=LARGEST_REQUEST,
)
async def add_picture(request: AnyRequest, data: JSONBody[PictureInput]) -> Response[Picture]:
    """Keep a picture. The same bytes again are the same picture."""
    home = request.app.state.runtime.settings.home
    return await write(request, lambda tx: pictures.add(tx, home, data), status=201)


routes: list[Router] = [
    Router(
        path="/api",
        route_handlers=[
            list_pages,
            create_page,
            read_page,
            save_draft,
            publish_page,
            read_version,
            withdraw_version,
            restore_version,
            read_kit,
            set_kit,
            read_menu,
            set_menu,
            list_redirects,
            add_redirects,
            remove_redirect,
            list_pictures,
            add_picture,
        ],
        tags=["Content"],
    )
]
