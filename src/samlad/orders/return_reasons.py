"""Why things come back, how they are then, and how long they may: the shop's own tables over sensible defaults."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from samlad.access import audit
from samlad.channels import Channel, ChannelKind, Resource
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput, NotFound
from samlad.orders import change_store as rows
from samlad.orders import return_windows
from samlad.orders.change_model import (
    Condition,
    Disposition,
    ReturnReason,
    ReturnReasonInput,
    Terms,
    Window,
    WindowInput,
)
from samlad.orders.model import OrderHead
from samlad.orders.permissions import OVERRIDE

DEFAULTS: tuple[ReturnReason, ...] = tuple(
    ReturnReason(code=code, name=name, restock=restock, ships=ships, photo=photo, position=position)
    for position, (code, name, restock, ships, photo) in enumerate(
        (
            ("changed_mind", "Changed their mind", True, "customer", False),
            ("wrong_size", "Wrong size", True, "customer", False),
            ("damaged", "Damaged on the way", False, "shop", True),
            ("defective", "Does not work", False, "shop", True),
            ("wrong_item", "Not what was ordered", True, "shop", True),
            ("late", "Came too late", True, "shop", False),
            ("other", "Another reason", True, "customer", False),
        ),
        1,
    )
)
"""What a pool has until somebody changes it."""

_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
WITHDRAWAL_DAYS = 14
"""Right of withdrawal at a distance (Directive 2011/83/EU, article 9), from the day the goods are received."""
EU = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "HR",
        "CY",
        "CZ",
        "DK",
        "EE",
        "FI",
        "FR",
        "DE",
        "GR",
        "HU",
        "IE",
        "IT",
        "LV",
        "LT",
        "LU",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SK",
        "SI",
        "ES",
        "SE",
        "IS",
        "LI",
        "NO",
    ]  # with the EEA
)
_IN_PERSON = (ChannelKind.STORE,)


async def reasons(reader: Reader, pool: UUID) -> dict[str, ReturnReason]:
    """The reasons of a pool of orders by code, in their order."""
    own = await rows.reasons(reader, pool)
    return {reason.code: reason for reason in own or DEFAULTS}


async def set_reason(tx: Tx, pool: UUID, code: str, data: ReturnReasonInput) -> ReturnReason:
    """Add a reason to a pool, or say what one is now.

    Raises:
        InvalidInput: the code is not one.
    """
    tx.actor.require(OVERRIDE, shop_wide=True)
    if not _CODE.fullmatch(code):
        raise InvalidInput.at(
            "code", "a small letter, then small letters, digits and underscores; at most 40"
        )
    before = (await reasons(tx, pool)).get(code)
    await rows.seed_reasons(tx, pool, DEFAULTS)
    reason = ReturnReason(code=code, **msgspec.structs.asdict(data))
    await rows.put_reason(tx, pool, reason)
    audit.record(tx, "return-reason.set", "pool", pool, before=before, after=reason)
    return reason


async def set_window(tx: Tx, pool: UUID, data: WindowInput) -> list[Window]:
    """Say how long a product, or what a country's customers bought, may come back; all windows of the pool then.

    Raises:
        InvalidInput: neither a country nor a product, or an unknown product.
    """
    tx.actor.require(OVERRIDE, shop_wide=True)
    if data.country is None and data.product is None:
        raise InvalidInput.at(
            "country", "a country, a product or both; for all there is the setting return_days"
        )
    if data.days is not None and not await rows.put_window(tx, new_id(), pool, data):
        raise NotFound("There is no such product.")
    if data.days is None:
        await rows.remove_window(tx, pool, data)
    audit.record(tx, "return-window.set", "pool", pool, after=data)
    return await rows.windows(tx, pool)


def days_of(windows: Sequence[Window], channel: Channel, country: str | None, product: UUID | None) -> int:
    """How many days hold: product and country, product, country, else the channel's. What is sold at a distance in the
    EU can be returned for 14 days at least, unless the product has a window of its own (article 16 has exceptions)."""
    found = {(window.country, window.product): window.days for window in windows}
    for key in ((country, product), (None, product)):
        if product is not None and key in found:
            return found[key]
    days = (
        found.get((country, None), channel.setting("return_days"))
        if country
        else channel.setting("return_days")
    )
    return max(int(days), WITHDRAWAL_DAYS) if _is_at_distance(channel, country) else int(days)


def _is_at_distance(channel: Channel, country: str | None) -> bool:
    """Whether what a channel sells to a country has the right of withdrawal."""
    return channel.kind not in _IN_PERSON and (country or channel.country) in EU


async def terms(
    reader: Reader, head: OrderHead, channel: Channel, products: Mapping[int, UUID]
) -> dict[int, Terms]:
    """Until when each line (by position, with its product) may come back; without a day while it has not left."""
    windows = await rows.windows(reader, head.pool)
    handed = await rows.handed_over(reader, head.id)
    zones = return_windows.zones_of(head.country, channel)
    country = (head.country or channel.country) if _is_at_distance(channel, head.country) else None

    def terms_of(position: int, product: UUID) -> Terms:
        days = days_of(windows, channel, head.country, product)
        left = handed.get(position) or (head.placed_at if head.imported is not None else None)
        if left is None:
            return Terms(days=days, last_day=None)
        by_law = country if days else None  # no window (article 16 has exceptions) is not made longer
        last = return_windows.last_day(left, days, zones, withdrawal_in=by_law)
        has_right = by_law is not None and days >= WITHDRAWAL_DAYS and head.vat_number is None
        until = return_windows.last_day(left, WITHDRAWAL_DAYS, zones, withdrawal_in=by_law)
        return Terms(days=days, last_day=last, withdrawal_until=until if has_right else None)

    # Beside the event loop: the first look at a country's holidays takes a second.
    return await asyncio.to_thread(lambda: {each: terms_of(each, products[each]) for each in products})


def disposition(
    reason: ReturnReason | None, condition: Condition | None, restock: bool | None, channel: Channel
) -> Disposition:
    """Where goods go: what was said, else what the condition means in the channel, else what the reason says."""
    if restock is True:
        return Disposition.SELL
    if condition is not None:
        is_new = condition is Condition.NEW
        known = Disposition.SELL if is_new else Disposition(channel.setting(f"return_{condition}"))
        return Disposition.QUARANTINE if restock is False and known is Disposition.SELL else known
    if restock is False:
        return Disposition.NOWHERE
    return Disposition.SELL if reason is None or reason.restock else Disposition.QUARANTINE


def pool_of(channel: Channel) -> UUID:
    """The pool of orders of a channel."""
    return channel.pools[Resource.ORDERS]
