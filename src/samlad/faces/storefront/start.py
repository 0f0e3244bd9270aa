"""The start page and the shop's own pages: made of blocks, or what a shop has before anybody wrote one."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import consent, content, identity
from samlad.catalog.search.query import SearchQuery, search
from samlad.channels import Channel, Resource
from samlad.consent import Answer, AnswerInput, Level
from samlad.content import markdown, rules, store
from samlad.content.model import Document, Hero, PictureText, Text
from samlad.faces import page as face
from samlad.faces.form import read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import blocks, limits, shelf, stores, structured, wordings
from samlad.faces.storefront.place import OPEN, channel_of, root_of, show
from samlad.faces.storefront.typed import typed
from samlad.identity import AuthLevel, Identifier, Kind, Sighting
from samlad.kernel.clock import now
from samlad.kernel.context import SYSTEM, Context
from samlad.kernel.database import Tx
from samlad.kernel.http import database_of
from samlad.kernel.ids import new_id
from samlad.kernel.problems import NotFound

FRONT_LENGTH = 8
DESCRIPTION_LENGTH = 155
PURPOSE = "email_marketing"


@get("/")
async def front(request: AnyRequest) -> Response[Any]:
    """The start page."""
    channel, database = await channel_of(request), database_of(request)
    look = await content.look_of(database, channel)
    live = await store.live(database, look.line, "")
    if live is not None:
        return await render(request, channel, live.document, is_start=True)
    _ = face.words(request)
    newest = await search(database, channel, SearchQuery(sort="newest", limit=FRONT_LENGTH, facets=False))
    trunk = [b for b in await shelf.branches(database, channel) if b.depth == 0]
    store_count = len(await stores.stores_of(request, channel))
    return await show(
        request,
        channel,
        "storefront/start.html",
        newest=await shelf.cards(database, channel, newest.items, _("Sale")),
        tiles=blocks.tiles(trunk[:FRONT_LENGTH]),
        store_count=store_count,
        structured_data=await _site_data(request, channel),
        query="",
    )


@get("/opening")
async def opening(request: AnyRequest) -> Response[Any]:
    """What visitors see of a shop that is being set up: its name, its colours, how to reach it. On to the shop once it
    is open."""
    channel = await channel_of(request, before_opening=True)
    if channel.setting(OPEN):
        return face.go(request, "/")
    look = await content.look_of(database_of(request), channel)
    return face.page(
        request,
        "storefront/opening.html",
        time_zone=channel.time_zone,
        headers={"X-Robots-Tag": "noindex", "Cache-Control": "no-store"},
        theme_folder=look.brand.theme,
        shop_name=look.brand.name or channel.name,
        look=look,
        theme_href=f"/theme.css?v={look.version}",
        contact_email=channel.setting("contact_email"),
    )


@get("/page/{handle:str}")
async def page_page(request: AnyRequest, handle: FromPath[str]) -> Response[Any]:
    """A page that the shop wrote."""
    channel, database = await channel_of(request), database_of(request)
    look = await content.look_of(database, channel)
    live = await store.live(database, look.line, typed(handle)) if handle else None
    if live is None or not live.handle:
        raise NotFound(face.words(request)("There is no such page (any more)."))
    return await render(request, channel, live.document, is_start=False)


async def render(
    request: AnyRequest,
    channel: Channel,
    document: Document,
    *,
    is_start: bool,
    headers: dict[str, str] | None = None,
    **context: Any,
) -> Response[Any]:
    """A page made of blocks, for customers or for who is writing it."""
    look = await content.look_of(database_of(request), channel)
    name = look.brand.name or channel.name
    own_language = (channel.own.locale or "en")[:2]
    title = rules.said(document.title, channel.locale, own_language)
    shown = await blocks.shown(request, channel, document)
    described = rules.said(document.description, channel.locale, own_language) or _first_words(
        document, channel.locale, own_language
    )
    crumbs = [] if is_start else [(name, "/")]
    data = await _site_data(request, channel) if is_start else _page_data(request, name, title)
    main_hero = next((each["id"] for each in shown if each["type"] == "hero" and each["title"]), None)
    values = {
        "page_title": title or name,
        "heading": "" if main_hero else title or name,
        "main_hero": main_hero,
        "root": root_of(request),
        "is_start": is_start,
        "blocks": shown,
        "crumbs": crumbs,
        "description": described,
        "share_picture": look.brand.share or next(iter(sorted(rules.pictures_of(document))), None),
        "structured_data": data,
        **context,
    }
    return await show(request, channel, "storefront/page.html", headers=headers, **values)


def _first_words(document: Document, language: str, otherwise: str) -> str:
    """What search engines say of a page whose author said nothing."""
    for block in document.blocks:
        if isinstance(block, Hero | Text | PictureText):
            said = markdown.plain(rules.said(block.text, language, otherwise), DESCRIPTION_LENGTH)
            if said:
                return said
    return ""


async def _site_data(request: AnyRequest, channel: Channel) -> Any:
    look, root = await content.look_of(database_of(request), channel), root_of(request)
    name = look.brand.name or channel.name
    logo = f"{root}/media/{look.brand.logo}" if look.brand.logo else f"{root}/icon-512.png"
    email = channel.setting("contact_email") or None
    days = channel.setting("return_days")
    seller = structured.organization(name, root, logo, email, (channel.country, days) if days else None)
    return structured.block(seller) + structured.block(structured.website(name, root))


def _page_data(request: AnyRequest, name: str, title: str) -> Any:
    root = root_of(request)
    pairs = [(name, f"{root}/"), (title or name, f"{root}{request.url.path}")]
    return structured.block(structured.breadcrumbs(pairs))


@get("/last-seen")
async def last_seen(request: AnyRequest) -> Response[Any]:
    """The products that a browser remembers, as a piece of a page: which they are is known to nobody else."""
    limits.searches.check(limits.who(request))
    channel = await channel_of(request)
    handles = [text[:200] for text in request.query_params.get("handles", "")[:6000].split(",") if text]
    count = request.query_params.get("count", "")
    most = min(int(count), blocks.MOST_SEEN) if count.isdecimal() and len(count) < 4 else FRONT_LENGTH
    cards = await blocks.last_seen(request, channel, [typed(each) for each in handles], most)
    return await show(request, channel, "storefront/last_seen.html", products=cards)


@post("/newsletter", status_code=303)
async def subscribe(request: AnyRequest) -> Response[Any]:
    """Ask for news by e-mail. It only begins with the link that is sent there (double opt-in): anybody can type anything."""
    limits.writes.check(limits.who(request))
    channel, form, _ = await channel_of(request), await read_form(request), face.words(request)
    back = face.local_path(form.get("back"))
    email = form.text("email") or ""
    if not form.has("agree"):
        return face.go(request, back, _("Tick the box, so that we may write to you."), kind="warning")
    told = new_id()

    async def work(tx: Tx) -> bool:
        sighting = Sighting(
            pool=channel.pools[Resource.CUSTOMERS],
            source="newsletter",
            event_id=str(told),
            observed_at=now(),
            received_at=now(),
            identifiers=[Identifier(Kind.EMAIL, email)],
            channel=channel.id,
            auth=AuthLevel.CLAIMED,
        )
        node = (await identity.observe(tx, [sighting]))[0]
        if node is None:
            return False
        texts = await wordings.shown(tx, form)
        answer = AnswerInput(
            purpose=PURPOSE,
            answer=Answer.GRANTED,
            text=texts.get(PURPOSE),
            channel=channel.id,
            event_id=str(told),
        )
        await consent.record(tx, node, [answer], level=Level.CLAIMED, source="newsletter")
        await consent.ask_to_confirm(tx, node, PURPOSE, channel.id, channel.locale)
        return True

    context = Context(actor=SYSTEM, channel=channel.id)
    if not await database_of(request).transaction(work, context):
        return face.go(request, back, _("That is no e-mail address."), kind="warning")
    return face.go(request, back, _("Almost done: open the mail that we send you, and confirm there."))


handlers = [front, opening, page_page, last_seen, subscribe]
