"""How full the slots of a delivery method are, on its page."""

import msgspec

from samlad.channels import Channel
from samlad.delivery import Method, store
from samlad.delivery.texts import day_words
from samlad.faces.page import AnyRequest, locale_of
from samlad.kernel.clock import now
from samlad.kernel.http import actor_of, database_of

DAYS = 3
MOST = 100
"""Slots of so many places are shown; who has more looks at each place's list of work."""


class SlotShown(msgspec.Struct, frozen=True, kw_only=True):
    """A slot of a place and day. ``capacity`` None: for any number; ``end`` None: the method does not offer it any more."""

    place: str
    code: str
    day: str
    start: str
    end: str | None
    orders: int
    capacity: int | None

    @property
    def is_full(self) -> bool:
        """Whether nobody else can have it."""
        return self.capacity is not None and self.orders >= self.capacity


async def slots_shown(request: AnyRequest, method: Method, channel: Channel) -> list[SlotShown]:
    """What is taken of the slots of today and the next days, at the places that a reader deals with. One statement; none for a
    method without slots."""
    if not method.slots:
        return []
    database, actor = database_of(request), actor_of(request)
    found = await store.slot_loads(
        database, method.id, now(), days=DAYS, most=MOST, locations=actor.locations
    )
    offered = {slot.start: slot for slot in method.slots}
    return [
        SlotShown(
            place=each.name,
            code=each.code,
            day=day_words(each.day, each.today, locale_of(request), channel.country),
            start=each.start,
            end=offered[each.start].end if each.start in offered else None,
            orders=each.orders,
            capacity=offered[each.start].capacity if each.start in offered else None,
        )
        for each in found
    ]
