"""What a change comes to, worked out action by action on a copy of the order's lines. Nothing is written here.

`samlad.orders.change_facts` reads what it needs to know; `samlad.orders.change_apply` does what it says.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from samlad.kernel.problems import InvalidInput
from samlad.orders import change_rules as rules
from samlad.orders.change_draft import Draft
from samlad.orders.change_model import (
    ChangeInput,
    Notice,
    Preview,
    RefundTo,
    ReturnAction,
    StockEffect,
)
from samlad.orders.change_planned import Facts, Planned
from samlad.orders.model import LineKind, OrderHead, OrderLine
from samlad.orders.rules import returned_line
from samlad.payments import PaymentDisputed


class _Worked(Draft):
    """A change whose actions are all in: what it comes to."""

    def planned(self) -> Planned:
        """The preview.

        Raises:
            InvalidInput: there is nobody whose store credit it could be. PaymentDisputed: their bank takes the money back.
        """
        head, facts, data = self.head, self.facts, self.data
        if self.sold and facts.cart_total:
            raise InvalidInput.at("cart", "either a cart or exchanged lines: put the new goods into the cart")
        cancels_all = self._cancels_all()
        if self.off:
            self._give_shipping_back(rounding=cancels_all)
        if self._withdraws():
            for line in self.bought:
                if line.kind is LineKind.SHIPPING:
                    self.came += rules.back(line, line.quantity, head.id)
        self._book_fees()
        worth = -sum(line.total for line in [*self.came, *self.off_lines])
        captured = sum(payment.captured for payment in facts.payments)
        available = captured - sum(payment.refunded for payment in facts.payments) - head.credited
        added = sum(line.total for line in self.added)
        new = sum(line.total for line in self.sold) + facts.cart_total + facts.owed
        now = max(0, new - self.expected)
        due = max(0, head.total + added - head.called_off - captured)
        spread = rules.settle(worth, due=due, available=available, new=now)
        if data.refund_to is RefundTo.TENDER:
            spread = self._in_coins(spread, worth, available)
            worth = -sum(line.total for line in [*self.came, *self.off_lines])
        back = 0 if data.refund_to is RefundTo.NOTHING else spread.gives_back
        if back and data.refund_to is RefundTo.CREDIT and head.customer is None:
            raise InvalidInput.at("refund_to", "nobody is known whose store credit it could be")
        refunded = back if data.refund_to is RefundTo.TENDER else 0
        disputed = sum(payment.disputed for payment in facts.payments)
        if disputed and back + spread.transferred > max(0, available - disputed):
            raise PaymentDisputed.of(max(0, available - disputed))
        promised = sum(payment.promised for payment in facts.payments) - captured
        owes = max(0, spread.due - promised) if added else 0
        self._check_paid_apart(owes, now - spread.transferred - facts.owed)
        self._notice(back)
        preview = Preview(
            order=head.id,
            number=head.number,
            version=head.version,
            currency=head.currency,
            came_back=rules.numbered(self.came),
            called_off=rules.numbered(self.off_lines),
            added=rules.numbered(self.added, max(self.lines) + 1),
            sold=rules.numbered(self.sold),
            sold_total=new,
            fees=sum(line.total for line in self.fees),
            worth=worth,
            tax=sum(line.tax for line in [*self.came, *self.off_lines, *self.added, *self.sold]),
            forgiven=spread.forgiven,
            transferred=spread.transferred,
            refunded=refunded,
            credited=back - refunded,
            refunds=rules.tenders(refunded, facts.payments, head.credited),
            to_pay=now - spread.transferred - (facts.owed and now - spread.transferred) + owes,
            expected=min(self.expected, new),
            difference=added + new - worth - min(self.expected, new),
            stock=self._stock(),
            notices=self.notices,
            address=self.address,
        )
        return Planned(
            preview=msgspec.structs.replace(preview, fingerprint=rules.fingerprint(preview)),
            back_units=self.back_units,
            off=self.off,
            concessions=self.concessions,
            follows=self.follows,
            cancels_all=cancels_all,
        )

    def _check_paid_apart(self, owes: int, new: int) -> None:
        """One payment belongs to one order: goods added to this one and a sale of new ones are not paid by the same."""
        if owes > 0 and new > 0 and self.data.payments:
            text = "what is added and what is given instead are two orders: pay later, or make two changes"
            raise InvalidInput.at("payments", text)

    def _in_coins(self, spread: rules.Spread, worth: int, available: int) -> rules.Spread:
        """What goes back as it can be paid in coins, if it goes back in cash; a line says by how much it was rounded."""
        facts = self.facts
        unpaid = worth - spread.forgiven - spread.transferred - spread.gives_back
        given, rounding = rules.in_coins(
            spread.gives_back, facts.payments, facts.coin, unpaid=unpaid, most=available - spread.transferred
        )
        if rounding:
            lines = self.came or self.off_lines
            lines.append(rules.rounded(rounding, self.head.id))
        return msgspec.structs.replace(spread, gives_back=given)

    def _cancels_all(self) -> bool:
        """Whether the order is called off as a whole, before anything happened to it."""
        items = [line for line in self.bought if line.kind is LineKind.ITEM]
        return (
            bool(self.off)
            and all(line.quantity == self.off.get(line.position) for line in items)
            and not (self.came or self.added or self.sold or self.fees or self.address or self.head.credited)
            and not any(line.concessions for line in self.bought)
            and self.data.refund_to is RefundTo.TENDER
            and self.data.cart is None
        )

    def _give_shipping_back(self, *, rounding: bool) -> None:
        """When nothing of an order will come what sending it cost goes back, too; with the whole order its rounding."""
        if any(
            line.kind is LineKind.ITEM and line.cancelled != line.quantity for line in self.lines.values()
        ):
            return
        kinds = (LineKind.SHIPPING, LineKind.ADJUSTMENT) if rounding else (LineKind.SHIPPING,)
        for line in self.lines.values():
            if line.kind is LineKind.SHIPPING:
                self.off_lines += rules.back(line, line.quantity, self.head.id)
            elif line.kind in kinds:
                self.off_lines.append(returned_line(line, line.quantity, 1, self.head.id))

    def _withdraws(self) -> bool:
        """Whether a consumer has now taken back all that they bought at a distance, in the time that the law gives: what sending it
        to them cost goes back, too (directive 2011/83/EU, article 13)."""
        back = {a.position for a in self.data.actions if isinstance(a, ReturnAction)}
        keeps = any(
            rules.gone(line) < line.quantity for line in self.lines.values() if line.kind is LineKind.ITEM
        )
        gets_others = (
            self.sold or self.follows or self.added or self.facts.reserved or self.facts.has_given_others
        )
        if not back or keeps or gets_others:
            return False
        until = [
            self.facts.terms[each].withdrawal_until if each in self.facts.terms else None for each in back
        ]
        return all(day is not None and self.facts.today <= day for day in until)

    def _book_fees(self) -> None:
        """Fees are taken off what comes back, as far as that goes; where nothing does they are added to the order."""
        sending = self.facts.channel.setting("return_shipping")
        if self.pays_for_sending and sending and not self.data.waive_fees:
            self.fees.append(rules.fee(rules.SENDING_BACK, sending, self._largest(), self.head.id))
        if self.came or self.off_lines:
            asked = sum(line.total for line in self.fees)
            self.fees = rules.capped(self.fees, -sum(line.total for line in [*self.came, *self.off_lines]))
            waived = asked - sum(line.total for line in self.fees)
            if waived:
                text = "The fees would come to more than what comes back: so much of them is not taken."
                self.notices.append(Notice(code="fees-capped", text=text, values={"amount": waived}))
            (self.came or self.off_lines).extend(self.fees)
        else:
            self.added += [msgspec.structs.replace(line, returns=None) for line in self.fees]

    def _cheaper(self) -> list[tuple[OrderLine, int]]:
        """Lines whose goods come back and cost less now than was paid for them."""
        found = []
        back = {a.position for a in self.data.actions if isinstance(a, ReturnAction)}
        for line in self.lines.values():
            now = self.facts.prices.get(line.variant) if line.variant and line.position in back else None
            percent = None if now is None else rules.dropped(line, now)
            if percent is not None:
                found.append((line, percent))
        return found

    def _notice(self, back: int) -> None:
        setting = self.facts.channel.setting
        self.notices += rules.limit_notices(
            gives_back=back,
            goodwill=self.goodwill,
            return_limit=setting("return_limit"),
            goodwill_limit=setting("goodwill_limit"),
        )
        if self.back_units or self.follows:
            worth = -sum(line.total for line in self.came) + self.expected
            self.notices += rules.signals(
                self.facts.past,
                worth,
                most=setting("signal_returns"),
                share_percent=setting("signal_share"),
                days=setting("signal_days"),
                other=self.other,
                cheaper=self._cheaper(),
            )
            self.notices += rules.score_notice(self.notices, setting("signal_score"))
        wanted: dict[UUID, int] = {}
        for line in [*self.added, *self.sold]:
            if line.variant is not None:
                wanted[line.variant] = wanted.get(line.variant, 0) + line.quantity
        for line in [*self.added, *self.sold]:
            free = self.facts.free.get(line.variant, 0) if line.variant else 0
            if line.variant and wanted.pop(line.variant, 0) > free:
                text = f"Of “{line.title}” only {free} can be had here."
                self.notices.append(
                    Notice(code="sold-out", text=text, values={"title": line.title, "free": free})
                )

    def _stock(self) -> list[StockEffect]:
        found = [
            StockEffect(
                variant=unit.variant,
                sku=unit.sku,
                quantity=unit.quantity,
                effect=unit.disposition,
                location=unit.location,
            )
            for unit in self.back_units
            if unit.variant is not None
        ]
        for position, quantity in self.off.items():
            line = self.lines[position]
            if line.variant is not None:
                found.append(
                    StockEffect(variant=line.variant, sku=line.sku, quantity=quantity, effect="free")
                )
        leaves = "leaves" if self.data.hand_over else "held"
        found += [
            StockEffect(variant=line.variant, sku=line.sku, quantity=-line.quantity, effect=leaves)
            for line in [*self.added, *self.sold]
            if line.variant is not None
        ]
        return found


def plan(head: OrderHead, lines: Sequence[OrderLine], facts: Facts, data: ChangeInput) -> Planned:
    """What a change comes to. It is either all right or refused as a whole.

    Raises:
        InvalidInput: an action cannot be done as it says. WrongState: the order is too far for it.
    """
    draft = _Worked(head, lines, facts, data)
    for index in range(len(data.actions)):
        draft.take(index)
    return draft.planned()
