"""What people ask about the demo's goods, and what the shop and other buyers answer. The words are ours, because the file has none."""

from typing import NamedTuple
from uuid import UUID

from samlad import catalog, questions
from samlad.channels import Channel, Resource
from samlad.kernel.database import Tx
from samlad.questions import AnswerInput, Decision, QuestionInput


class Asked(NamedTuple):
    """A question about a stock code. Not ``is_read``: it waits. ``is_kims``: Kim Berg asked, whose account one can look at."""

    sku: str
    author: str
    text: str
    answer: str = ""
    language: str = "en"
    is_read: bool = True
    is_kims: bool = False


QUESTIONS = (
    Asked("23355", "Tom W.", "How much water goes in?", "Two litres. Leave a hand's width free, so that it stays soft."),
    Asked("23355", "Kim B.", "Can the cover be washed?", "At 30 degrees, without the bottle. It dries overnight.", is_kims=True),
    Asked("23355", "Sanne V.", "Past de hoes ook om een kleinere kruik?", "Helaas niet: hij schuift eraf.", language="nl"),
    Asked("22961", "Elsa H.", "Går burkarna att frysa?", "Ja, men inte helt fulla.", language="sv"),
    Asked("22961", "Lena R.", "Do you sell spare lids?"),
    Asked("23084", "Yusuf D.", "How long does it glow?", "Six hours on three AAA batteries; it turns itself off."),
    Asked("85099B", "Kim B.", "Does it fit into an aeroplane's locker?", is_kims=True, is_read=False),
    Asked("22726", "Ida S.", "Is there a switch for the light?", is_read=False),
)  # fmt: skip


async def tell(tx: Tx, channel: Channel, kim: UUID) -> int:
    """Ask them all; how many there are. Once: who calls it holds that."""
    skus = sorted({each.sku for each in QUESTIONS})
    known = await catalog.by_skus(tx, channel.pool(Resource.CATALOGUE), skus)
    told = 0
    for number, each in enumerate(QUESTIONS):
        variant = known.get(each.sku)
        if variant is None:
            continue
        data = QuestionInput(
            channel=channel.id,
            product=variant.product,
            text=each.text,
            author=each.author,
            language=each.language,
            customer=kim if each.is_kims else None,
            email=None if each.is_kims else f"visitor-{number}@gift-shop.example",
        )
        question = await questions.ask(tx, data)
        await questions.confirm(tx, question.id)
        if each.answer:
            await questions.answer(tx, question.id, AnswerInput(text=each.answer))
        if each.is_read:
            await questions.decide(tx, question.id, Decision(status="published"))
        told += 1
    return told
