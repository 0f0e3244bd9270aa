"""What a till takes along for a day: few people, as little of each as can be, and gone when they are."""

from typing import Any
from uuid import uuid4

import msgspec
import pytest

from samlad import channels, credit, customers
from samlad.access import clerks, pins, staff
from samlad.access.permissions import Role, permissions_of
from samlad.access.staff import StaffInput
from samlad.channels import ChannelChange, Resource
from samlad.credit import ProgrammeInput
from samlad.customers import PersonInput
from samlad.kernel.context import Actor, Context
from samlad.promotions import service as promotion_service
from samlad.promotions.model import PromotionInput
from samlad.tills import day
from samlad.tills.desk import Desk
from trade import Trade


async def test_members_who_were_here_come_along_and_nobody_else(trade: Trade) -> None:
    data = msgspec.convert({"channel": str(trade.web.id), "name": "Club", "rates": []}, ProgrammeInput)
    await trade.db.transaction(lambda tx: credit.set_programme(tx, data))
    kettle = await trade.kettle(quantity=30, at=trade.at_malmo)
    pool = trade.malmo.pools[Resource.CUSTOMERS]

    async def person(name: str, phone: str | None = None) -> Any:
        wanted = PersonInput(email=f"{uuid4()}@example.org", name=name, phone=phone)
        return (await trade.db.transaction(lambda tx: customers.find_or_create(tx, pool, wanted))).id

    async def bought(who: Any) -> None:
        cart = await trade.cart((kettle, 1), channel=trade.malmo, delivery="carry_out", customer=str(who))
        await trade.place(cart.id)

    kim, ann, sam = await person("Kim Berg", "+46 70 123 45 67"), await person("Ann"), await person("Sam")
    codes = {}
    for who in (kim, ann):
        member = await trade.db.transaction(lambda tx, who=who: credit.enrol(tx, who))
        codes[who] = member.code
    for who in (kim, sam):  # Ann is a member, but was never here; Sam was, but is none
        await bought(who)
    terms = {"effect": {"kind": "percent", "percent": 1_000}}
    values = {"channel": str(trade.malmo.id), "name": "For Kim", "terms": terms, "is_automatic": False}
    offer = await trade.db.transaction(
        lambda tx: promotion_service.create(tx, msgspec.convert(values, PromotionInput))
    )
    await trade.db.rows(
        """INSERT INTO promotion_grant (holder, promotion, kind, source) VALUES ($1, $2, 'customer', 'shown')
           RETURNING 1""",
        kim,
        offer.id,
    )
    desk, till = Desk(trade.malmo, trade.at_malmo), uuid4()

    def clerk(*without: str) -> Actor:
        return Actor(
            kind="staff",
            id=uuid4(),
            permissions=permissions_of(Role.STORE) - set(without),
            locations=frozenset({trade.at_malmo.id}),
        )

    found = await day.load(trade.db, clerk(), desk, till)
    assert found.members is not None
    [member] = found.members
    assert (member.id, member.name, member.promotions) == (kim, "Kim Berg", [offer.id])
    assert member.code == day.hashed(str(till), codes[kim])
    assert member.phone == day.hashed(str(till), "01234567") == day.phone_key(str(till), "070-123 45 67")
    text = msgspec.json.encode(found).decode()
    assert "example.org" not in text
    assert "1234567" not in text
    assert codes[kim] not in text
    # The sales were paid by card: no cash goes back for them without network.
    assert found.receipts == []
    assert (await day.load(trade.db, clerk("customers.read"), desk, till)).members is None
    other = await day.load(trade.db, clerk("orders.read"), desk, uuid4())
    assert other.members is not None
    assert other.members[0].code != member.code  # a hash is good on one till
    # Somebody who is no member any more, by erasure for one, is gone at the next contact.
    await trade.db.rows("DELETE FROM loyalty_member WHERE customer = $1 RETURNING 1", kim)
    assert (await day.load(trade.db, clerk(), desk, till)).members == []


PINS = {"Ada": "814626", "Bo": "4071", "Cy": "5390", "Di": "92714058"}
"""Bo wears a badge, too; how long Di's PIN is was not kept when she chose it."""


@pytest.mark.parametrize(
    ("setting", "kind", "carried"),
    [
        (None, "staff", {"Ada"}),
        ("long", "staff", {"Ada"}),
        ("all", "staff", {"Ada", "Bo", "Cy", "Di"}),
        ("none", "staff", set()),
        (None, "kiosk", {"Ada"}),
        ("all", "kiosk", {"Ada"}),
        ("none", "kiosk", set()),
    ],
)
async def test_only_pins_that_are_not_soon_tried_through_come_along(
    trade: Trade, setting: str | None, kind: str, carried: set[str]
) -> None:
    for name, pin in PINS.items():
        wanted = StaffInput(email=f"{name.lower()}@example.org", name=name, roles=[Role.STORE])
        made = await trade.db.transaction(lambda tx, wanted=wanted: staff.add(tx, wanted, "active"))
        await pins.set_pin(trade.db, Context(actor=Actor(kind="staff", id=made.id, name=name)), pin)
        if name == "Bo":
            await trade.db.transaction(lambda tx, who=made.id: clerks.make_badge(tx, who))
    unknown = (
        "UPDATE staff_pin SET digits = NULL FROM staff s WHERE s.id = staff AND s.name = 'Di' RETURNING 1"
    )
    assert len(await trade.db.rows(unknown)) == 1
    channel = trade.malmo
    if setting is not None:
        given = ChannelChange(settings={"till_pins": setting})
        channel = await trade.db.transaction(lambda tx: channels.change(tx, channel.id, given))
    here = frozenset({trade.at_malmo.id})
    actor = Actor(kind=kind, id=uuid4(), permissions=permissions_of(Role.STORE), locations=here)
    found = await day.load(trade.db, actor, Desk(channel, trade.at_malmo), uuid4())
    assert {each.name for each in found.clerks if each.pin} == carried
    assert {each.name for each in found.clerks if each.badge} == {"Bo"}
    # Of a kiosk only who can unlock it is known, and nothing of what they may do elsewhere.
    assert {each.name for each in found.clerks} == ({"Bo", *carried} if kind == "kiosk" else set(PINS))
    assert any(each.may for each in found.clerks) == (kind == "staff")
    assert found.is_kiosk == (kind == "kiosk")
    assert found.pins == ("long" if kind == "kiosk" and setting == "all" else setting or "long")
    text = msgspec.json.encode(found).decode()
    for name in PINS.keys() - carried:
        check = await trade.db.value(
            "SELECT till_check FROM staff_pin n JOIN staff s ON s.id = n.staff WHERE s.name = $1", name
        )
        assert str(check).split("$")[-1] not in text, name


def test_names_are_called_out_in_short() -> None:
    assert [day.short_name(name) for name in ("Kim Berg", "Kim", "Kim van der Berg", "", None)] == [
        "Kim B.",
        "Kim",
        "Kim v.",
        "",
        "",
    ]
