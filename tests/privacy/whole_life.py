"""One person who has done everything that there is to do with a shop, through the real verbs, and somebody else beside."""

import io
from datetime import timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from authenticator import Authenticator
from desk import Desk
from fake_stripe import KEYS, FakeStripe
from PIL import Image
from selling import Till
from silo import build_silo

from account_people import Post
from fake_bank import FakeBank
from samlad import (
    accounts,
    alerts,
    appointments,
    carts,
    channels,
    clienteling,
    conversations,
    credit,
    customers,
    orders,
    payments,
    questions,
    reviews,
    subscriptions,
)
from samlad.access.passkeys import Site
from samlad.access.permissions import Role, permissions_of
from samlad.accounts import passkeys
from samlad.carts import Address, LineInput, paying
from samlad.channels import Resource
from samlad.channels.model import Interval, OpeningHours
from samlad.content import photograph_store, photographs
from samlad.credit.model import GrantInput
from samlad.customers import PersonInput
from samlad.documents import IssueInput, PaperInput, issue, papers
from samlad.identity import MergeInput, deciding
from samlad.kernel import followers, mailboxes
from samlad.kernel.bounces import Bounce
from samlad.kernel.clock import local_day, now
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.followers import Follower
from samlad.kernel.log import Event
from samlad.kernel.mailboxes import Sent
from samlad.kernel.settings import Settings
from samlad.kernel.vault import Vault
from samlad.orders import return_announce
from samlad.orders.return_model import AnnounceInput
from samlad.payments import PaymentInput, stripe
from samlad.subscriptions import PlanInput, StartInput
from tracked import open_door
from trade import Trade, build

EMAIL, NAME, STREET, PHONE = (
    "kim.sjuttisju@example.com",
    "Kimberly Sjuttisju",
    "Undangatan 77",
    "+46701770177",
)
NEW_EMAIL = "nya.sjuttisju@example.net"
REMOTE = "192.0.2.177"
SECRET_WORD = "HEMLIGT-77"
WORDS = [EMAIL, "sjuttisju", STREET, "701770177", "browser-sjutti", "ext-sjutti", REMOTE, SECRET_WORD]
ADDRESS = {"name": NAME, "line1": STREET, "postal_code": "211 34", "city": "Malmö", "country": "SE"}
EVERYWHERE = {
    "account", "account_address", "appointment", "follow_up", "account_code", "account_link", "account_mail_change", "account_passkey", "account_session",
    "audit_entry", "cart", "consent_entry", "conversation_file", "credit_transaction", "customer", "duplicate_card", "event", "follower",
    "gift_card", "idempotency", "identity_node", "identity_pin", "identity_value", "inbound_mail", "mail_bounce", "mail_outbox", "mail_sent", "order_change", "order_tag",
    "order_view", "orders", "pool_move_row", "question", "return_request", "review", "stock_alert", "subscription",
    "tracked_event", "tracking_parked",
}  # fmt: skip
"""Tables in which the person's words stand afterwards, in the clear or, in ``SEALED``, not."""
SEALED = {
    "return_request",
    "account_code",
    "account_session",
    "account_passkey",
    "mail_outbox",
    "customer_note",
    "order_note",
}


class World(msgspec.Struct):
    """The shop, the person, an order of theirs and somebody else."""

    trade: Trade
    customer: UUID
    order: UUID
    other: UUID
    stripe: FakeStripe


