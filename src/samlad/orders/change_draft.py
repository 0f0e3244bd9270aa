"""A change in the making: its actions, worked one by one into a copy of the order's lines. Nothing is written here."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from samlad.carts import Address
from samlad.carts import rules as cart_rules
from samlad.carts.quoting import quoted
from samlad.kernel.money import share
from samlad.kernel.problems import InvalidInput
from samlad.orders import change_rules as rules
from samlad.orders import sets
from samlad.orders.change_model import (
    AddAction,
    AddressAction,
    CancelAction,
    ChangeInput,
    ClaimAction,
    Condition,
    Disposition,
    ExchangeAction,
    FeeAction,
    GoodwillAction,
    Notice,
    QuantityAction,
    ReturnAction,
    ReturnReason,
)
from samlad.orders.change_planned import BackUnit, Facts, Offer
from samlad.orders.model import Concession, LineKind, OrderHead, OrderLine, WrongState
from samlad.orders.return_reasons import disposition
from samlad.orders.rules import order_complete, returnable, taxed_fields, unfulfilled
from samlad.stock.scanning import read
from samlad.tax import amounts


class Draft:
    """A change in the making."""

    def __init__(self, head: OrderHead, lines: Sequence[OrderLine], facts: Facts, data: ChangeInput) -> None:
        self.head, self.facts, self.data = head, facts, data
        self.bought = list(lines)
        self.lines = {line.position: line for line in lines}
        self.came: list[OrderLine] = []
        self.off_lines: list[OrderLine] = []
        self.added: list[OrderLine] = []
        self.sold: list[OrderLine] = []
        self.back_units: list[BackUnit] = []
        self.off: dict[int, int] = {}
        self.follows: dict[int, tuple[int, str]] = {}
        self.expected = 0
        self.concessions: dict[int, list[Concession]] = {}
        self.fees: list[OrderLine] = []
        self.goodwill = 0
        self.address: Address | None = None
        self.notices: list[Notice] = []
        self.other: list[tuple[int | None, str]] = []
        self.pays_for_sending = False

    # -- the actions -----------------------------------------------------------------------------------------------------

    def take(self, index: int) -> None:
        """Work one action into the draft.

        Raises:
            InvalidInput: at ``actions/{index}/…``. WrongState: the order is too far for it.
        """
        action, field = self.data.actions[index], f"actions/{index}"
        match action:
            case ReturnAction():
                self._return(action, field)
            case CancelAction():
                self._cancel(self._line(action.position, field), action.quantity, field)
            case QuantityAction():
                self._quantity(action, field)
            case AddAction():
                self._add(action.variant, action.quantity, field)
            case ExchangeAction():
                self._exchange(action, field)
            case ClaimAction():
                self._claim(action, field)
            case GoodwillAction():
                self._goodwill(action, field)
            case FeeAction():
                self.fees.append(rules.fee(action.title, action.amount, self._largest(), self.head.id))
            case AddressAction():
                if order_complete(self.bought):
                    raise WrongState("All of it has left already.", state=self.head.status)
                faults = cart_rules.address_errors(action.address, f"{field}/address")
                if faults:
                    raise InvalidInput("The address cannot be right.", errors=tuple(faults))
                self.address = cart_rules.tidy(action.address)
                self._check_country(self.address, field)
            case _:
                pass

    def _check_country(self, address: Address, field: str) -> None:
        """Its taxes and its way of delivery are those of the country that it was sold to."""
        if self.head.country is not None and address.country != self.head.country:
            text = "another country has other taxes: call the order off and sell it anew"
            raise InvalidInput.at(f"{field}/address/country", text)

    def _line(self, position: int, field: str) -> OrderLine:
        line = self.lines.get(position)
        if line is None or line.kind is not LineKind.ITEM:
            raise InvalidInput.at(f"{field}/position", "there is no such line of goods")
        return line

    def _reason(self, code: str, field: str) -> ReturnReason:
        reason = self.facts.reasons.get(code)
        if reason is None or not reason.is_active:
            there = ", ".join(each.code for each in self.facts.reasons.values() if each.is_active)
            raise InvalidInput.at(f"{field}/reason", f"one of {there}")
        return reason

    def _return(self, action: ReturnAction, field: str) -> None:
        line, reason = self._line(action.position, field), self._reason(action.reason, field)
        what = disposition(reason, action.condition, action.restock, self.facts.channel)
        self._check_scanned(line, action.scanned)
        self._back(
            line,
            action.quantity,
            reason,
            field,
            what,
            action.location,
            action.condition,
            _lots_of(action.lot, action.scanned),
        )

    def _back(
        self,
        line: OrderLine,
        quantity: int,
        reason: ReturnReason,
        field: str,
        what: Disposition,
        location: UUID | None = None,
        condition: Condition | None = None,
        lots: tuple[str, ...] = (),
    ) -> list[OrderLine]:
        self._check_out(line, quantity, field)
        place = location or self.data.location
        is_here = what is not Disposition.NOWHERE and line.variant is not None
        if self.head.imported is not None and is_here and place is None:
            raise InvalidInput.at("location", "say where it came in: it did not leave from any place here")
        found = rules.back(line, quantity, self.head.id)
        self.came += found
        self.lines[line.position] = msgspec.structs.replace(line, returned=line.returned + quantity)
        why = f"{reason.code}, {condition}" if condition else reason.code
        unit = BackUnit(
            position=line.position,
            variant=line.variant,
            sku=line.sku,
            quantity=quantity,
            disposition=what,
            location=place,
            why=why,
            lots=lots,
        )
        self.back_units.append(unit)
        self._look_at(line, reason)
        worth = -sum(each.total for each in found)
        if reason.fee_bp and worth > 0 and not self._waived():
            self.fees.append(
                rules.fee(rules.RESTOCKING, share(worth, reason.fee_bp, 10_000), line, self.head.id)
            )
        self.pays_for_sending |= self.data.sent_in and reason.ships == "customer"
        return found

    def _check_out(self, line: OrderLine, quantity: int, field: str) -> None:
        coming = self.follows.get(line.position, (0, ""))[0] + self.facts.reserved.get(line.position, 0)
        possible = max(0, returnable([line])[line.position] - coming)
        if quantity > possible:
            raise InvalidInput.at(f"{field}/quantity", f"at most {possible}: no more of it is out")

    def _look_at(self, line: OrderLine, reason: ReturnReason) -> None:
        """What there is to say of a line that comes back."""
        late = rules.window_notice(line, self.facts.terms.get(line.position), self.facts.today)
        if late is not None and reason.ships == "customer" and late not in self.notices:
            self.notices.append(late)  # what is the shop's fault may come back for longer than a withdrawal
        if reason.photo and not self.data.photos:
            text = f"A picture is asked for when the reason is “{reason.name}”."
            self.notices.append(
                Notice(code="photo", text=text, values={"title": line.title}, position=line.position)
            )

    def _waived(self) -> bool:
        if self.data.waive_fees and not any(notice.code == "fee-waived" for notice in self.notices):
            text = "The restocking fee is waived."
            self.notices.append(Notice(code="fee-waived", text=text, needs_override=True))
        return self.data.waive_fees

    def _check_scanned(self, line: OrderLine, code: str | None) -> None:
        if code and read(code).code != line.sku and self.facts.codes.get(code) != line.variant:
            self.other.append((line.position, code))

    def _cancel(self, line: OrderLine, quantity: int, field: str) -> None:
        possible = unfulfilled([line])[line.position]
        if quantity > possible:
            raise InvalidInput.at(f"{field}/quantity", f"at most {possible}: no more of it is still to go")
        self.off_lines += rules.back(line, quantity, self.head.id)
        self.off[line.position] = self.off.get(line.position, 0) + quantity
        self.lines[line.position] = msgspec.structs.replace(line, cancelled=line.cancelled + quantity)

    def _quantity(self, action: QuantityAction, field: str) -> None:
        line = self._line(action.position, field)
        now = line.quantity - rules.gone(line)
        if action.quantity < now:
            self._cancel(line, now - action.quantity, field)
        elif action.quantity > now and line.variant is not None:
            self._add(line.variant, action.quantity - now, field)

    def _add(self, variant: UUID, quantity: int, field: str) -> None:
        if order_complete(self.bought):
            raise WrongState("All of it has left; sell more as an order of its own.", state=self.head.status)
        line = self._priced(variant, quantity, self.facts.adding, field)
        self._give(self.added, line, self.facts.adding)

    def _give(self, to: list[OrderLine], line: OrderLine, offer: Offer) -> None:
        """New goods; a set as its parts."""
        known = None if line.variant is None else offer.sellables.get(line.variant)
        first = len(to) + 1 + (max(self.lines) if to is self.added else 0)
        parting = sets.taxed_by(lambda part: taxed_fields(offer.by.of(part)))
        to += sets.in_parts([(line, known)], parting, first)

    def _priced(self, variant: UUID, quantity: int, offer: Offer, field: str) -> OrderLine:
        """Goods at today's price, quoted and taxed where they go as a cart is, each by its own class."""
        sold = offer.sellables.get(variant)
        if sold is None or sold.price is None or not sold.is_available or sold.currency != self.head.currency:
            raise InvalidInput.at(f"{field}/variant", "this is not for sale here")
        price = quoted(sold, (sold.price, sold.price), quantity, [], offer.channel, offer.by.of).unit_price
        line = OrderLine(
            position=1,
            kind=LineKind.ITEM,
            variant=sold.variant,
            sku=sold.sku,
            title=sold.title,
            options=sold.options,
            quantity=quantity,
            unit_price=price,
            sold_by=sold.sold_by,
            tax_included=sold.tax_included,
            total=0,
            **taxed_fields(offer.by.of(sold)),
        )
        costs = amounts(
            line.unit_price, quantity, line.tax_rate, tax_included=line.tax_included, per=line.sold_by.per
        )
        return msgspec.structs.replace(line, tax=costs.tax, total=costs.total)

    def _exchange(self, action: ExchangeAction, field: str) -> None:
        line, reason = self._line(action.position, field), self._reason(action.reason, field)
        self._check_scanned(line, action.scanned)
        out = returnable([line])[line.position]
        is_out = out >= action.quantity
        if action.instant:
            self._check_out(line, action.quantity, field)
            found = rules.back(line, action.quantity, self.head.id)
            before = self.follows.get(line.position, (0, ""))[0]
            self.follows[line.position] = (before + action.quantity, action.reason)
            self.expected += -sum(each.total for each in found)
            self._look_at(line, reason)
        elif is_out or out > 0:
            what = disposition(reason, action.condition, None, self.facts.channel)
            lots = _lots_of(action.lot, action.scanned)
            found = self._back(line, action.quantity, reason, field, what, None, action.condition, lots)
        else:
            first = len(self.off_lines)
            self._cancel(line, action.quantity, field)
            found = self.off_lines[first:]
        new = self._other(line, found, action, field)
        to = self.added if not is_out and not action.instant else self.sold
        self._give(to, new, self.facts.giving)

    def _other(self, line: OrderLine, came: list[OrderLine], action: ExchangeAction, field: str) -> OrderLine:
        """What is given instead: at today's price, or at what was paid for what comes back."""
        is_same = action.variant is None or action.variant == line.variant
        if not (is_same or action.keep_price):
            assert action.variant is not None
            return self._priced(action.variant, action.quantity, self.facts.giving, field)
        other = line
        if not is_same:
            assert action.variant is not None
            products = self.facts.products
            if line.variant is None or products.get(action.variant) != products.get(line.variant):
                raise InvalidInput.at(f"{field}/keep_price", "only for another variant of the same product")
            sold = self._priced(action.variant, action.quantity, self.facts.giving, field)
            other = msgspec.structs.replace(
                line, variant=sold.variant, sku=sold.sku, title=sold.title, options=sold.options
            )
        return self._at_what_was_paid(other, action.quantity, came)

    def _at_what_was_paid(self, line: OrderLine, quantity: int, came: list[OrderLine]) -> OrderLine:
        """A line of its own: not of the set that the first one was a part of, and no other subscription begins with it."""
        total, tax = -sum(each.total for each in came), -sum(each.tax for each in came)
        quoted = total if line.tax_included else total - tax
        return msgspec.structs.replace(
            line,
            position=1,
            quantity=quantity,
            unit_price=quoted * line.sold_by.per // quantity,
            tax=tax,
            total=total,
            fulfilled=0,
            returned=0,
            cancelled=0,
            substitutes=None,
            reductions=[],
            concessions=[],
            plan=None,
            gift_note=None,
            set_of=None,
        )

    def _claim(self, action: ClaimAction, field: str) -> None:
        line, reason = self._line(action.position, field), self._reason(action.reason, field)
        what = Disposition.NOWHERE
        if action.goods_back:
            condition = action.condition or Condition.DEFECTIVE
            what = disposition(reason, condition, None, self.facts.channel)
        lots = _lots_of(action.lot, None)
        came = self._back(line, action.quantity, reason, field, what, None, action.condition, lots)
        if action.remedy == "replacement":
            self.sold.append(self._at_what_was_paid(line, action.quantity, came))

    def _goodwill(self, action: GoodwillAction, field: str) -> None:
        self._reason(action.reason, field)
        found, remembered = rules.goodwill(
            list(self.lines.values()), action.amount, action.position, self.head.id, field=field
        )
        self.came += found
        self.goodwill += action.amount
        for position, each in remembered.items():
            line = self.lines[position]
            self.lines[position] = msgspec.structs.replace(line, concessions=[*line.concessions, each])
            self.concessions.setdefault(position, []).append(each)

    def _largest(self) -> OrderLine:
        """The line whose tax fees have: the goods that cost most, and no gift card, which bears none."""
        goods = [line for line in self.bought if line.kind is LineKind.ITEM]
        return max(goods or self.bought, key=lambda line: line.total)


def _lots_of(said: str | None, scanned: str | None) -> tuple[str, ...]:
    """The lot that somebody wrote, or what the scanned code says: a serial number or a lot."""
    if said is not None:
        return (said,)
    scan = read(scanned or "")
    return tuple(code for code in (scan.serial, scan.lot) if code)
