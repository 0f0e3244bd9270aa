"""What a till takes along for a day beside its goods: members of this store, orders that wait to be picked up, receipts whose goods
may come back, and its drawers. Small, and sent anew as a whole whenever it has changed: who was erased here is gone there.

People are carried as little as can be: members of the loyalty programme (who joined to be known at tills) that bought in this
store lately, by name; their number and phone number only as hashes, to be found by whoever tells them.
`docs/decisions/till-customers.md` says why.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from samlad import books, credit, customers, orders
from samlad.access import clerks
from samlad.access.clerks import OnTill, TillCheck
from samlad.books import till_rules
from samlad.carts.permissions import DISCOUNT, DISCOUNT_ANY
from samlad.channels import Resource
from samlad.kernel.clock import now
from samlad.kernel.context import Actor
from samlad.kernel.database import Database
from samlad.tills import day_store, gift_cards, key_store, signed
from samlad.tills.day_store import Receipt
from samlad.tills.desk import Desk

MOST_MEMBERS, MOST_RECEIPTS, MOST_KEYS = 5_000, 2_000, 200
RECEIPT_DAYS, MONTH = 30, timedelta(days=30)
ACTS = {
    "discount": DISCOUNT,
    "discount-any": DISCOUNT_ANY,
    "returns": orders.CHANGE,
    "returns-any": orders.OVERRIDE,
    "pick-ups": orders.CHANGE,
    "drawer": books.TILL,
    "customer-new": customers.CHANGE,
}
"""What a till without network asks of whoever is on, and the permission that the server asks for the same."""
PHONE_DIGITS = 8
"""Of a phone number its last digits are hashed: those are the same however it is written."""


class Member(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A member: ``code`` and ``phone`` are hashes, ``promotions`` what they were granted."""

    id: UUID
    name: str
    code: str
    phone: str | None
    group: str | None
    promotions: list[UUID]


class PickUp(msgspec.Struct, frozen=True, kw_only=True):
    """An order that waits here. ``code`` is the hash of what its customer shows; lines are (title, pieces)."""

    id: UUID
    number: str
    name: str
    state: str
    code: str | None
    pick_up_by: datetime | None
    lines: list[tuple[str, int]]


