"""The steps of setting up a shop, and how far it is: read from what there is, never from what somebody ticked."""

from collections.abc import Sequence
from typing import Any

import msgspec

from samlad import books, channels, content, delivery, documents, orders, stock, tax
from samlad.access import staff as people
from samlad.access.permissions import STAFF_WRITE
from samlad.catalog import permissions as catalog_permissions
from samlad.catalog.product_store import PRODUCTS
from samlad.channels import Channel, ChannelKind, Resource
from samlad.channels.permissions import CHANGE as CHANNELS
from samlad.content.permissions import PUBLISH
from samlad.delivery.permissions import CHANGE as DELIVERY
from samlad.documents.entities import look_up
from samlad.documents.permissions import ENTITIES
from samlad.kernel.clock import local_day, now
from samlad.kernel.context import Actor
from samlad.kernel.database import Database
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery
from samlad.stock import Location
from samlad.stock.permissions import LOCATIONS
from samlad.tax.permissions import CHANGE as TAX

OPEN, LATER = "storefront_open", "setup_later"
"""Settings of the shop's channel: whether strangers may come in, and which steps were put off."""


class Step(msgspec.Struct, frozen=True):
    """A step: what it is called, what it is for, and which permissions it takes."""

    key: str
    title: str
    text: str
    icon: str
    permissions: tuple[str, ...] = ()


STEPS: tuple[Step, ...] = (
    Step(
        "shop", marked("Name your shop"), marked("Its name and country. The rest follows from these."),
        "store", (CHANNELS,),
    ),
    Step(
        "place", marked("Say where your goods are"), marked("A store with its opening hours, or a warehouse."),
        "pin", (LOCATIONS, CHANNELS),
    ),
    Step(
        "product", marked("Put something on the shelf"),
        marked("A first product, a file with all of them, or examples to try."),
        "products", (catalog_permissions.CHANGE, catalog_permissions.PRICES),
    ),
    Step(
        "payment", marked("Decide how customers pay"), marked("Card, invoice, bank transfer."),
        "card", (CHANNELS,),
    ),
    Step(
        "delivery", marked("Decide how goods reach them"), marked("Sent home, or picked up with you."),
        "truck", (DELIVERY,),
    ),
    Step(
        "seller", marked("Say who sells"), marked("The company on receipts and invoices."),
        "user", (ENTITIES,),
    ),
    Step(
        "tax", marked("Check the tax"), marked("The rates of your country are here already."),
        "receipt", (TAX, CHANNELS),
    ),
    Step(
        "brand", marked("Show your colours"), marked("Your logo, and the colour of buttons."),
        "image", (PUBLISH,),
    ),
    Step(
        "till", marked("Try the till"), marked("Any tablet or computer with a browser is one."),
        "till", (orders.PLACE,),
    ),
    Step(
        "staff", marked("Invite a colleague"), marked("Everybody signs in as themselves."),
        "user", (STAFF_WRITE,),
    ),
    Step(
        "sale", marked("Make a test sale"), marked("See your shop as a customer sees it."),
        "cart",
    ),
    Step(
        "open", marked("Open the shop"), marked("From then on everybody can buy."),
        "globe", (CHANNELS,),
    ),
)  # fmt: skip
KEYS = tuple(step.key for step in STEPS)
NEEDED = frozenset({"shop", "product", "place", "payment", "delivery"})
"""Without these nobody can buy."""
NOT_PUT_OFF = frozenset({"shop", "open"})


class Facts(msgspec.Struct, frozen=True):
    """How far a shop is: its channel, its places, which steps are done, which were put off."""

    shop: Channel | None = None
    places: Sequence[Location] = ()
    done: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()

    @property
    def is_open(self) -> bool:
        """Whether strangers may come in."""
        return self.shop is not None and bool(self.shop.setting(OPEN))

    @property
    def lacking(self) -> list[Step]:
        """What nobody can buy without, and is not there."""
        return [step for step in STEPS if step.key in NEEDED and step.key not in self.done]


class Standing(msgspec.Struct, frozen=True):
    """A step and how it stands with it."""

    step: Step
    is_done: bool
    is_later: bool
    may: bool


