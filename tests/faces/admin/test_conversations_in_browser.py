"""Conversations in real browsers: answered by keyboard, and what a customer writes meanwhile comes by itself and takes nothing away."""

from email.message import EmailMessage
from email.utils import formataddr
from typing import Any
from uuid import UUID

import pytest
from browser import Site
from playwright.async_api import Page, expect

from account_people import Post
from samlad import conversations
from samlad.access.permissions import Role, permissions_of
from samlad.conversations import BeginInput, ChangeInput, MessageInput, ReplyInput, links, receiving, saved
from samlad.kernel.context import GUEST, Actor, Context
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.settings import Settings
from trade import Trade, build

pytestmark = pytest.mark.browser

KIM = "kim@example.org"
SAM = Context(
    actor=Actor(kind="staff", id=new_id(), name="Sam Clerk", permissions=permissions_of(Role.MANAGER))
)
LONG = "https://shop.example/" + "a-very-long-address-without-a-break/" * 8
ARABIC = "مرحبا، وصلت الغلاية مكسورة. هل يمكنكم إرسال واحدة أخرى؟"


@pytest.fixture
async def trade(db: Any) -> Trade:
    return await build(db)


class Talk:
    """A shop in which something was said: Kim has two conversations, Layla one of every kind of message, and one is done."""

    def __init__(self, trade: Trade) -> None:
        self.trade = trade
        self.kims = self.kims_other = self.laylas = new_id()

    async def say(self, conversation: UUID, body: str, who: Context = SAM, **more: Any) -> None:
        data = MessageInput(body=body, **more)
        await self.trade.db.transaction(lambda tx: conversations.write(tx, conversation, data), who)

    async def hear(self, conversation: UUID, body: str) -> None:
        """The customer writes by the link."""
        data = MessageInput(body=body)
        link = self.link(conversation)
        guest = Context(actor=GUEST, remote="192.0.2.7")
        await self.trade.db.transaction(
            lambda tx: conversations.write(tx, conversation, data, link=link), guest
        )

    async def begin_one(self, subject: str) -> None:
        data = BeginInput(channel=self.trade.web.id, subject=subject, body=subject, way="in", email=KIM)
        await self.trade.db.transaction(lambda tx: conversations.begin(tx, data), SAM)

    def link(self, conversation: UUID) -> str:
        return links.path(self.settings, conversation).rsplit("/", 1)[1]

    async def begin(self, settings: Settings) -> "Talk":
        self.settings = settings
        web = self.trade.web.id

        async def work(tx: Tx) -> None:
            async def ask(subject: str, body: str, **more: Any) -> UUID:
                data = BeginInput(channel=web, subject=subject, body=body, way="in", **more)
                return (await conversations.begin(tx, data)).id

            self.kims = await ask("Where is my parcel?", "It should have come.", email=KIM, name="Kim Berg")
            self.kims_other = await ask("Do you gift wrap?", "It is a present.", email=KIM, name="Kim Berg")
            done = await ask("Thanks", "All is well.", email="lo@example.org", name="Lo")
            await conversations.change(tx, done, ChangeInput(state="closed"))
            self.laylas = await ask(
                "كسرت الغلاية", ARABIC, email="layla@example.org", name="ليلى حسن", phone="+46 70 123 45 67"
            )
            for name, language in (("It is on its way", "en"), ("Det är på väg", "sv")):
                reply = ReplyInput(
                    name=name, language=language, body="Hello {name}!\n\nIt is on its way.\n\n{agent}"
                )
                await saved.put(tx, reply)

        await self.trade.db.transaction(work, SAM)
        await self.say(self.laylas, "Hello!\n\nWe are sorry to hear that.\nA new one leaves today.", seen=1)
        await self.say(self.laylas, f"The carrier says {LONG}", note=True)
        await self.say(self.laylas, "She asks whether it comes before Friday.", way="in", medium="phone")
        return self


@pytest.fixture
async def talk(trade: Trade, settings: Settings) -> Talk:
    return await Talk(trade).begin(settings)


async def seen(site: Site, page: Page, name: str) -> None:
    """Fine on a dark phone and on a light desk, with pictures of both at both widths."""
    for scheme, width in (("dark", 390), ("light", 1440)):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        await page.set_viewport_size({"width": width, "height": 900})
        await site.fine(page)
        await site.picture(page, f"{name}-{scheme}")


