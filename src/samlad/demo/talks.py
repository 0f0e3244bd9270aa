"""What customers write to the demo's shop, and what it answers: some wait, some are answered, some are done. The words are ours."""

from typing import NamedTuple
from uuid import UUID

import msgspec

from samlad import conversations
from samlad.access import staff
from samlad.access.permissions import Role, permissions_of
from samlad.channels import Channel
from samlad.conversations import BeginInput, ChangeInput, MessageInput, ReplyInput, Topic, saved
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Tx

ANSWERS_BY = "olivia@gift-shop.example"


class Talk(NamedTuple):
    """A conversation: the first word, then answers (``>``), notes (``#``) and more of the customer's (``<``) before their text.

    ``is_kims``: Kim Berg's, about the last order, whose account one can look at.
    """

    name: str
    topic: Topic
    subject: str
    body: str
    more: tuple[str, ...] = ()
    language: str = "en"
    is_kims: bool = False
    is_done: bool = False
    is_on_phone: bool = False


TALKS = (
    Talk("Kim Berg", Topic.ORDER, "The apron is a present", "Can you leave the invoice out of the parcel?\n\nThank you,\nKim",
         ("> Of course. The invoice is in your account, and nothing with a price is in the parcel.", "< Perfect!"), is_kims=True),
    Talk("Kim Berg", Topic.PAYMENT, "Does the gift card expire?", "It is from the opening.", ("> It does not.",), is_kims=True, is_done=True),
    Talk("Elsa Holm", Topic.DELIVERY, "Levererar ni till Gotland?", "Och vad kostar det i så fall?\n\nHälsningar\nElsa", language="sv"),
    Talk("Per Lind", Topic.RETURN, "Ett lock är trasigt", "Ett av burklocken stänger inte.",
         ("# Same as Chloe's in the reviews: ask the supplier about that batch.",
          "> Det var tråkigt! Ett nytt lock är på väg, och du behöver inte skicka tillbaka det gamla."), language="sv"),
    Talk("Tomas Hale", Topic.PRODUCT, "Ten more hearts for a wedding", "Would sixty of the hanging hearts be here by Friday?"),
    Talk("Nadia Khan", Topic.OTHER, "A lost glove", "She left a blue glove at the till and comes by on Saturday.", is_on_phone=True),
)  # fmt: skip

REPLIES = (
    ReplyInput(name="On its way", language="en", body="Hello {name},\n\nYour order {order} is on its way.\n\n{agent}"),
    ReplyInput(name="På väg", language="sv", body="Hej {name}!\n\nDin beställning {order} är på väg.\n\n{agent}"),
)  # fmt: skip


async def tell(tx: Tx, channel: Channel, kim: UUID) -> int:
    """Hold them all, and save two replies; how many conversations there are. Once: who calls it holds that."""
    for reply in REPLIES:
        await saved.put(tx, reply)
    theirs, ours = tx.context, await _answering(tx)
    for number, each in enumerate(TALKS):
        about = each.is_kims and each.topic is Topic.ORDER
        data = BeginInput(
            channel=channel.id,
            subject=each.subject,
            body=each.body,
            topic=each.topic,
            order=await _last_order(tx, kim) if about else None,
            name=each.name,
            email=None if each.is_kims else f"writer-{number}@gift-shop.example",
            language=each.language,
            customer=kim if each.is_kims else None,
            medium="phone" if each.is_on_phone else "web",
        )
        made = await conversations.begin(tx, data)
        tx.context = ours  # whoever answers is named beside what was said
        try:
            await _go_on(tx, made.id, each)
        finally:
            tx.context = theirs
    return len(TALKS)


async def _answering(tx: Tx) -> Context:
    person = await staff.by_email(tx, ANSWERS_BY)
    actor = Actor(kind="staff", id=person.id, name=person.name, permissions=permissions_of(Role.OWNER))
    return msgspec.structs.replace(tx.context, actor=actor)


async def _go_on(tx: Tx, conversation: UUID, talk: Talk) -> None:
    for said in talk.more:
        way, body = said[0], said[2:]
        data = MessageInput(body=body, note=way == "#", way="in" if way == "<" else None)
        await conversations.write(tx, conversation, data)
    if talk.is_done:
        await conversations.change(tx, conversation, ChangeInput(state="closed"))


async def _last_order(tx: Tx, customer: UUID) -> str:
    number: str = await tx.value(
        "SELECT number FROM orders WHERE customer = $1 ORDER BY id DESC LIMIT 1", customer
    )
    return number
