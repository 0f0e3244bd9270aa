"""What a till takes along for a day: few people, as little of each as can be, and gone when they are."""

from typing import Any
from uuid import uuid4

import msgspec

from samlad import credit, customers
from samlad.access.permissions import Role, permissions_of
from samlad.channels import Resource
from samlad.credit import ProgrammeInput
from samlad.customers import PersonInput
from samlad.kernel.context import Actor
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


def test_names_are_called_out_in_short() -> None:
    assert [day.short_name(name) for name in ("Kim Berg", "Kim", "Kim van der Berg", "", None)] == [
        "Kim B.",
        "Kim",
        "Kim v.",
        "",
        "",
    ]
