"""HTTP of gift cards and store credit. Loyalty is in `samlad.credit.api_loyalty`."""

from typing import Annotated
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from samlad import customers
from samlad.channels import Resource
from samlad.credit import at_till, card_mails, gift_cards, store_credit, unsold
from samlad.credit.api_loyalty import LOYALTY
from samlad.credit.at_till import Prepared, PrepareInput
from samlad.credit.book import ENTRIES
from samlad.credit.mail_model import CardMail, MailDay
from samlad.credit.model import (
    Balance,
    BalanceInput,
    CardBalance,
    CardRow,
    CardStatusInput,
    CardUnusable,
    EntryRow,
    GiftCard,
    GrantInput,
    IssuedCard,
    IssueInput,
    LookUpInput,
    TopUpInput,
)
from samlad.credit.permissions import PAY, READ
from samlad.credit.store import CARDS
from samlad.credit.unsold import UNSOLD, TakeBackInput, TakenBack, UnsoldCard
from samlad.kernel.http import AnyRequest, actor_of, context_of, database_of, with_etag, write
from samlad.kernel.listing import DEFAULT_LIMIT, Cursor, FileFormat, Limit, ListQuery, Page, Sorting, Wanted
from samlad.stock import reach


@get("/gift-cards", summary="List gift cards")
async def list_cards(
    request: AnyRequest,
    status: Wanted = None,
    currency: Wanted = None,
    pool: Wanted = None,
    customer: Wanted = None,
    last_four: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[CardRow]]:
    """All cards with what is on them, newest first; never a code. Sort by created_at, balance or expires_on."""
    actor_of(request).require(READ)
    filters = {
        "status": status,
        "currency": currency,
        "pool": await reach.pool_filter(database_of(request), actor_of(request), Resource.CUSTOMERS, pool),
        "customer": customer,
        "last_four": last_four,
    }
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await CARDS.answer(database_of(request), query, as_csv=as_format == "csv", name="gift-cards")


@post("/gift-cards", summary="Issue a gift card", status_code=201)
async def issue(request: AnyRequest, data: JSONBody[IssueInput]) -> Response[IssuedCard]:
    """Make a card. The answer has its code, which is told this once.

    With ``order`` it is sold: it pays once that order is paid. Without, it is given and pays at once.
    """
    return await write(request, lambda tx: gift_cards.issue(tx, data), status=201, secret=True)


@post("/gift-cards/prepared", summary="Make gift cards to be printed", status_code=201)
async def prepare_cards(request: AnyRequest, data: JSONBody[PrepareInput]) -> Response[Prepared]:
    """Empty cards: each is worth what it is sold for. Their codes are told this once."""
    return await write(request, lambda tx: at_till.prepare(tx, data), status=201, secret=True)


@get("/gift-cards/waiting", summary="List gift cards that wait")
async def list_waiting(
    request: AnyRequest,
    waits_for: Annotated[
        str | None,
        QueryParameter(name="for", max_length=40, description="sale, payment, or both with a comma"),
    ] = None,
    channel: Wanted = None,
    q: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[UnsoldCard]]:
    """Printed for a till and not sold (``sale``), or loaded with an order that is not paid (``payment``)."""
    actor_of(request).require(READ)
    pools = await reach.pool_filter(database_of(request), actor_of(request), Resource.CUSTOMERS)
    filters = {"for": waits_for, "channel": channel, "pool": pools, "q": q}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await UNSOLD.answer(
        database_of(request), query, as_csv=as_format == "csv", name="gift-cards-waiting"
    )


@post("/gift-cards/waiting/take-back", summary="Take back gift cards that wait", status_code=200)
async def take_back(request: AnyRequest, data: JSONBody[TakeBackInput]) -> Response[TakenBack]:
    """They are worth nothing for ever: all that are named, or none. Twice is once."""
    return await write(request, lambda tx: unsold.take_back(tx, data))


@get("/gift-cards/{card_id:uuid}", summary="Read a gift card")
async def read_card(request: AnyRequest, card_id: FromPath[UUID]) -> Response[GiftCard]:
    """A card with what is on it, and an ETag of its version."""
    actor_of(request).require(READ)
    card = await gift_cards.get(database_of(request), card_id)
    return with_etag(card, card.version)


@get("/gift-cards/{card_id:uuid}/entries", summary="Read a gift card's history")
async def card_entries(
    request: AnyRequest,
    card_id: FromPath[UUID],
    kind: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[EntryRow]]:
    """Everything that came onto the card and went off it, newest first."""
    actor_of(request).require(READ)
    database = database_of(request)
    await gift_cards.get(database, card_id)
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={"kind": kind})
    return await ENTRIES.answer(database, query, [card_id], as_csv=as_format == "csv", name="gift-card")


@post("/gift-cards/{card_id:uuid}/top-ups", summary="Top up a gift card", status_code=200)
async def top_up(
    request: AnyRequest, card_id: FromPath[UUID], data: JSONBody[TopUpInput]
) -> Response[GiftCard]:
    """More onto a card: once its order is paid, or at once with a reason."""
    return await write(request, lambda tx: gift_cards.top_up(tx, card_id, data))


