"""Files go with what they belong to when a channel joins and leaves: those of mails, pictures of goods, papers, photographs."""

import io
from email.message import EmailMessage
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from goods import build_apart, product
from PIL import Image
from silo import Silo

from samlad import conversations, orders, stock
from samlad.access.permissions import Role, permissions_of
from samlad.catalog import copying, media_files
from samlad.channels import Channel, Resource
from samlad.content import photograph_store, photographs
from samlad.conversations import BeginInput, Conversation, checks, links, merging, receiving
from samlad.documents import IssueInput, issuing
from samlad.kernel.context import GUEST, Actor, Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.settings import Settings
from samlad.orders import FulfilInput, return_announce
from samlad.orders.return_model import AnnounceInput
from trade import build

R = Resource
KIM = "kim@example.org"
OWNER = Context(actor=Actor(kind="staff", id=uuid4(), name="Bo", permissions=permissions_of(Role.OWNER)))


def png(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
async def silo(silo: Silo, settings: Settings) -> Silo:
    """One whose mails can be answered."""
    db = silo.trade.db
    db.settings = msgspec.structs.replace(
        settings, mail_to_log=True, mail_from="shop@shop.example", mail_replies="replies@shop.example"
    )
    return silo


async def talks(silo: Silo, channel: Channel) -> Conversation:
    data = BeginInput(channel=channel.id, subject=channel.code, body="Broken?", email=KIM, name="Kim")
    guest = Context(actor=GUEST, remote="192.0.2.9")
    return await silo.trade.db.transaction(lambda tx: conversations.begin(tx, data), guest)


async def sends(silo: Silo, of: Conversation, content: bytes) -> UUID:
    """Kim answers by mail, with a picture; its id."""
    db = silo.trade.db
    raw = EmailMessage()
    raw["From"], raw["To"] = KIM, links.mail_address(db.settings, of.id) or ""
    raw["Message-ID"] = f"<{uuid4()}@example.org>"
    raw.set_content("See for yourself.")
    raw.add_attachment(content, maintype="image", subtype="png", filename="seen.png")
    assert (await db.transaction(lambda tx: receiving.receive(tx, raw.as_bytes()))).what == "taken"
    found: UUID = await db.value("SELECT id FROM conversation_file WHERE content = $1", content)
    return found


async def held(db: Database) -> list[tuple[Any, ...]]:
    """Every file of a mail with the conversation in which it is read, and the pool of that."""
    rows = await db.rows(
        """SELECT f.id, f.content, m.conversation, c.pool FROM conversation_file f
           JOIN conversation_message m ON m.id = f.message JOIN conversation c ON c.id = m.conversation ORDER BY f.id"""
    )
    return [tuple(row.values()) for row in rows]


async def test_files_of_mails_come_along_and_back_also_out_of_a_thread_of_both(
    silo: Silo, api: httpx.AsyncClient
) -> None:
    db, web = silo.trade.db, silo.trade.web
    ours, theirs = await talks(silo, silo.market), await talks(silo, web)
    first, second = await sends(silo, ours, png("red")), await sends(silo, theirs, png("green"))

    async def is_read(of: Conversation, file: UUID, content: bytes) -> bool:
        by_staff = await api.get(f"/api/conversations/{of.id}/files/{file}")
        by_link = await api.get(f"{links.path(db.settings, of.id)}/files/{file}")
        assert by_staff.status_code == by_link.status_code
        return by_staff.status_code == 200 and by_staff.content == by_link.content == content

    before = await held(db)
    await silo.join(R.CUSTOMERS, R.CONVERSATIONS)
    assert [row[:3] for row in await held(db)] == [row[:3] for row in before]
    assert await is_read(ours, first, png("red"))
    # Nothing happened, so leaving is as if nothing had been.
    await silo.leave(R.CONVERSATIONS, R.CUSTOMERS)
    assert await held(db) == before
    await silo.join(R.CUSTOMERS, R.CONVERSATIONS)
    # Put together, it is one thread with the files of both, and what comes goes there.
    await db.transaction(lambda tx: merging.merge(tx, ours.id, theirs.id), OWNER)
    third = await sends(silo, ours, png("blue"))
    assert await is_read(theirs, first, png("red"))
    assert await is_read(theirs, third, png("blue"))
    await silo.leave(R.CONVERSATIONS, R.CUSTOMERS)
    # Apart again: each has what was sent in it, and nobody reads the files of the other.
    home, shared = silo.market.pools[R.CONVERSATIONS], web.pools[R.CONVERSATIONS]
    where = {row[0]: (row[2], row[3]) for row in await held(db)}
    assert where[first] == (ours.id, home)
    assert where[second] == (theirs.id, shared)
    assert await is_read(ours, first, png("red"))
    assert await is_read(theirs, second, png("green"))
    assert not await is_read(theirs, first, png("red"))
    assert await db.value("SELECT count(*) FROM conversation WHERE merged_into IS NOT NULL") == 0
    for check in checks.CHECKS:
        assert (await check.look(db)).status == "ok"


async def test_pictures_of_goods_stay_theirs_and_copies_have_their_own(
    db: Database, api: httpx.AsyncClient, settings: Settings
) -> None:
    apart = await build_apart(await build(db))
    trade, market, web = apart.trade, apart.market, apart.trade.web
    red, blue = await product(
        apart,
        market,
        {"sku": "RED", "options": {"Colour": "Red"}},
        {"sku": "BLUE", "options": {"Colour": "Blue"}},
        quantity=5,
        media=[
            {"url": "https://cdn.example.com/both.png", "alt": "Both"},
            {"url": "https://cdn.example.com/red.png", "sku": "RED"},
            {"url": "https://cdn.example.com/blue.png", "sku": "BLUE"},
        ],
    )
    for colour, name in (("grey", "both"), ("red", "red"), ("blue", "blue")):
        key = media_files.store(settings.home, png(colour), "png")
        await db.rows(
            "UPDATE media SET status = 'ready', storage_key = $2 WHERE url LIKE '%' || $1 || '.png' RETURNING 1",
            name,
            key,
        )

    async def pictures(variant: UUID) -> list[tuple[str, str | None, str]]:
        """Of the product of a variant: address, whose variant, and what a browser gets."""
        rows = await db.rows(
            """SELECT m.url, v.sku, m.storage_key FROM variant x JOIN media m ON m.product = x.product
               LEFT JOIN variant v ON v.id = m.variant WHERE x.id = $1 ORDER BY m.position, m.id""",
            variant,
        )
        for row in rows:
            shown = await api.get(f"/media/{row['storage_key']}")
            assert shown.status_code == 200
            assert shown.content[:4] == b"\x89PNG"
        return [(row["url"].rsplit("/", 1)[1], row["sku"], row["storage_key"]) for row in rows]

    before = await pictures(red)
    assert [(name, sku) for name, sku, _ in before] == [
        ("both.png", None),
        ("red.png", "RED"),
        ("blue.png", "BLUE"),
    ]
    await apart.join(R.CATALOGUE, R.PRICES, keeps_own=True)
    assert await pictures(red) == before
    # The others sell the red one meanwhile: it stays with them as a copy, which shows what it is and not the other.
    await trade.db.transaction(lambda tx: stock.receive(tx, trade.warehouse.id, [(red, 2)]))
    await apart.leave(R.PRICES, R.CATALOGUE)
    assert await pictures(red) == before == await pictures(blue)
    copy = await db.value("SELECT id FROM variant WHERE pool = $1 AND sku = 'RED'", web.pools[R.CATALOGUE])
    assert await pictures(copy) == [each for each in before if each[1] != "BLUE"]
    columns = await db.rows(
        "SELECT attname AS name FROM pg_attribute WHERE attrelid = 'media'::regclass AND attnum > 0 AND NOT attisdropped"
    )
    assert {row["name"] for row in columns} - {each.strip() for each in copying._MEDIA.split(",")} == {
        "id",
        "product",
        "variant",
    }, "a new column of pictures is copied, too"


async def test_papers_and_photographs_of_orders_come_along_and_back(
    silo: Silo, api: httpx.AsyncClient
) -> None:
    """An invoice is the same, byte for byte, whoever shares orders; so is what a customer showed of what came broken."""
    db = silo.trade.db
    order = await silo.sell(await silo.kettle(here=3), 2, email=KIM)
    await silo.trade.follow()
    await db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))
    await db.transaction(lambda tx: issuing.issue(tx, order.id, msgspec.convert({}, IssueInput)))
    announced = {
        "order": order.id,
        "lines": [{"position": 1, "quantity": 1, "reason": "damaged"}],
        "note": "Look",
    }

    async def work(tx: Tx) -> UUID:
        made = await return_announce.announce(tx, msgspec.convert(announced, AnnounceInput))
        kept = await photograph_store.add(tx, order.id, photographs.read(png("teal")))
        await photograph_store.attach(tx, order.id, [kept.id], made.id)
        return kept.id

    photograph = await db.transaction(work)
    await silo.trade.follow()

    async def seen() -> dict[str, bytes]:
        found = {}
        for document in await issuing.of_order(db, order.id):
            for ending in ("", "/document.html", "/document.pdf"):
                answer = await api.get(f"/api/documents/{document.id}{ending}")
                assert answer.status_code == 200
                found[f"{document.number}{ending}"] = answer.content
        picture = await api.get(f"/media/photo/{photograph}")
        assert picture.status_code == 200
        found["photograph"] = picture.content
        return found

    before = await seen()
    assert len(before) == 4
    shared = (R.CUSTOMERS, R.STOCK, R.ORDERS, R.CARTS)
    await silo.join(*shared)
    await silo.trade.follow()
    assert await seen() == before
    # What is issued while it shares is its own, too.
    other = await silo.sell(await silo.kettle(here=3), email=KIM)
    await db.transaction(lambda tx: orders.fulfil(tx, other.id, FulfilInput()))
    await db.transaction(lambda tx: issuing.issue(tx, other.id, msgspec.convert({}, IssueInput)))
    await silo.leave(*reversed(shared))
    await silo.trade.follow()
    assert await seen() == before
    assert len(await issuing.of_order(db, other.id)) == 1
    await silo.trade.agree()
