"""On an order's page: what a provider refused to give back is paid back by bank, out of a drawer, or as store credit."""

from uuid import UUID

import msgspec

from samlad import books
from samlad.books import CashRefundInput
from samlad.books.permissions import TILL_REFUND
from samlad.faces.admin.scope import own_locations
from samlad.faces.form import Form
from samlad.faces.page import AnyRequest, change, words
from samlad.kernel.database import Database
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput
from samlad.orders import Order, paid_otherwise
from samlad.orders.paid_otherwise import PaidOtherwiseInput
from samlad.payments import Refund, otherwise
from samlad.payments.permissions import RECEIVE

DRAWER = "drawer:"


class Unpaid(msgspec.Struct, frozen=True, kw_only=True):
    """A refund that failed: what is left of it (minor units), whether its provider may be asked again, and an id for paying it otherwise."""

    refund: Refund
    left: int
    is_whole: bool
    key: UUID


async def unpaid(reader: Database, order: Order) -> dict[UUID, Unpaid]:
    """What providers refused to give back of an order and nobody has given back since, by refund."""
    found = {}
    for refund in order.refunds:
        left = await otherwise.left(reader, refund)
        if left > 0:
            found[refund.id] = Unpaid(refund=refund, left=left, is_whole=left == refund.amount, key=new_id())
    return found


async def ways(request: AnyRequest, order: Order) -> list[tuple[str, str]]:
    """How this person may pay it back: by bank, as credit of a customer who is known, out of their open drawers."""
    _, actor, database = words(request), actor_of(request), database_of(request)
    if not actor.may(RECEIVE):
        return []
    found = [("bank_transfer", _("Bank transfer"))]
    if order.customer is not None:
        found.append(("store_credit", _("Store credit")))
    for place in await own_locations(actor, database):
        if actor.may(TILL_REFUND, place.id):
            found += [
                (
                    f"{DRAWER}{shift.id}",
                    _("Cash: drawer %(till)s, %(place)s") % {"till": shift.till_name, "place": place.name},
                )
                for shift in await books.open_shifts(database, place.id)
                if shift.currency == order.currency
            ]
    return found


async def pay(request: AnyRequest, order: Order, refund: Refund, form: Form) -> str:
    """Pay it back as the form says; the sentence that tells of it.

    Raises:
        InvalidInput: at the form's field.
    """
    _, way, amount = words(request), form.get("way"), form.amount("amount", order.currency)
    if amount is not None and amount <= 0:
        raise InvalidInput.at("amount", form.translate(marked("Please write an amount.")))
    key = form.one("id", UUID)
    if way.startswith(DRAWER):
        cash = form.into(
            CashRefundInput, refund=str(refund.id), amount=amount, reason=form.text("reference") or ""
        )
        shift = _drawer(way, form)
        await change(request, lambda tx: books.refund_cash(tx, shift, cash))
        return _("Paid out. It is written down.")
    data = form.into(PaidOtherwiseInput, amount=amount, id=str(key))
    await change(request, lambda tx: paid_otherwise.pay_back(tx, refund.id, data))
    return _("Noted: the money went back.")


def _drawer(way: str, form: Form) -> UUID:
    try:
        return UUID(way.removeprefix(DRAWER))
    except ValueError:
        raise InvalidInput.at("way", form.translate(marked("Please choose one of these."))) from None
