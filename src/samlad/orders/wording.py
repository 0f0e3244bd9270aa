"""An order in its reader's language: its lines keep the names of the channel's language, in which they were bought."""

from typing import TypeVar
from uuid import UUID

import msgspec

from samlad import catalog, channels
from samlad.kernel.database import Database, Tx
from samlad.orders.model import Order, OrderLine

AnyOrder = TypeVar("AnyOrder", bound=Order)


async def spoken(reader: Database | Tx, order: AnyOrder, locale: str) -> AnyOrder:
    """An order with its goods called as in the language of a locale. For who reads the channel's own language it is the order as it
    is, without a statement; so are lines of goods that are not in the catalogue (any more).
    """
    channel = await channels.cached(reader, order.channel)
    if catalog.language_of(locale) == catalog.language_of(channel.locale):
        return order
    asked = {line.variant for line in order.lines if line.variant is not None}
    asked |= {line.set_of.variant for line in order.lines if line.set_of is not None}
    if not asked:
        return order
    known = await catalog.names_in(reader, channel.id, sorted(asked), locale)
    return msgspec.structs.replace(order, lines=[_named(line, known) for line in order.lines])


def _named(line: OrderLine, known: dict[UUID, catalog.Named]) -> OrderLine:
    whole = line.set_of and known.get(line.set_of.variant)
    if line.set_of is not None and whole:
        its = msgspec.structs.replace(line.set_of, title=whole.title, options=whole.options)
        line = msgspec.structs.replace(line, set_of=its)
    name = known.get(line.variant) if line.variant is not None else None
    return line if name is None else msgspec.structs.replace(line, title=name.title, options=name.options)
