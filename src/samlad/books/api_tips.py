"""HTTP of tips: who was given what, and what was paid out of it."""

from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from samlad.books import tip_store, tips
from samlad.books.api_days import FirstDay, LastDay
from samlad.books.permissions import READ
from samlad.books.tip_model import TipPayout, TipPayoutInput, TipsOwed, UndoTipsInput
from samlad.books.tip_store import PAYOUTS, PayoutRow, TipRow
from samlad.kernel.http import AnyRequest, actor_of, database_of, write
from samlad.kernel.listing import (
    ASKED,
    FromAsked,
    Page,
    Wanted,
)


def _scope(request: AnyRequest) -> list[UUID] | None:
    actor = actor_of(request)
    actor.require(READ)
    return actor.bound_to


@get("/tips/owed", summary="Read what tips are owed to whom")
async def read_owed(request: AnyRequest) -> list[TipsOwed]:
    """Of each clerk at each location: what customers gave, what of it was paid out, and what is owed."""
    return await tip_store.owed(database_of(request), tip_store.Wanted(locations=_scope(request)))


@get("/tips/each", summary="List tips", dependencies=ASKED)
async def list_tips(
    request: AnyRequest,
    asked: FromAsked,
    location: Wanted = None,
    clerk: Wanted = None,
    till: Wanted = None,
    status: Wanted = None,
    first: FirstDay = None,
    last: LastDay = None,
) -> Response[Page[TipRow]]:
    """Each tip, the latest first. ``status``: owed or paid; ``till``: the name of a drawer."""
    filters = {
        "location": location,
        "clerk": clerk,
        "till": till,
        "status": status,
        "from": first,
        "to": last,
    }
    query = asked.query(filters)
    return await tip_store.TIPS.answer(
        database_of(request), query, _scope(request), as_csv=asked.as_csv, name="tips"
    )


@get("/tips/payouts", summary="List payouts of tips", dependencies=ASKED)
async def list_payouts(
    request: AnyRequest,
    asked: FromAsked,
    location: Wanted = None,
    clerk: Wanted = None,
    means: Wanted = None,
    status: Wanted = None,
    first: FirstDay = None,
    last: LastDay = None,
) -> Response[Page[PayoutRow]]:
    """What was paid out, the latest first. ``means``: drawer, bank or wages; ``status``: paid or undone."""
    filters = {
        "location": location,
        "clerk": clerk,
        "means": means,
        "status": status,
        "from": first,
        "to": last,
    }
    query = asked.query(filters)
    return await PAYOUTS.answer(
        database_of(request), query, _scope(request), as_csv=asked.as_csv, name="tip-payouts"
    )


@post("/tips/payouts", summary="Pay tips out", status_code=201)
async def pay_out(request: AnyRequest, data: JSONBody[TipPayoutInput]) -> Response[TipPayout]:
    """All that is owed to somebody at a location. Another sum than what is owed is refused, and the answer says what is."""
    return await write(request, lambda tx: tips.pay_out(tx, data), status=201)


@post("/tips/payouts/{payout_id:uuid}/undo", summary="Undo a payout of tips", status_code=200)
async def undo(
    request: AnyRequest, payout_id: FromPath[UUID], data: JSONBody[UndoTipsInput]
) -> Response[TipPayout]:
    """They are owed again, with a reason that the audit log keeps. Twice is once."""
    return await write(request, lambda tx: tips.undo(tx, payout_id, data))


TIPS = [read_owed, list_tips, list_payouts, pay_out, undo]