async def test_every_page_of_the_desk(site: Site, talk: Talk) -> None:
    page = await site.staff()
    for name, path in {
        "desk": "/admin/conversations",
        "desk-thread-others": f"/admin/conversations/{talk.kims}",
        "desk-new": "/admin/conversations/new",
        "desk-replies": "/admin/conversations/replies",
        "mail": "/admin/mail",
        "mails-empty": "/admin/conversations/mails",
    }.items():
        await page.goto(path)
        await seen(site, page, name)
    await page.goto(f"/admin/conversations/{talk.laylas}")
    await page.locator("summary", has_text="Saved replies").press("Enter")
    await expect(page.get_by_role("button", name="It is on its way")).to_be_visible()
    assert await page.locator(".message.own").count() == 2, "the answer and the note"
    await seen(site, page, "desk-thread")


async def test_mails_in_doubt_are_sorted(site: Site, talk: Talk) -> None:
    mails = (
        ("Kim Berg", KIM, "Sv: Var är mitt paket?", "Hej!\n\nDet har inte kommit än."),
        ("ليلى", "layla@work.example", "رد", ARABIC),
        ("", "a.very.long.address.that.nobody.wants.to.type@department.company.example", "", f"See {LONG}"),
    )
    for number, (name, sender, subject, body) in enumerate(mails):
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = (
            formataddr((name, sender)),
            "shop@shop.example",
            subject,
        )
        letter["Message-ID"] = f"<{number}@example.org>"
        letter.set_content(body)
        letter.add_attachment(b"x" * 2_000, maintype="image", subtype="jpeg", filename="kettle.jpg")
        raw = letter.as_bytes()
        await talk.trade.db.transaction(lambda tx, raw=raw: receiving.receive(tx, raw))
    page = await site.staff()
    await page.goto("/admin/conversations")
    await page.get_by_role("link", name="3 mails to sort").click()
    await expect(page.get_by_role("heading", name="Mails to sort")).to_be_visible()
    await seen(site, page, "mails")
    mine = page.locator(".inbound").filter(has_text="Det har inte kommit än.")
    await mine.get_by_label("It belongs to").select_option(label="Where is my parcel? · Kim Berg")
    await mine.get_by_role("button", name="Put it there").press("Enter")
    await expect(page.locator("#thread")).to_contain_text("Det har inte kommit än.")
    await expect(page.locator("#thread")).to_contain_text("by mail")
    await expect(page.locator("#thread")).to_contain_text("kettle.jpg")
    await seen(site, page, "thread-by-mail")
    await page.goto("/admin/conversations/mails")
    await (
        page.locator(".inbound")
        .filter(has_text=ARABIC)
        .get_by_role("button", name="Begin a conversation")
        .press("Enter")
    )
    await expect(page.locator("#thread")).to_contain_text(ARABIC)
    await page.goto("/admin/conversations/mails")
    await page.get_by_role("button", name="Put it aside").press("Enter")
    await expect(page.get_by_role("button", name="Let it wait again")).to_be_visible()
    await page.get_by_role("button", name="Undo").press("Enter")
    await expect(page.get_by_role("button", name="Put it aside")).to_be_visible()
    await site.fine(page)