class DayClerk(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who can be on: how their PIN is checked, their badge's hash, and what they may do here (`ACTS`).

    ``pin`` null: they have none, or it is none that is carried (`Day.pins`).
    """

    id: UUID
    name: str
    pin: TillCheck | None
    badge: str | None
    may: list[str]


class DayCard(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A gift card that was looked up here: its hash (good on one till), and what was on it (minor units)."""

    key: str
    available: int


class DayKey(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A key of a till of this store, with which its receipts are checked: beginning of its numbers, public half (base64url), and since
    when it is replaced or taken back (seconds since 1970)."""

    kid: str
    till: str
    public: str
    replaced: int | None
    revoked: int | None


class OpenDrawer(msgspec.Struct, frozen=True, kw_only=True):
    """A drawer that is open, or was, with what lies in it if it is closed (minor units)."""

    name: str
    shift: UUID | None
    left_in: int | None


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """What a till takes along for a day. ``members`` null: whoever is signed in may not see customers.

    ``forget_days``: after so many days without contact the till forgets the people. ``discount_limit`` is in percent.
    ``pins``: which PINs are in it: long, all or none. ``is_kiosk``: it is what a kiosk may carry.
    """

    salt: str
    members: list[Member] | None
    forget_days: int
    pick_ups: list[PickUp]
    receipts: list[Receipt]
    keys: list[DayKey]
    drawers: list[OpenDrawer]
    pieces: list[int]
    discount_limit: int
    clerks: list[DayClerk]
    pins: str
    is_kiosk: bool
    card_limit: int
    cards: list[DayCard]
    lock_seconds: int
    at: datetime


async def load(database: Database, actor: Actor, desk: Desk, till: UUID) -> Day:
    """What a till takes along; what the actor may not see is not in it. Nine statements.

    A kiosk gets members without names, and no orders, receipts or drawers; of staff who can unlock it by badge or long PIN.
    """
    channel, place, salt = desk.channel, desk.location, str(till)
    may_see, is_kiosk = actor.may(orders.READ, place.id), actor.kind == "kiosk"
    limit = int(channel.setting("till_gift_card_limit"))
    pins = pins_of(str(channel.setting("till_pins")), is_kiosk)
    months = int(channel.setting("till_customer_months"))
    members: list[Member] | None = None
    if is_kiosk or actor.may(customers.READ):
        since = now() - months * MONTH
        pool = channel.pools[Resource.CUSTOMERS]
        rows = await day_store.members(database, channel.id, pool, since, MOST_MEMBERS) if months else []
        members = [_unnamed(row, salt) if is_kiosk else _member(row, salt) for row in rows]
    staff = [
        _clerk(each, place.id, salt, pins)
        for each in await clerks.who_can_be_on(database, orders.PLACE, place.id)
        if actor.locations is None or place.id in actor.locations
    ]
    opened = {shift.till_name: shift.id for shift in await books.open_shifts(database, place.id)}
    return Day(
        salt=salt,
        members=members,
        forget_days=int(channel.setting("till_customer_days")),
        pick_ups=[_pick_up(row, salt) for row in await day_store.pick_ups(database, place.id)]
        if may_see
        else [],
        receipts=await day_store.receipts(
            database, channel.id, now() - timedelta(days=RECEIPT_DAYS), MOST_RECEIPTS
        )
        if may_see
        else [],
        keys=[_key(row) for row in await key_store.signers(database, place.id, MOST_KEYS)] if may_see else [],
        drawers=[
            OpenDrawer(
                name=one.name,
                shift=opened.get(one.name),
                left_in=None if one.name in opened else one.left_in,
            )
            for one in await books.drawers(database, place.id)
        ]
        if not is_kiosk
        else [],
        pieces=list(till_rules.denominations(channel.currency)),
        discount_limit=int(channel.setting("discount_limit")),
        clerks=_of_kiosk(staff) if is_kiosk else staff,
        pins=pins,
        is_kiosk=is_kiosk,
        card_limit=limit,
        cards=[
            DayCard(key=hashed(salt, each.code_hash), available=each.available)
            for each in await gift_cards.known(
                database, place.id, channel.pools[Resource.CUSTOMERS], channel.currency
            )
        ]
        if limit and (is_kiosk or actor.may(credit.PAY))
        else [],
        lock_seconds=int(channel.setting("till_lock_seconds")),
        at=now(),
    )


def _key(row: key_store.SignerRow) -> DayKey:
    replaced, revoked = (
        None if each is None else int(each.timestamp()) for each in (row.replaced_at, row.revoked_at)
    )
    public = signed.text_of(row.public)
    return DayKey(kid=row.kid, till=row.till_code, public=public, replaced=replaced, revoked=revoked)


def hashed(salt: str, text: str) -> str:
    """What a till looks something up by: the first half of SHA-256 over salt and text, hex."""
    return hashlib.sha256(f"{salt}{text}".encode()).hexdigest()[:32]


def phone_key(salt: str, phone: str | None) -> str | None:
    """Of a phone number its last digits, hashed; None for one that is too short."""
    digits = "".join(sign for sign in phone or "" if sign in "0123456789")
    return hashed(salt, digits[-PHONE_DIGITS:]) if len(digits) >= PHONE_DIGITS else None


def short_name(name: str | None) -> str:
    """A name as it is called out at a counter: “Kim B.”."""
    first, *rest = (name or "").split()[:2] or [""]
    return f"{first} {rest[0][0]}." if rest else first


def _member(row: day_store.MemberRow, salt: str) -> Member:
    return Member(
        id=row.id,
        name=row.name,
        code=hashed(salt, row.code),
        phone=phone_key(salt, row.phone),
        group=row.group_name,
        promotions=row.promotions,
    )


def _unnamed(row: day_store.MemberRow, salt: str) -> Member:
    """A member as a kiosk knows them: by the code that they show, and without a name or number for whoever stands there."""
    return msgspec.structs.replace(_member(row, salt), name="", phone=None)


def pins_of(setting: str, is_kiosk: bool) -> str:
    """Which PINs a device carries, of long, all and none. A kiosk stands in reach of customers: never short ones."""
    return "long" if is_kiosk and setting == "all" else setting


def _clerk(found: OnTill, place: UUID, salt: str, pins: str) -> DayClerk:
    is_carried = pins == "all" or (pins == "long" and found.has_long_pin)
    return DayClerk(
        id=found.id,
        name=found.name,
        pin=clerks.read_check(found.till_check) if is_carried else None,
        badge=None if found.badge is None else clerks.badge_key(salt, found.badge),
        may=[act for act, permission in ACTS.items() if found.actor.may(permission, place)],
    )


def _of_kiosk(staff: Sequence[DayClerk]) -> list[DayClerk]:
    """Of staff what a kiosk needs to be unlocked: who can do so there, and nothing of what they may elsewhere."""
    return [msgspec.structs.replace(each, may=[]) for each in staff if each.pin or each.badge]


def _pick_up(row: day_store.PickUpRow, salt: str) -> PickUp:
    return PickUp(
        id=row.id,
        number=row.number,
        name=short_name(row.name),
        state=row.state,
        code=None if row.code is None else hashed(salt, f"{row.id}{row.code}"),
        pick_up_by=row.pick_up_by,
        lines=row.lines,
    )