@post("/gift-cards/{card_id:uuid}/block", summary="Block a gift card", status_code=200)
async def block(
    request: AnyRequest, card_id: FromPath[UUID], data: JSONBody[CardStatusInput]
) -> Response[GiftCard]:
    """It pays nothing until it is freed or replaced."""
    return await write(request, lambda tx: gift_cards.block(tx, card_id, data.reason))


@post("/gift-cards/{card_id:uuid}/unblock", summary="Free a blocked gift card", status_code=200)
async def unblock(
    request: AnyRequest, card_id: FromPath[UUID], data: JSONBody[CardStatusInput]
) -> Response[GiftCard]:
    """It pays again."""
    return await write(request, lambda tx: gift_cards.unblock(tx, card_id, data.reason))


@post("/gift-cards/{card_id:uuid}/replace", summary="Replace a lost gift card", status_code=201)
async def replace(
    request: AnyRequest, card_id: FromPath[UUID], data: JSONBody[CardStatusInput]
) -> Response[IssuedCard]:
    """A new card with the same balance; its code is told this once, the old one is worth nothing."""
    return await write(
        request, lambda tx: gift_cards.replace(tx, card_id, data.reason), status=201, secret=True
    )


@get("/gift-cards/{card_id:uuid}/mail", summary="Read how a gift card goes by mail")
async def read_mail(request: AnyRequest, card_id: FromPath[UUID]) -> CardMail:
    """Whom the card goes to, on which day, and when it went."""
    actor_of(request).require(READ)
    return await card_mails.read(database_of(request), card_id)


@post("/gift-cards/{card_id:uuid}/mail/day", summary="Let a gift card go on another day", status_code=200)
async def change_mail_day(
    request: AnyRequest, card_id: FromPath[UUID], data: JSONBody[MailDay]
) -> Response[CardMail]:
    """The day in the channel's time zone; today at once. What was sent stays sent."""
    return await write(request, lambda tx: card_mails.change_day(tx, card_id, data))


@post("/gift-cards/{card_id:uuid}/mail/now", summary="Send a gift card now", status_code=200)
async def send_now(request: AnyRequest, card_id: FromPath[UUID]) -> Response[CardMail]:
    """Whatever its day. It goes once: asked again, the answer is that it was sent."""
    return await write(request, lambda tx: card_mails.send_now(tx, card_id))


@post("/gift-cards/lookup", summary="Look up a gift card by its code", status_code=200)
async def look_up(request: AnyRequest, data: JSONBody[LookUpInput]) -> GiftCard:
    """For staff: the card in whatever state it is. The code is in the body, so that no log keeps it."""
    actor_of(request).require(PAY)
    card = await gift_cards.find(database_of(request), data.code)
    if card is None:
        raise CardUnusable("No card has this code.")
    return card


@post("/gift-cards/balance", summary="Ask what a gift card can pay", status_code=200)
async def read_balance(request: AnyRequest, data: JSONBody[BalanceInput]) -> CardBalance:
    """For whoever holds its code. What cannot pay in this channel gets the same answer whatever is the matter.

    Twenty questions in ten minutes from one address; more are refused.
    """
    database = database_of(request)
    await database.transaction(gift_cards.guess, context_of(request))
    return await gift_cards.balance(database, data)


@get("/customers/{customer_id:uuid}/store-credit", summary="Read a customer's store credit")
async def read_credit(request: AnyRequest, customer_id: FromPath[UUID]) -> list[Balance]:
    """What they have with the shop, by currency."""
    actor_of(request).require(READ)
    return await store_credit.of_customer(database_of(request), customer_id)


@post("/customers/{customer_id:uuid}/store-credit", summary="Grant store credit", status_code=200)
async def grant(
    request: AnyRequest, customer_id: FromPath[UUID], data: JSONBody[GrantInput]
) -> Response[list[Balance]]:
    """Give a customer store credit with a reason, or (``order``) as the refund of an order; what they have now."""
    return await write(request, lambda tx: store_credit.grant(tx, customer_id, data))


@get("/customers/{customer_id:uuid}/credit-entries", summary="Read the history of credit and points")
async def customer_entries(
    request: AnyRequest,
    customer_id: FromPath[UUID],
    kind: Wanted = None,
    account: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[EntryRow]]:
    """Every entry of a customer, newest first. ``account``: store_credit, points or pending."""
    actor_of(request).require(READ)
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={"kind": kind, "account": account})
    database = database_of(request)
    same = await customers.members(database, customer_id)
    return await ENTRIES.answer(database, query, same, as_csv=as_format == "csv", name="credit")


routes = [
    Router(
        path="/api",
        route_handlers=[
            list_cards,
            issue,
            prepare_cards,
            list_waiting,
            take_back,
            read_card,
            card_entries,
            top_up,
            block,
            unblock,
            replace,
            read_mail,
            change_mail_day,
            send_now,
            look_up,
            read_balance,
            read_credit,
            grant,
            customer_entries,
        ],
        tags=["Gift cards and store credit"],
    ),
    Router(path="/api", route_handlers=LOYALTY, tags=["Loyalty"]),
]