async def test_a_morning_of_answers_by_keyboard(site: Site, talk: Talk) -> None:
    desk, page = await site.staff(name="Malin Berg"), await site.staff()
    await desk.goto("/admin/conversations")
    await expect(desk.get_by_role("link", name="To answer (3)")).to_be_visible()
    await page.goto(f"/admin/conversations/{talk.kims}")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("Your answer")
    await page.keyboard.press("Escape")
    await page.keyboard.press("r")
    answer = page.get_by_label("Your answer")
    await expect(answer).to_be_focused()
    other = await site.staff(name="Malin Berg")
    await other.goto(f"/admin/conversations/{talk.kims}")
    await expect(other.get_by_text("has this open, too.")).to_contain_text("Olivia Owner")
    await site.fine(other)
    await site.picture(other, "desk-thread-two")
    await other.close()
    await page.keyboard.type("It is on its")
    await talk.hear(talk.kims, "It is a surprise!")
    await expect(page.locator("#thread")).to_contain_text("It is a surprise!")
    await expect(answer).to_be_focused()
    await expect(answer).to_have_value("It is on its")
    await page.keyboard.type(" way.")
    for name in ("Send", "Send, and it is done", "Note for us", "They said it on the phone"):
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("button", name=name, exact=True)).to_be_focused()
    await page.get_by_role("button", name="Send", exact=True).press("Enter")
    await expect(page.get_by_text("Somebody wrote while you did.")).to_be_visible()
    await expect(answer).to_have_value("It is on its way.")
    await seen(site, page, "desk-crossed")
    await page.get_by_role("button", name="Send", exact=True).press("Enter")
    await expect(page.get_by_text("Your answer is sent.")).to_be_visible()
    await expect(desk.get_by_role("link", name="To answer (2)")).to_be_visible()

    await talk.hear(talk.kims, "Thank you! Who brings it?")
    await expect(page.locator("#thread")).to_contain_text("Who brings it?")
    await expect(desk.get_by_role("link", name="To answer (3)")).to_be_visible()
    await page.keyboard.press("r")
    await page.keyboard.type("The post does.")
    await page.get_by_role("button", name="Send", exact=True).press("Enter")
    await expect(page.locator("#thread"), "it was read before a word of it was typed").to_contain_text(
        "The post does."
    )
    await page.keyboard.press("e")
    await expect(page.get_by_text("It is done.")).to_be_visible()
    await page.get_by_role("button", name="Undo").press("Enter")
    await expect(page.get_by_text("Taken back.")).to_be_visible()


async def test_the_shop_pages(site: Site, talk: Talk, settings: Settings) -> None:
    trade = talk.trade
    page = await site.visitor(locale="en-GB")
    await page.goto("/contact")
    await seen(site, page, "contact")
    await page.goto(f"/conversation/{talk.link(talk.laylas)}")
    await expect(page.get_by_text("The carrier says")).to_have_count(0)
    await seen(site, page, "conversation")
    side = "el => getComputedStyle(el).justifySelf"
    assert await page.locator(".message.in").first.evaluate(side) == "end", "one's own words are at the end"
    await page.get_by_label("Your message").fill("Thank you!")
    await page.get_by_role("button", name="Send").press("Enter")
    await expect(page.get_by_text("Thank you!")).to_be_visible()

    opened = await Post(trade.db, settings, trade.web).sign_in(KIM)
    await page.context.add_cookies([{"name": "samlad_customer", "value": opened.token, "url": site.url}])
    await talk.say(talk.kims, "It comes tomorrow.", seen=1)
    await page.goto("/account/conversations")
    await seen(site, page, "my-conversations")
    await page.get_by_role("link", name="Where is my parcel?").press("Enter")
    await expect(page.get_by_text("It comes tomorrow.")).to_be_visible()
    await seen(site, page, "my-conversation")


async def test_what_a_finger_ticks_outlasts_what_comes_live_and_an_act_is_taken_back(
    site: Site, talk: Talk
) -> None:
    page = await site.staff(width=390, has_touch=True)
    await page.goto("/admin/conversations")
    ticked = [
        page.get_by_role("checkbox", name=f"Select {one}")
        for one in ("Where is my parcel?", "Do you gift wrap?")
    ]
    for box in ticked:
        await box.tap()
    await expect(page.locator("[data-picked]")).to_have_text("2")
    await talk.hear(talk.laylas, "Are you there?")
    await talk.begin_one("Can I pay by invoice?")
    await expect(page.get_by_role("link", name="To answer (4)")).to_be_visible()
    for box in ticked:
        await expect(box).to_be_checked()
    await expect(page.get_by_role("checkbox", name="Select Can I pay by invoice?")).not_to_be_checked()
    await expect(page.locator("[data-picked]")).to_have_text("2")
    await site.fine(page)
    await site.picture(page, "desk-picked")
    await page.get_by_role("button", name="It is done").tap()
    await expect(page.get_by_text("Changed: 2.")).to_be_visible()
    await expect(page.get_by_role("link", name="To answer (2)")).to_be_visible()
    await page.get_by_role("button", name="Undo").tap()
    await expect(page.get_by_text("Taken back.")).to_be_visible()
    await expect(page.get_by_role("link", name="To answer (4)")).to_be_visible()
