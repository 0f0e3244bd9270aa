"""What the server would have sold something at over the counter of a store: taxed where the store stands, which need not be where its
channel is at home. The till's rules decide the same (`samlad.tills.rules_pack`)."""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

import msgspec

from samlad import tax
from samlad.catalog.model import Sellable
from samlad.kernel.clock import local_day
from samlad.kernel.database import Tx
from samlad.tills import rules_pack
from samlad.tills.desk import Desk
from samlad.tills.rules_pack import PackedTax, Span


async def there(tx: Tx, desk: Desk, sold: Mapping[UUID, Sellable], at: datetime) -> dict[UUID, Sellable]:
    """The same goods with the rate that is due there at a moment, and the price that it makes of the one at home (none for a set whose
    parts' prices move: its parts say what it comes to)."""
    both = [part.sold for each in sold.values() for part in each.parts]
    classes = sorted({each.tax_class for each in (*sold.values(), *both)})
    place = await rules_pack.territory_of(tx, desk.channel, desk.location)
    packed = rules_pack.pack_tax(desk.channel, await tax.current(tx), place, classes, at)
    day = local_day(at, desk.channel.time_zone)
    return {variant: _moved(each, packed, day) for variant, each in sold.items()}


def _moved(one: Sellable, packed: PackedTax, day: date) -> Sellable:
    parts = tuple(msgspec.structs.replace(part, sold=_moved(part.sold, packed, day)) for part in one.parts)
    span = _span(packed, one, day)
    price = one.price
    if price is not None and one.tax_included and (rate := _quoted(packed, span)) != span.home:
        price = None if parts else tax.moved(price, span.home, rate)
    return msgspec.structs.replace(one, price=price, tax_rate=span.decision.rate, parts=parts)


def _span(packed: PackedTax, one: Sellable, day: date) -> Span:
    spans = packed.classes[f"{one.tax_class}/{'goods' if one.requires_shipping else 'service'}"]
    return next((span for span in reversed(spans) if span.since <= day), spans[0])


def _quoted(packed: PackedTax, span: Span) -> int:
    """The rate that is in prices as they are shown: that at home, or where net prices stay the one that is due."""
    decision = span.decision
    is_at_home = decision.country == packed.country and decision.rate > 0
    return (
        decision.rate if tax.keeps_net(packed.foreign_price, decision.rate) and not is_at_home else span.home
    )
