"""How the demo's goods get to customers: by post, from a store, and near the stores by bike at a time that one chooses."""

from itertools import pairwise

from samlad import delivery
from samlad.delivery import FlatRate, MethodInput, MethodKind, Slot, Zone
from samlad.delivery.model import Calendar
from samlad.kernel.database import Tx

POST, BIKE = 395, 595
"""Pence."""
HOURS = ("10:00", "12:00", "14:00", "16:00", "18:00", "20:00")
BIKES = 4
"""Orders that a store can bring in two hours."""


async def offer(tx: Tx, channel: str) -> None:
    """Make the delivery methods of a new channel; its stores inherit them."""
    for method in (
        MethodInput(
            channel=channel,
            code="post",
            kind=MethodKind.SHIP,
            name="Post",
            names={"sv": "Post", "nl": "Post"},
            zones=[Zone(transit_min=2, transit_max=4)],
            rate=FlatRate(price=POST),
            position=1,
        ),
        MethodInput(
            channel=channel,
            code="collect",
            kind=MethodKind.PICKUP,
            name="Collect in a store",
            names={"sv": "Hämta i butik", "nl": "Afhalen in een winkel"},
            position=2,
        ),
        MethodInput(
            channel=channel,
            code="bike",
            kind=MethodKind.SAME_DAY,
            name="Bike, at your time",
            names={"sv": "Cykelbud, på din tid", "nl": "Fietskoerier, op jouw tijd"},
            zones=[Zone(countries=["US"], transit_min=0, transit_max=0)],
            rate=FlatRate(price=BIKE),
            calendar=Calendar(weekdays=[1, 2, 3, 4, 5, 6, 7]),
            pick_minutes=30,
            pack_minutes=10,
            slots=[Slot(start=start, end=end, capacity=BIKES) for start, end in pairwise(HOURS)],
            position=3,
        ),
    ):
        await delivery.create_method(tx, method)
