"""The data pack: what a till needs to sell without network, whole in pages, later only what has changed.

A row is a list, so that 300,000 of them are small: id, SKU, GTIN, title, options, price, tax class, picture, product, and what
the till's own rules need of it: prices, marks, whether it is goods, sold from, sold to, what its quantity counts (`rules_pack.PackedGood`). A variant that
is not for sale here (any more) is in ``gone``. The rules themselves (`rules_pack`) come with the first page.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from samlad import catalog, payments, stock, tax
from samlad.channels import Channel, Resource
from samlad.kernel import log
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Database
from samlad.kernel.log import Event, Position
from samlad.kernel.problems import InvalidInput
from samlad.tills import kiosk, leases, terminals
from samlad.tills.desk import Desk
from samlad.tills.model import Leased
from samlad.tills.rules_pack import PackedPart, RulesPack, goods_of, parts_of, rules_pack

PAGE_ROWS = 5_000
MOST_EVENTS, MOST_CHANGED = 2_000, 20_000
"""When more has happened since, it is quicker to begin anew."""
TYPES = ("product.created", "product.changed", "product.archived", "price.changed", "listing.changed")
WHOLE = ("channel.changed", "tax.rate_created", "tax.rate_changed", "tax.class_created")
"""After these everything may be otherwise."""

Scale = tuple[list[tuple[UUID, int, int]], list[str], bool, int | None, int | None, catalog.Measure]
Row = tuple[UUID, str, str | None, str, str, int, str, str | None, UUID, Scale]


class Tips(msgspec.Struct, frozen=True):
    """What is offered to be given for the staff: parts in percent, amounts in minor units."""

    percents: list[int]
    amounts: list[int]


class Kiosk(msgspec.Struct, frozen=True):
    """How customers serve themselves here. ``staff_marks``: goods with one of these marks need a look by staff;
    ``takes_cards``: the store has a terminal that the server talks to."""

    idle_seconds: int
    staff_marks: list[str]
    takes_cards: bool = False


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for the whole store. ``cash`` is what can be paid in coins."""

    code: str
    name: str
    lines: list[str]
    currency: str
    country: str
    time_zone: str
    locale: str
    tax_included: bool
    tax_rounding: str
    cash: payments.Coin
    receipt_footer: str
    tips: Tips | None
    kiosk: Kiosk
    scale_codes: list[str]
    tax_rates: dict[str, int]


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the pack. ``next``: the cursor of the page after it; ``upto``: what to ask with as ``since`` later.

    ``is_whole`` false: rows replace those of the same id. ``stock`` and ``lease``, (variant, units), come with the last page, and
    so do ``sets``: of each what is in one, as (variant, units), and ``parts``: what the rules need of all that is in any.
    """

    store: Annotated[Store | None, msgspec.Meta(description="With the first page")]
    rules: Annotated[RulesPack | None, msgspec.Meta(description="With the first page")]
    is_whole: bool
    rows: list[Row]
    gone: list[UUID]
    next: str | None
    upto: str
    at: datetime
    stock: list[tuple[UUID, int]] = []
    lease: list[Leased] = []
    sets: list[tuple[UUID, list[tuple[UUID, int]]]] = []
    parts: list[PackedPart] = []
    lease_ends: datetime | None = None


async def load(
    database: Database, desk: Desk, till: UUID | None, *, cursor: str | None = None, since: str | None = None
) -> Pack:
    """A page of everything, or with ``since`` what has changed after that; everything again where that is too much.

    Raises:
        InvalidInput: a cursor or position that did not come from here.
    """
    if since is not None and cursor is None:
        changed = await _changed(database, _position(since, "since"))
        if changed is not None:
            variants, upto = changed
            refs = await catalog.codes_of(database, variants)
            return await _page(
                database,
                desk,
                till,
                refs,
                gone=variants,
                upto=upto,
                following=None,
                is_whole=False,
                is_first=True,
            )
    start, upto = (None, await log.end(database)) if cursor is None else _cursor(cursor)
    pool = desk.channel.pools[Resource.CATALOGUE]
    refs = await catalog.page_of_codes(database, pool, start, PAGE_ROWS)
    following = f"{refs[-1].id}~{upto}" if len(refs) == PAGE_ROWS else None
    return await _page(
        database,
        desk,
        till,
        refs,
        gone=(),
        upto=upto,
        following=following,
        is_whole=True,
        is_first=start is None,
    )


def _position(text: str, field: str) -> Position:
    try:
        found = Position.parse(text)
    except ValueError:
        raise InvalidInput.at(field, "not a position that came from here") from None
    if not (0 <= found.xid < 2**63 and 0 <= found.seq < 2**63):
        raise InvalidInput.at(field, "not a position that came from here")
    return found


def _cursor(text: str) -> tuple[UUID, Position]:
    variant, _, upto = text.partition("~")
    try:
        return UUID(variant), _position(upto, "cursor")
    except ValueError:
        raise InvalidInput.at("cursor", "not a cursor that came from here") from None


async def _changed(database: Database, after: Position) -> tuple[list[UUID], Position] | None:
    """The variants that something was said about since; None where everything is to be read again."""
    events, upto = await log.read(database, after, limit=MOST_EVENTS, types=(*TYPES, *WHOLE))
    if len(events) == MOST_EVENTS or any(event.type in WHOLE for event in events):
        return None
    products = set(_named(events, "products"))
    variants = set(_named(events, "variants"))
    if products:
        variants |= set(await catalog.variants_of_products(database, sorted(products)))
    return None if len(variants) > MOST_CHANGED else (sorted(variants), upto)


def _named(events: Sequence[Event], field: str) -> Iterable[UUID]:
    return (UUID(each) for event in events for each in event.payload.get(field, ()))


async def _page(
    database: Database,
    desk: Desk,
    till: UUID | None,
    refs: Sequence[catalog.Codes],
    *,
    gone: Sequence[UUID],
    upto: Position,
    following: str | None,
    is_whole: bool,
    is_first: bool,
) -> Pack:
    variants = [ref.id for ref in refs]
    sold = await catalog.sellables(database, desk.channel, variants) if refs else {}
    goods = await goods_of(database, desk.channel, variants, now())
    rows: list[Row] = []
    for ref in refs:
        here = sold.get(ref.id)
        good = goods.get(ref.id)
        if here is not None and here.is_available and here.price is not None and good is not None:
            rows.append(
                (
                    ref.id,
                    ref.sku,
                    ref.gtin,
                    here.title,
                    here.options,
                    here.price,
                    here.tax_class,
                    here.image,
                    here.product,
                    (good.prices, good.marks, good.is_goods, good.sold_from, good.sold_to, good.sold_by),
                )
            )
    kept = {row[0] for row in rows}
    last: dict[str, Any] = {}
    if following is None:
        last["stock"] = await stock.free_at(database, desk.location.id)
        sets = await stock.sets_of(database, desk.channel.pools[Resource.CATALOGUE])
        last["sets"] = [(whole, list(parts.items())) for whole, parts in sets.items()]
        used = sorted({part for parts in sets.values() for part in parts})
        last["parts"] = await parts_of(database, desk.channel, used, now())
        if till is not None:
            lease = await leases.of_till(database, till)
            last |= {"lease": lease.lines, "lease_ends": lease.expires_at}
    return Pack(
        store=await _store(database, desk) if is_first else None,
        rules=await rules_pack(database, desk.channel, desk.location, now()) if is_first else None,
        is_whole=is_whole,
        rows=rows,
        gone=[variant for variant in gone if variant not in kept],
        next=following,
        upto=str(upto),
        at=now(),
        **last,
    )


async def _store(database: Database, desk: Desk) -> Store:
    channel, address = desk.channel, desk.location.address
    return Store(
        code=channel.code,
        name=channel.name,
        lines=[
            text for text in (address.get("lines"), address.get("postal_code"), address.get("city")) if text
        ],
        currency=channel.currency,
        country=channel.country,
        time_zone=channel.time_zone,
        locale=channel.locale,
        tax_included=bool(channel.setting("prices_include_tax")),
        tax_rounding=channel.setting("tax_rounding"),
        cash=payments.coin_of(channel, channel.currency),
        receipt_footer=channel.setting("receipt_footer"),
        tips=Tips(channel.setting("tip_percents"), channel.setting("tip_amounts"))
        if channel.setting("tips")
        else None,
        kiosk=Kiosk(
            channel.setting("kiosk_idle_seconds"),
            sorted(kiosk.staff_marks(await kiosk.staff_categories(database, channel))),
            terminals.is_here(channel),
        ),
        scale_codes=list(channel.setting("scale_codes")),
        tax_rates=await _rates(database, channel),
    )


async def _rates(database: Database, channel: Channel) -> dict[str, int]:
    """The rate of each tax class today, in basis points."""
    setup, day = await tax.current(database), local_day(now(), channel.time_zone)
    return {each.code: setup.home_rate(channel, each.code, day) for each in await tax.classes(database)}
