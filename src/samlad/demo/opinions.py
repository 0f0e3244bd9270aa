"""What customers say of the demo's goods, with pictures and the shop's answers. Each is by somebody who bought it in the file;
the words are ours, because the file has none."""

import io
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from samlad import catalog, reviews
from samlad.channels import Channel, Resource
from samlad.content import photograph_store, photographs
from samlad.content.photographs import Photograph
from samlad.kernel.database import Tx
from samlad.reviews import Answer, Decision, ReviewInput


class Opinion(NamedTuple):
    """A review: of a stock code, by whom, and what the shop says to it. ``picture`` has a colour. Not ``is_read``: it waits."""

    sku: str
    stars: int
    author: str
    title: str
    text: str
    answer: str = ""
    language: str = "en"
    picture: str = ""
    is_read: bool = True


OPINIONS = (
    Opinion("23355", 5, "Maud T.", "Warm all night", "Filled at ten, still warm at six. The cover does not slip.", picture="#8b3a3a"),
    Opinion("23355", 4, "Ravi P.", "Good, a little stiff", "Does what it should. The stopper is hard to open the first week."),
    Opinion("23355", 2, "J. Cole", "Smells of rubber", "Had to air it for days before I could take it to bed.",
            "Sorry for that. Leave it open on the windowsill for a day; if it still smells, send it back for free."),
    Opinion("22961", 5, "Ines F.", "Twelve jars, all used", "The labels stay on in the dishwasher, which I did not expect.", picture="#b8456b"),
    Opinion("22961", 4, "Per L.", "Bra set", "Etiketterna sitter kvar. Gärna ett lock till i reserv.", language="sv"),
    Opinion("22961", 3, "Chloe B.", "Fine for a start", "One of the lids did not close. The rest is as described.",
            "A new lid is on its way to you. Thank you for telling us."),
    Opinion("23170", 5, "Agnes W.", "As pretty as in the shop", "Thin, and survives the machine on a gentle programme."),
    Opinion("23170", 5, "Marloes d. V.", "Prachtig", "Precies zoals op de foto, en heel goed ingepakt.", language="nl"),
    Opinion("85123A", 5, "Tomas H.", "They hang everywhere now", "Bought two, came back for ten. A tea light lasts four hours in it.", picture="#dcd6c8"),
    Opinion("85123A", 4, "Beth A.", "Sweet", "Smaller than I thought, but sweet. Mind curtains."),
    Opinion("85123A", 1, "Anonymous", "Broken", "Arrived in two pieces.",
            "That must not happen. Write to us with the order's number and a new one leaves the same day."),
    Opinion("23084", 5, "Nadia K.", "The child sleeps", "Soft light, no cable, and it survives being thrown.", picture="#e0b9a0"),
    Opinion("23084", 5, "Owen R.", "Third one", "One for each grandchild."),
    Opinion("23084", 4, "Lisa M.", "Nice light", "A pity that batteries are not in the box."),
    Opinion("22726", 5, "Gus E.", "Loud enough", "Wakes me and, through the wall, my brother."),
    Opinion("22726", 3, "Hana S.", "Ticks", "Looks the part, but one hears it tick at night."),
    Opinion("85099B", 5, "Fatima Z.", "Carries a week's shopping", "Four years old, one corner mended, still the best bag."),
    Opinion("85099B", 5, "Kurt N.", "Huge", "A duvet fits into it.", is_read=False),
)  # fmt: skip


async def tell(tx: Tx, channel: Channel) -> int:
    """Write them all, each for an order of another customer; how many there are. Once: who calls it holds that."""
    known = await catalog.by_skus(
        tx, channel.pool(Resource.CATALOGUE), sorted({each.sku for each in OPINIONS})
    )
    bought = await _orders(tx, [ref.id for ref in known.values()])
    told = 0
    for each in OPINIONS:
        variant = known.get(each.sku)
        if variant is None or not bought.get(variant.id):
            continue
        data = ReviewInput(
            product=variant.product,
            stars=each.stars,
            title=each.title,
            text=each.text,
            author=each.author,
            language=each.language,
            order=bought[variant.id].pop(),
        )
        review = await reviews.write_for_somebody(tx, data)
        if each.picture:
            kept = await photograph_store.add(tx, review.id, drawn(each.picture))
            await photograph_store.attach(tx, review.id, [kept.id], review.id)
        if each.is_read:
            await reviews.decide(tx, review.id, Decision(status="approved"))
        if each.answer:
            await reviews.answer(tx, review.id, Answer(each.answer))
        told += 1
    return told


async def _orders(tx: Tx, variants: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """Some orders of each variant, of different customers."""
    rows = await tx.rows(
        """
        SELECT v.variant, array(
            SELECT min(bought.id::text)::uuid FROM (
                SELECT o.id, o.customer FROM order_line l JOIN orders o ON o.id = l.order_id
                WHERE l.variant = v.variant AND l.kind = 'item' AND o.kind = 'sale' AND o.status <> 'cancelled'
                  AND o.customer IS NOT NULL LIMIT 40) AS bought
            GROUP BY bought.customer ORDER BY 1 LIMIT 8) AS orders
        FROM unnest($1::uuid[]) AS v (variant)
        """,
        list(variants),
    )
    return {row["variant"]: list(row["orders"]) for row in rows}


def drawn(colour: str) -> Photograph:
    """A still life for a photograph: something round on a table by a window."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (640, 480), "#cfd8d6")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((60, 40, 240, 260), fill="#eef4f3", outline="#b4bfbc", width=8)
    draw.line((150, 44, 150, 256), fill="#b4bfbc", width=6)
    draw.rectangle((0, 330, 640, 480), fill="#a98a68")
    draw.ellipse((260, 350, 560, 420), fill="#8f7355")
    draw.ellipse((290, 170, 530, 400), fill=colour)
    draw.ellipse((335, 205, 395, 250), fill="#f4efe6")
    held = io.BytesIO()
    picture.save(held, "PNG")
    return photographs.read(held.getvalue())
