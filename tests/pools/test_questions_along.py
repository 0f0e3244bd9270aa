"""Questions go with their products when catalogues join, and come back with them; who asked is found in the own pool again."""

from uuid import UUID

from goods import build_apart, product
from silo import Silo

from samlad import questions
from samlad.channels import Channel, Resource
from samlad.kernel.database import Database, Tx
from samlad.kernel.listing import ListQuery
from samlad.questions import Decision, QuestionInput
from trade import build

GTIN = "7310865004703"


async def ask(silo: Silo, channel: Channel, variant: UUID, text: str) -> UUID:
    """A question to a channel about a variant, that is shown."""
    of = await product_of(silo, variant)
    data = QuestionInput(
        channel=channel.id, product=of, variant=variant, text=text, language="sv", email="kim@example.org"
    )

    async def work(tx: Tx) -> UUID:
        made = await questions.ask(tx, data)
        await questions.decide(tx, made.id, Decision(status="published"))
        return made.id

    return await silo.trade.db.transaction(work)


async def product_of(silo: Silo, variant: UUID) -> UUID:
    found: UUID = await silo.trade.db.value("SELECT product FROM variant WHERE id = $1", variant)
    return found


async def shown(silo: Silo, variant: UUID) -> set[str]:
    of = await product_of(silo, variant)
    page = await questions.SHOWN.page(silo.trade.db, ListQuery(), of)
    return {each.text for each in page.items}


async def test_questions_follow_their_products(db: Database) -> None:
    apart = await build_apart(await build(db))
    (theirs,) = await product(apart, apart.trade.web, {"sku": "W-1", "gtin": GTIN}, quantity=5)
    (ours,) = await product(apart, apart.market, {"sku": "M-1", "gtin": GTIN}, quantity=7)
    await ask(apart, apart.trade.web, theirs, "Deras?")
    await ask(apart, apart.market, ours, "Vår?")
    assert (await shown(apart, theirs), await shown(apart, ours)) == ({"Deras?"}, {"Vår?"})
    await apart.join(Resource.CATALOGUE)
    assert (await shown(apart, theirs), await shown(apart, ours)) == ({"Deras?", "Vår?"}, set())
    await ask(apart, await apart.now(), theirs, "Vår, medan vi delade?")
    await apart.leave(Resource.CATALOGUE)
    assert await shown(apart, theirs) == {"Deras?"}
    assert await shown(apart, ours) == {"Vår?", "Vår, medan vi delade?"}