def shop_of(known: Sequence[Channel]) -> Channel | None:
    """The webshop that is being set up: one that says whether it is open, else the first one made."""
    shops = [channel for channel in known if channel.kind is ChannelKind.WEBSHOP]
    return min(shops, key=lambda one: (OPEN not in one.own.settings, one.created_at), default=None)


def is_under_way(known: Sequence[Channel]) -> bool:
    """Whether a shop is being set up by this path. One that was made in another way is not pestered."""
    if not known:
        return True
    shop = shop_of(known)
    return shop is not None and OPEN in shop.own.settings


def standings(facts: Facts, actor: Actor) -> list[Standing]:
    """Every step with how it stands, in order. What needs a shop waits for it."""
    return [
        Standing(
            step=step,
            is_done=step.key in facts.done,
            is_later=step.key in facts.later and step.key not in facts.done,
            may=all(actor.may(each) for each in step.permissions)
            and (facts.shop is not None or step.key == "shop"),
        )
        for step in STEPS
    ]


def next_step(found: Sequence[Standing], after: str | None = None) -> Standing | None:
    """The step to go on with: the first after ``after`` that is neither done nor put off, else the first at all."""
    place = KEYS.index(after) + 1 if after in KEYS else 0
    ordered = [*found[place:], *found[:place]]
    return next((one for one in ordered if one.may and not one.is_done and not one.is_later), None)


async def facts_of(database: Database) -> Facts:
    """How far the shop is. A statement or two for each step, so it is asked only while a shop is being set up."""
    shop = shop_of(await channels.cached_all(database))
    if shop is None:
        return Facts()
    pool = shop.pools[Resource.STOCK]
    places = [each for each in await stock.locations(database) if each.pool == pool and each.is_active]
    done = {
        "shop": True,
        "place": bool(places),
        "payment": bool(shop.setting("payment_providers")),
        "delivery": any(each.is_active for each in await delivery.methods_of(database, shop)),
        "open": bool(shop.setting(OPEN)),
        "staff": len(await people.everybody(database)) > 1,
        "product": await _has_product(database, shop),
        "seller": await _has_seller(database, shop),
        "tax": await _has_tax(database, shop),
        "brand": await _has_brand(database, shop),
        "till": any([await books.drawers(database, each.id) for each in places if each.channel]),
        "sale": bool((await orders.LISTING.page(database, ListQuery(limit=1))).items),
    }
    return Facts(
        shop=shop,
        places=places,
        done=frozenset(key for key, is_so in done.items() if is_so),
        later=frozenset(shop.setting(LATER)),
    )


async def _has_product(database: Database, shop: Channel) -> bool:
    query = ListQuery(limit=1, filters={"status": "active"})
    return bool((await PRODUCTS.page(database, query, [shop.pools[Resource.CATALOGUE]])).items)


async def _has_seller(database: Database, shop: Channel) -> bool:
    found: documents.Entity | None = await look_up(database, shop)
    return found is not None and bool(found.line1 and found.city)


async def _has_tax(database: Database, shop: Channel) -> bool:
    setup = await tax.current(database)
    today = local_day(now(), shop.time_zone)
    return bool(setup.registered(shop, today)) or "tax_scheme" in shop.settings


async def _has_brand(database: Database, shop: Channel) -> bool:
    own = (await content.kit_of(database, shop.code)).brand
    return bool(own.logo or own.light.accent)


async def card(database: Database, actor: Actor) -> dict[str, Any] | None:
    """What the overview says of setting up: how far it is, and what comes next. None when there is nothing to say."""
    if not is_under_way(await channels.cached_all(database)):
        return None
    facts = await facts_of(database)
    found = standings(facts, actor)
    following = next_step(found)
    if following is None:
        return None
    return {"next": following, **progress(facts, found)}


def progress(facts: Facts, found: Sequence[Standing]) -> dict[str, Any]:
    """How much is done, of those steps that the reader may do or that are done."""
    mine = [one for one in found if one.may or one.is_done or facts.shop is None]
    return {"done": sum(one.is_done for one in mine), "of": len(mine)}