class Life:
    """What somebody does, one kind of thing a method."""

    def __init__(self, settings: Settings, db: Database, api: Any, wire: Any) -> None:
        self.settings, self.db, self.api, self.wire = settings, db, api, wire
        self.keys = Vault.of(settings)

    async def post(self, path: str, body: Any, key: str) -> Any:
        answer = await self.api.post(path, json=body, headers={"Idempotency-Key": f"{key}-{uuid4()}"})
        assert answer.status_code in (200, 201, 204), answer.text
        return answer.json() if answer.content else None

    async def begin(self) -> None:
        """A shop, and two people in it."""
        offered = ["cash", "exchange", "gift_card", "store_credit", "test", "stripe"]
        self.trade = await build(self.db, payment_providers=offered)
        self.web = self.trade.web
        self.kettle = await self.trade.kettle(quantity=50)
        known = {"channel": str(self.web.id), "email": EMAIL, "name": NAME, "phone": PHONE}
        made = await self.post("/api/customers", known | {"external_id": "ext-sjutti"}, EMAIL)
        self.kim = UUID(made["id"])
        await self.api.patch(f"/api/customers/{self.kim}", json={"name": f"{NAME} {SECRET_WORD}"})
        self.robin = await self.person("robin@example.com", "Robin Kvar")
        self.as_kim = Context(actor=Actor(kind="customer", id=self.kim), remote=REMOTE)

    async def person(self, email: str, name: str) -> UUID:
        pool = self.web.pools[Resource.CUSTOMERS]
        given = PersonInput(email=email, name=name)
        return (await self.db.transaction(lambda tx: customers.find_or_create(tx, pool, given))).id

    async def gets_no_mail(self) -> None:
        """A mail went to them, and came back."""
        sent = Sent(recipient=EMAIL, person=self.kim, channel=self.web.id, kind="order")
        came = Bounce(
            mail=uuid4(), is_permanent=True, status="5.1.1", code=550, answer=f"550 <{EMAIL}> unknown"
        )
        await self.db.transaction(lambda tx: mailboxes.remember(tx, came.mail, sent))
        await self.db.transaction(lambda tx: mailboxes.take(tx, [came]))

    async def shops(self) -> None:
        """Orders of both, carts, a wish list, a subscription that ended, a sale at a till."""
        details = {"email": EMAIL, "name": NAME, "phone": PHONE, "address": ADDRESS, "delivery": "ship"}
        other = {"email": "robin@example.com", "delivery": "ship"}
        other["address"] = {**ADDRESS, "name": "Robin", "line1": "Väg 1"}  # type: ignore[assignment]
        for fields in (details, other):
            placed = await self.trade.place((await self.trade.cart((self.kettle, 3), **fields)).id)
            await self.db.transaction(
                lambda tx, placed=placed: orders.fulfil(tx, placed.id, orders.FulfilInput())
            )
            if fields is details:
                self.order = placed.id
        await self.trade.cart((self.kettle, 2), **details, gift_note=f"Grattis {NAME}")
        wanted = LineInput(variant=self.kettle, quantity=1)
        await self.db.transaction(lambda tx: carts.wish(tx, self.web.id, wanted), self.as_kim)
        # A deposit was paid; it was called off, and the papers of both orders are made together.
        later = await self.trade.cart((self.kettle, 1), **details)
        deposit = await self.trade.place(later.id, PaymentInput(provider="test"), deposit=5_000)
        why = orders.CancelInput(reason=f"{SECRET_WORD}: {NAME} ringde")
        await self.db.transaction(lambda tx: orders.cancel(tx, deposit.id, why))
        await self.db.transaction(lambda tx: issue(tx, self.order, IssueInput()))
        papers_of = PaperInput(id=uuid4(), what="invoices", form="zip", orders=[self.order, deposit.id])
        owner = Context(actor=Actor(kind="staff", id=uuid4(), permissions=permissions_of(Role.OWNER)))
        run = await self.db.transaction(lambda tx: papers.ask(tx, papers_of), owner)
        await papers.go_on(self.db, run.id)
        assert await self.db.value("SELECT count(*) FROM paper_file") > 0
        await self._subscribes()
        till = Till(self.trade)
        await till.send(till.sale((self.kettle, 1), customer=str(self.kim)))

    async def _subscribes(self) -> None:
        plan = msgspec.convert({"code": "often", "name": "Often", "channels": ["web"]}, PlanInput)
        made = await self.db.transaction(lambda tx: subscriptions.create_plan(tx, plan))
        given = {
            "plan": made.id,
            "channel": self.web.id,
            "customer": self.kim,
            "lines": [{"variant": self.kettle, "quantity": 1}],
            "address": ADDRESS,
            "payment": {"provider": "test"},
        }
        data = msgspec.convert(given, StartInput)
        begun = await self.db.transaction(lambda tx: subscriptions.start(tx, data))
        end = subscriptions.CancelInput(when="now", reason=f"{SECRET_WORD} {NAME} flyttar")
        await self.db.transaction(lambda tx: subscriptions.cancel(tx, begun.id, end))

    async def pays_by_card(self, patch: pytest.MonkeyPatch) -> None:
        """By a network, with the card kept for the next time."""
        fake = FakeStripe()
        patch.setattr(
            stripe,
            "connect",
            lambda keys: httpx.AsyncClient(base_url=keys.base_url, transport=httpx.MockTransport(fake)),
        )
        assert (await self.api.put("/api/payment-providers/stripe", json=KEYS)).status_code == 204
        desk = Desk(self.trade, FakeBank())
        cart = (await self.trade.cart((self.kettle, 1), email=EMAIL, delivery="ship", address=ADDRESS)).id
        mine = "UPDATE cart SET customer = $2, is_current = false WHERE id = $1 RETURNING 1"
        await self.db.rows(mine, cart, self.kim)
        acting = Context(actor=self.as_kim.actor, channel=self.web.id, remote=REMOTE)
        keep = payments.StartInput(provider="stripe", keep=True)
        begun = await self.db.transaction(lambda tx: paying.begin(tx, cart, keep), acting)
        await desk.look(cart, begun.id)
        fake.confirm("pi_1", "pm_card_visa")
        begun = await desk.look(cart, begun.id)
        placed = await desk.place(cart, begun)
        await self.db.transaction(lambda tx: orders.fulfil(tx, placed.id, orders.FulfilInput()))
        await desk.settle()
        [card] = await payments.kept_cards(self.db, self.kim)
        assert card.last_four == "4242"
        self.stripe = fake

    async def has_credit(self) -> None:
        """Store credit, a gift card, points; each with a reason in words."""
        system = Context(actor=Actor(kind="system"))
        grant = GrantInput(amount=1000, currency="SEK", reason=f"{SECRET_WORD}: {NAME} rang")
        await self.db.transaction(lambda tx: credit.store_credit.grant(tx, self.kim, grant), system)
        card = {"channel": str(self.web.id), "amount": 500, "customer": str(self.kim)}
        await self.post("/api/gift-cards", card | {"note": f"{SECRET_WORD} till {NAME}"}, "card")
        given = {
            "channel": str(self.web.id),
            "name": "Club",
            "rates": [{"currency": "SEK", "spend": 1_000, "points": 1}],
        }
        programme = msgspec.convert(given, credit.ProgrammeInput)
        await self.db.transaction(lambda tx: credit.set_programme(tx, programme))
        await self.db.transaction(lambda tx: credit.enrol(tx, self.kim))
        points = credit.PointsInput(points=50, reason=f"{SECRET_WORD} {NAME}")
        await self.db.transaction(lambda tx: credit.adjust(tx, self.kim, points))

    async def signs_in(self) -> None:
        """An account with all that one can keep in it, and an address that is not proved yet."""
        web = await channels.get(self.db, self.web.id)
        post = Post(self.db, self.settings, web)
        opened = await post.sign_in(EMAIL)
        await post.ask(EMAIL)
        signed = await post.who(opened)
        assert signed is not None
        await accounts.set_password(self.db, self.as_kim, signed, "seven grey otters swim")
        address = msgspec.convert(ADDRESS, Address)
        rows = [{"size": "38", "values": [[24, 24.5]]}]
        chart = {"name": "Shoes", "measures": ["foot"], "rows": rows, "brands": ["Acme"]}
        shoes = UUID((await self.post("/api/size-charts", chart, "chart"))["id"])
        site, device = Site("http://samlad.test"), Authenticator()

        async def work(tx: Tx) -> None:
            await accounts.add_address(tx, signed, address, delivery=True, invoice=True)
            await accounts.set_preferences(
                tx, signed, web, language="sv", favourite=self.trade.at_malmo.id, sizes={shoes: "38"}
            )
            asked = await passkeys.begin_registration(tx, signed, site, "Hemma")
            answer = device.create(asked.options)
            await passkeys.register(tx, signed, site, asked.ceremony, answer, f"{SECRET_WORD} mobil")
            await accounts.ask_mail_change(
                tx, self.keys, signed, web, NEW_EMAIL, base_url="http://shop.test", locale="sv"
            )

        await self.db.transaction(work, Context(actor=self.as_kim.actor, remote=REMOTE))
        clerk = Context(
            actor=Actor(kind="staff", id=uuid4(), name="C", permissions=frozenset({accounts.HELP}))
        )
        await self.db.transaction(lambda tx: accounts.show(tx, self.kim, self.trade.malmo), clerk)

    async def writes_and_is_written_about(self) -> None:
        """Notes, tags, reviews, returns, photographs, what they wait for, views of staff."""
        kim, order = self.kim, self.order
        text = {"text": f"{SECRET_WORD} {NAME}"}
        await self.post(f"/api/customers/{kim}/notes", text, "note")
        await self.post(f"/api/customers/{kim}/notes", text | {"for_clerks": True}, "clerks-note")
        await self.post(f"/api/customers/{kim}/tags", {"tags": [SECRET_WORD]}, "tag")
        await self.post(f"/api/orders/{order}/notes", text, "order-note")
        await self.post(f"/api/orders/{order}/tags", {"tags": [SECRET_WORD]}, "order-tag")
        view = {"name": NAME, "filters": {"q": EMAIL}, "is_shared": True}
        await self.post("/api/orders/views", view, "view")
        product = await self.db.value("SELECT product FROM variant WHERE id = $1", self.kettle)
        wrote = reviews.ReviewInput(
            product=product,
            stars=4,
            language="sv",
            title=f"Från {NAME}",
            text=f"{SECRET_WORD}, {STREET}",
            author=NAME,
        )
        waits = alerts.AlertInput(
            channel=self.web.id, variant=self.kettle, email=EMAIL, language="sv", consent=f"Tell {EMAIL}"
        )
        announced = {
            "order": order,
            "lines": [{"position": 1, "quantity": 1, "reason": "changed_mind"}],
            "note": f"{SECRET_WORD}: {NAME} vill inte",
        }

        async def work(tx: Tx) -> None:
            review = await reviews.write_for_order(tx, order, wrote)
            await self.sends_photograph(tx, review.id)
            await alerts.ask(tx, waits)
            await self.asks_about(tx, product)
            request = await return_announce.announce(tx, msgspec.convert(announced, AnnounceInput))
            await self.sends_photograph(tx, request.id)
            await self.sends_photograph(tx, None)

        await self.db.transaction(work)
        back = {"lines": [{"position": 1, "quantity": 1}], "reason": f"{SECRET_WORD}: {NAME} ångrade sig"}
        await self.post(f"/api/orders/{order}/return", back, "back")

    async def asks_about(self, tx: Tx, product: UUID) -> None:
        """A question by mail, and the shop's answer to it."""
        asked = await questions.ask(
            tx,
            questions.QuestionInput(
                channel=self.web.id,
                product=product,
                text=f"{SECRET_WORD}: passar den {NAME}?",
                author=NAME,
                email=EMAIL,
                language="sv",
            ),
        )
        await questions.confirm(tx, asked.id)
        await questions.answer(tx, asked.id, questions.AnswerInput(text=f"Hej {NAME}, ja."))

    async def is_looked_after(self) -> None:
        """What a clerk is to do for them, and a time at which they would have come."""
        owner = Actor(kind="staff", id=uuid4(), name="Bo", permissions=permissions_of(Role.OWNER))
        place, text = self.trade.at_malmo, f"{SECRET_WORD} {NAME}"
        day = local_day(now(), place.time_zone) + timedelta(days=3)
        task = clienteling.FollowUpInput(location=place.id, text=text, due_on=day)
        open_always = channels.ChannelChange(
            opening_hours=OpeningHours(weekly=[[Interval("09:00", "17:00")]] * 7)
        )
        fitting = appointments.ServiceInput(location=place.id, code="fitting", name="Fitting", minutes=30)

        async def work(tx: Tx) -> None:
            await clienteling.follow_up(tx, self.kim, task)
            service = await appointments.set_service(tx, fitting)
            free = (await appointments.slots(tx, service.id, day, 1)).slots[0].starts_at
            wanted = appointments.BookInput(
                service=service.id,
                starts_at=free,
                name=NAME,
                email=EMAIL,
                note=text,
                customer=self.kim,
                source="phone",
            )
            booked = await appointments.book(tx, wanted)
            await appointments.cancel(tx, booked.id)
            talk = await conversations.begin(
                tx,
                conversations.BeginInput(
                    channel=self.trade.web.id,
                    customer=self.kim,
                    subject=text,
                    body=text,
                    name=NAME,
                    way="out",
                ),
            )
            await conversations.write(
                tx, talk.id, conversations.MessageInput(body=text, way="in", medium="phone")
            )
            await conversations.write(tx, talk.id, conversations.MessageInput(body=text, note=True))
            letter = EmailMessage()
            letter["From"], letter["To"], letter["Subject"] = EMAIL, "shop@shop.example", text
            letter.set_content(text)
            file = f"{EMAIL} {SECRET_WORD}".encode()
            letter.add_attachment(file, maintype="image", subtype="png", filename=f"{SECRET_WORD}.png")
            assert (await conversations.receiving.receive(tx, letter.as_bytes())).what == "waiting"
            await self.answers_by_mail(tx, talk.id)

        await self.db.transaction(lambda tx: channels.change(tx, self.trade.malmo.id, open_always))
        await self.db.transaction(work, Context(actor=owner))

    async def answers_by_mail(self, tx: Tx, talk: UUID) -> None:
        """With a file, in the thread."""
        before = self.db.settings
        self.db.settings = msgspec.structs.replace(
            before, mail_from="shop@shop.example", mail_replies="replies@shop.example"
        )
        letter = EmailMessage()
        letter["From"], letter["Subject"] = EMAIL, f"Re: {SECRET_WORD}"
        letter["To"] = conversations.links.mail_address(self.db.settings, talk) or ""
        letter["Message-ID"] = f"<{SECRET_WORD}@example.org>"
        letter.set_content(f"{SECRET_WORD} {STREET}")
        letter.add_attachment(
            f"svar {EMAIL}".encode(), maintype="application", subtype="octet-stream", filename=f"{NAME}.bin"
        )
        try:
            taken = await conversations.receiving.receive(tx, letter.as_bytes())
        finally:
            self.db.settings = before
        assert taken.what == "taken", taken

    async def sends_photograph(self, tx: Tx, subject: UUID | None) -> None:
        """A photograph of a thing; without one it waits to be used."""
        out = io.BytesIO()
        Image.new("RGB", (60, 40), "teal").save(out, "JPEG")
        kept = await photograph_store.add(tx, self.kim, photographs.read(out.getvalue()))
        if subject is not None:
            await photograph_store.attach(tx, self.kim, [kept.id], subject)

    async def is_tracked(self) -> None:
        """What clients report: as it should be, against the plan, and what cannot be taken."""
        schema = {"type": "object", "properties": {"colour": {"enum": ["red"]}}, "required": ["sku"]}
        plan = {"event": "Painted", "schema": schema, "policy": "report"}
        assert (await self.api.put("/api/tracking/schemas", json=plan)).status_code == 200
        server = await open_door(self.db, self.web.id, kind="server")
        told = [
            {"type": "identify", "userId": "ext-sjutti", "anonymousId": "browser-sjutti", "messageId": f"m-{EMAIL}",
             "traits": {"email": EMAIL, "name": NAME}, "context": {"ip": REMOTE}},
            {"type": "page", "anonymousId": "browser-sjutti", "name": f"Hej {NAME}", "properties": {"url": f"/?e={EMAIL}"}},
            {"type": "track", "event": "Painted", "userId": "ext-sjutti", "properties": {"colour": SECRET_WORD, NAME: 1}},
            {"type": "track", "event": 7, "anonymousId": "browser-sjutti", "traits": {"email": EMAIL}},
            {"type": "track", "event": "Clicked", "userId": "robin-2", "messageId": str(uuid4())},
        ]  # fmt: skip
        sent = await self.wire.post("/v1/batch", json={"batch": told}, headers=server.basic)
        assert sent.status_code == 200
        consent = {
            "answers": [{"purpose": "email_marketing", "answer": "granted", "event_id": f"form {EMAIL}"}]
        }
        await self.post(f"/api/consent/people/{self.kim}", consent, "consent")

    async def is_somebody_else_too(self) -> None:
        """Another row of the same person, merged by hand for a reason in words; a household; another pool that joined."""
        again = await self.person("kim.andra@example.com", NAME)
        lodger = await self.person("lodger@example.com", "Lo Kvar")
        await self.trade.follow()
        merge = MergeInput(profiles=[self.kim, again], reason=f"{SECRET_WORD}: {NAME} är samma")
        await self.db.transaction(lambda tx: deciding.merge(tx, merge))
        path = f"/api/customers/{self.kim}/household/{lodger}"
        assert (await self.api.put(path)).status_code == 204
        silo = await build_silo(self.trade)
        sold = await silo.sell(await silo.kettle(here=5), email=EMAIL)
        await self.db.transaction(lambda tx: orders.fulfil(tx, sold.id, orders.FulfilInput()))
        await self.trade.follow()
        await silo.join(Resource.CUSTOMERS)
        await self.trade.follow()

    async def breaks_a_follower(self) -> None:
        """Something that goes wrong says about whom."""

        async def breaks(tx: Tx, event: Event) -> None:
            raise ValueError(f"{EMAIL} cannot be told")

        broken = Follower(name="broken", handle=breaks, types=("customer.created",))
        await followers.register(self.db, [broken])
        await followers.step(self.db, broken)


async def live(settings: Settings, db: Database, api: Any, wire: Any, patch: pytest.MonkeyPatch) -> World:
    """Kim does whatever one can do, and so does somebody else."""
    life = Life(settings, db, api, wire)
    await life.begin()
    await life.shops()
    await life.pays_by_card(patch)
    await life.has_credit()
    await life.signs_in()
    await life.writes_and_is_written_about()
    await life.is_looked_after()
    await life.trade.follow()
    await life.is_tracked()
    await life.trade.follow()
    await life.is_somebody_else_too()
    await life.breaks_a_follower()
    await life.gets_no_mail()
    return World(life.trade, life.kim, life.order, life.robin, life.stripe)
