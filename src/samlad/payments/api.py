"""HTTP: payments by themselves, money that came in, the keys of providers, the simulated terminal.

Payments are begun with a cart (`samlad.carts.paying`) and taken, captured and refunded with an order.
"""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, Router, delete, get, post, put
from litestar.params import FromPath, JSONBody

from samlad.kernel import cards
from samlad.kernel.database import Tx
from samlad.kernel.http import AnyRequest, actor_of, database_of, write
from samlad.kernel.listing import DEFAULT_LIMIT, Cursor, FileFormat, Limit, ListQuery, Page, Sorting, Wanted
from samlad.kernel.problems import NotFound
from samlad.payments import accounts, manual, manual_store, service, settlements, store, terminal
from samlad.payments.accounts import ProviderInfo, StripeKeys
from samlad.payments.model import Amount, Note, Payment, Receipt, ReceivedInput, Refund
from samlad.payments.permissions import CAPTURE, READ
from samlad.payments.settlements import Recorded, Settlement, SettlementsInput
from samlad.payments.terminal import Button, TerminalPayment


class PartInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A part of a payment, minor units."""

    amount: Amount


class CollectInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Money that was handed over, minor units."""

    amount: Amount
    note: Annotated[Note, msgspec.Meta(examples=["Paid to the courier"])] = ""


class PressInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A key of the terminal."""

    button: Button


@get("/payments/{payment_id:uuid}", summary="Read a payment")
async def read_payment(request: AnyRequest, payment_id: FromPath[UUID]) -> Payment:
    """How a payment stands, as far as is known here."""
    actor_of(request).require(READ)
    found = await store.read(database_of(request), payment_id)
    if found is None:
        raise NotFound("There is no such payment.")
    return found


@post("/payments/{payment_id:uuid}/capture", summary="Take a part of what was reserved", status_code=202)
async def capture_part(
    request: AnyRequest, payment_id: FromPath[UUID], data: JSONBody[PartInput]
) -> Response[Payment]:
    """Take a part of what was authorised, once; the provider lets go of the rest. It is asked after this answer, and
    again until it has answered: read the payment to see."""

    async def work(tx: Tx) -> Payment:
        tx.actor.require(CAPTURE)
        return await service.capture_part(tx, payment_id, data.amount)

    return await write(request, work, status=202)


@post("/payments/{payment_id:uuid}/receive", summary="Book money that was handed over", status_code=201)
async def collect(
    request: AnyRequest, payment_id: FromPath[UUID], data: JSONBody[CollectInput]
) -> Response[Receipt]:
    """Money for a payment on delivery, or for an invoice at the counter; in parts if it comes so."""
    return await write(
        request, lambda tx: manual.collect(tx, payment_id, data.amount, note=data.note), status=201
    )


@post("/payment-receipts", summary="Book money that came in by bank", status_code=201)
async def receive(request: AnyRequest, data: JSONBody[ReceivedInput]) -> Response[Receipt]:
    """It pays what its reference says, in parts if it comes so; ``matched`` says how much of it was due. The rest, and
    what nobody knows, waits for a person. The same ``bank_id`` again answers what was booked the first time."""
    return await write(request, lambda tx: manual.receive(tx, data), status=201)


@get("/payment-receipts", summary="List money that came in")
async def list_receipts(
    request: AnyRequest,
    unmatched: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[Receipt]]:
    """By bank or by hand, the latest first; ``unmatched=true`` for what a person must look at. Sort by received_on or
    amount."""
    actor_of(request).require(READ)
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={"unmatched": unmatched})
    return await manual_store.RECEIPTS.answer(
        database_of(request), query, as_csv=as_format == "csv", name="payment-receipts"
    )


@post("/refunds/{refund_id:uuid}/done", summary="Say that a refund by hand was sent", status_code=204)
async def refund_done(request: AnyRequest, refund_id: FromPath[UUID]) -> Response[None]:
    """For refunds of bank transfers, invoices, payments on delivery and marketplaces: nobody here sends them."""
    return await write(request, lambda tx: manual.refunded(tx, refund_id), status=204)


@post("/refunds/{refund_id:uuid}/again", summary="Try a failed refund once more", status_code=200)
async def refund_again(request: AnyRequest, refund_id: FromPath[UUID]) -> Response[Refund]:
    """The provider is asked once more, as a new refund; asked twice it is the same one."""
    return await write(request, lambda tx: manual.try_again(tx, refund_id))


@post("/payment-settlements", summary="Book what a provider kept and paid out", status_code=200)
async def record_settlements(request: AnyRequest, data: JSONBody[SettlementsInput]) -> Response[Recorded]:
    """Entries of a provider's account from its file; each counts once. Stripe is asked each hour by itself."""
    return await write(request, lambda tx: settlements.record(tx, data))


@get("/payment-settlements", summary="List what providers kept and paid out")
async def list_settlements(
    request: AnyRequest,
    provider: Wanted = None,
    kind: Wanted = None,
    payment: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[Settlement]]:
    """Fees, corrections and payouts, the latest first. Sort by happened_at or amount."""
    actor_of(request).require(READ)
    filters = {"provider": provider, "kind": kind, "payment": payment}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await settlements.SETTLEMENTS.answer(
        database_of(request), query, as_csv=as_format == "csv", name="payment-settlements"
    )


@get("/payment-providers", summary="List ways to pay")
async def list_providers(request: AnyRequest) -> list[ProviderInfo]:
    """Every provider, and whether its keys are set. Which ones a channel offers is its setting
    ``payment_providers``."""
    actor_of(request).require(READ)
    return await accounts.infos(database_of(request))


@put("/payment-providers/stripe", summary="Set the keys of Stripe", status_code=204)
async def set_stripe(request: AnyRequest, data: JSONBody[StripeKeys]) -> Response[None]:
    """Keep the keys sealed in the vault, in place of what was there. They are never shown again."""
    safe = request.app.state.runtime.vault
    cards.refuse(data)
    return await write(request, lambda tx: accounts.set_keys(tx, safe, "stripe", data), status=204)


@delete("/payment-providers/stripe", summary="Forget the keys of Stripe", status_code=204)
async def remove_stripe(request: AnyRequest) -> Response[None]:
    """Nobody can pay so any more; what is under way waits for new keys."""
    return await write(request, lambda tx: accounts.remove_keys(tx, "stripe"), status=204)


@get("/terminal/payments", summary="What the simulated terminal waits for")
async def list_terminal(request: AnyRequest) -> list[TerminalPayment]:
    """Payments that wait for a card, the latest first."""
    actor_of(request).require(READ)
    return await terminal.waiting(database_of(request))


@post(
    "/terminal/payments/{payment_id:uuid}", summary="Press a key of the simulated terminal", status_code=200
)
async def press(
    request: AnyRequest, payment_id: FromPath[UUID], data: JSONBody[PressInput]
) -> Response[TerminalPayment]:
    """``approve``: a card that is accepted; ``decline``: one that is not; ``cancel``: the red key."""
    return await write(request, lambda tx: terminal.press(tx, payment_id, data.button))


routes = [
    Router(
        path="/api",
        route_handlers=[
            read_payment,
            capture_part,
            collect,
            receive,
            list_receipts,
            refund_done,
            refund_again,
            record_settlements,
            list_settlements,
            list_providers,
            set_stripe,
            remove_stripe,
            list_terminal,
            press,
        ],
        tags=["Payments"],
    )
]
