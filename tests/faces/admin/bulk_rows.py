"""A row or two in every list of the admin of which many can be picked."""

from typing import Any

import msgspec

from samlad import credit
from samlad.conversations import BeginInput, ReplyInput, saved
from samlad.conversations import service as conversations
from samlad.credit import IssueInput
from samlad.kernel import mailboxes
from samlad.kernel.bounces import Bounce
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.mailboxes import Sent
from samlad.promotions import service as promotions
from samlad.promotions.model import PromotionInput
from samlad.stock import purchases, suppliers
from samlad.stock.purchase_model import SupplierInput, WantedLine


async def fill(shop: Any) -> None:
    """Two rows each, some with long names."""
    order = await shop.buy("MUG-032")
    await shop.db.transaction(lambda tx: _fill(tx, shop, order.id))


async def _fill(tx: Tx, shop: Any, order: Any) -> None:
    web = shop.trade.web.id
    await _written(tx, web, order)
    for number, name in enumerate(("Thanks", "Opening hours of all of our stores at the weekend")):
        await saved.put(tx, ReplyInput(name=name, language="en", body=f"{name}."))
        await credit.issue(tx, IssueInput(channel=web, amount=1_000, note=name))
        terms = {"effect": {"kind": "percent", "percent": 1_000}}
        given = {"channel": str(web), "name": name, "is_automatic": True, "terms": terms}
        await promotions.create(tx, msgspec.convert(given, PromotionInput))
        asked = {"id": new_id(), "channel": web, "name": name[:20], "email": f"n{number}@w.example", "subject": name,
                 "body": "Is it open?", "topic": "other"}  # fmt: skip
        await conversations.begin(tx, msgspec.convert(asked, BeginInput))
        sent = Sent(
            recipient=f"{name.replace(' ', '-')}@example.org", person=None, channel=None, kind="order"
        )
        bounce = Bounce(
            mail=new_id(), is_permanent=number == 0, status="5.1.1", code=550, answer="No such user"
        )
        await mailboxes.mark(tx, sent, bounce)
    supplier = await suppliers.create(tx, SupplierInput(code="bodum", name="Bodum"))
    place = await tx.value("SELECT id FROM location ORDER BY id LIMIT 1")
    for _ in range(2):
        await purchases.draft(tx, supplier, place, [WantedLine(shop.variants["MUG-032"], 4, 100)])


async def _written(tx: Tx, web: Any, order: Any) -> None:
    """What comes from outside."""
    await tx.execute(
        """INSERT INTO review (id, product, variant, order_id, channel, language, stars, status, title, written_at)
           SELECT gen_random_uuid(), v.product, v.id, $2, $1, 'en', 4, 'waiting', v.sku, now() FROM variant v""",
        web,
        order,
    )
    await tx.execute(
        """INSERT INTO question (id, product, variant, channel, language, text, status, asked_at)
           SELECT gen_random_uuid(), v.product, v.id, $1, 'en', 'Does the ' || v.sku || ' fit on an induction hob?', 'waiting', now()
           FROM variant v""",
        web,
    )
    await tx.execute(
        """INSERT INTO inbound_mail (id, key, sender, name, subject, body, state, reason, received_at)
           SELECT gen_random_uuid(), decode(md5(s), 'hex'), s || '@example.org', s, 'About my parcel that did not come, ' || s,
                  'Hello', 'waiting', 'no-thread', now() FROM unnest(ARRAY['ada', 'bo']) AS s"""
    )
    await tx.execute(
        """INSERT INTO content_redirect (id, channel, source, target, is_permanent)
           SELECT gen_random_uuid(), $1, '/old-' || n, '/search', true FROM generate_series(1, 2) AS n""",
        web,
    )
