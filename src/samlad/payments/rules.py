"""Payments, decided without a database: how cash is rounded, which payments a refund goes to, what an answer changes."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from samlad.kernel.problems import InvalidInput
from samlad.payments.model import Outcome, Payment, PaymentInput, PaymentStatus


class Coin(msgspec.Struct, frozen=True):
    """How cash is rounded: ``step`` is the smallest coin (minor units; 1: every amount can be paid).

    ``small`` says what becomes of an amount that is no more than a coin: the nearest multiple, at least one coin (``up``),
    nothing (``exact``), or nothing where the nearest multiple is none (``kept``). With ``is_whole_only`` nothing is rounded where something else pays a part.
    """

    step: int = 1
    small: Literal["nearest", "up", "exact", "kept"] = "nearest"
    is_whole_only: bool = False


EXACT = Coin()
"""Every amount can be paid."""


class CashLaw(msgspec.Struct, frozen=True, kw_only=True):
    """By what law (or custom) a country rounds cash, since when, and where that was read."""

    country: str
    currency: str
    coin: Coin
    since: date
    law: str
    source: str


LAWS = (
    CashLaw(
        country="BE",
        currency="EUR",
        coin=Coin(5, small="exact"),
        since=date(2019, 12, 1),
        law="Wetboek van economisch recht, art. VI.7/1",
        source="https://economie.fgov.be/en/themes/sales/payments/mandatory-rounding-cash",
    ),
    CashLaw(
        country="CH",
        currency="CHF",
        coin=Coin(5),
        since=date(2007, 1, 1),
        law="the coin of 1 centime was withdrawn (Bundesrat, 12 April 2006)",
        source="https://www.pressemappe.ch/news.cfm?key=164918",
    ),
    CashLaw(
        country="CZ",
        currency="CZK",
        coin=Coin(100),
        since=date(2008, 9, 1),
        law="zákon č. 634/1992 Sb., § 3 odst. 1 písm. c)",
        source="https://eagri.cz/public/portal/mze/legislativa/vap40431-3066",
    ),
    CashLaw(
        country="DK",
        currency="DKK",
        coin=Coin(50),
        since=date(2008, 10, 1),
        law="Bekendtgørelse nr. 928 af 19. september 2008, § 2",
        source="https://nalunaarutit.gl/rigslovgivning/2008/bekendtgoerelse-nr-928-af-19_09_2008",
    ),
    CashLaw(
        country="EE",
        currency="EUR",
        coin=Coin(5),
        since=date(2025, 1, 1),
        law="the rounding rule",
        source="https://www.eestipank.ee/en/press/frequently-asked-questions-faq-about-rounding-rule",
    ),
    CashLaw(
        country="FI",
        currency="EUR",
        coin=Coin(5, small="kept"),
        since=date(2002, 1, 1),
        law="laki 890/2000, 1 §",
        source="https://finlex.fi/fi/laki/ajantasa/2000/20000890",
    ),
    CashLaw(
        country="HU",
        currency="HUF",
        coin=Coin(500),
        since=date(2008, 3, 1),
        law="2008. évi III. törvény",
        source="http://www.mnb.hu/en/banknotes-and-coins/coins/coins-in-circulation/one-and-two-forint-coins-will-be-accepted-until-1-march",
    ),
    CashLaw(
        country="IT",
        currency="EUR",
        coin=Coin(5, is_whole_only=True),
        since=date(2018, 1, 1),
        law="decreto-legge 50/2017, art. 13-quater",
        source="https://ascom.pn.it/it/news/la-soppressione-delle-monete-da-1-2-centesimi-e-larrotondamento-in-contanti",
    ),
    CashLaw(
        country="LT",
        currency="EUR",
        coin=Coin(5),
        since=date(2025, 5, 1),
        law="law on the rounding of cash payments, 28 March 2024",
        source="https://www.lrs.lt/sip/portal.show?p_r=35403&p_k=2&p_t=288016&p_kade_id=9",
    ),
    CashLaw(
        country="NL",
        currency="EUR",
        coin=Coin(5),
        since=date(2004, 9, 1),
        law="an agreement of the MOB, no law",
        source="https://www.consumentenbond.nl/nieuws/2004/60872",
    ),
    CashLaw(
        country="NO",
        currency="NOK",
        coin=Coin(100),
        since=date(2012, 5, 1),
        law="forskrift 16. mars 2011 nr. 294, § 2",
        source="https://lovdata.no/dokument/SF/forskrift/2011-03-16-294",
    ),
    CashLaw(
        country="SE",
        currency="SEK",
        coin=Coin(100),
        since=date(2010, 10, 1),
        law="lag (1970:1029) om avrundning av vissa öresbelopp, 2 § (SFS 2009:283)",
        source="http://retro.lagen.nu/1970:1029",
    ),
    CashLaw(
        country="SK",
        currency="EUR",
        coin=Coin(5, small="up"),
        since=date(2022, 7, 1),
        law="zákon č. 18/1996 Z. z. o cenách, § 3 ods. 4 (č. 457/2021 Z. z.)",
        source="https://www.zakonypreludi.sk/zz/2021-457",
    ),
)
"""Every country whose cash is rounded, with where that was read. In Ireland it is each shop's
choice (and a customer may refuse): the channel setting ``cash_step``. docs/concepts/cash-rounding.md says the same."""
_OF_COUNTRY = {(law.country, law.currency): law.coin for law in LAWS}
_OF_CURRENCY = {law.currency: law.coin for law in LAWS if law.currency != "EUR"}
"""Coins of a currency are the same in every country that takes them; what is done about cents of the euro is not."""


def coin(currency: str, country: str, setting: int) -> Coin:
    """What can be paid in coins: as the setting says (the smallest one, minor units), or (0) as the country does."""
    if setting:
        return Coin(setting)
    return _OF_COUNTRY.get((country, currency)) or _OF_CURRENCY.get(currency, EXACT)


def round_cash(amount: int, coin: Coin) -> int:
    """An amount as it can be paid in coins: the nearest multiple of the smallest one, halves away from zero."""
    size = abs(amount)
    rounded = (size + coin.step // 2) // coin.step * coin.step
    if coin.small == "kept":
        rounded = rounded or size
    elif 0 < size <= coin.step and coin.small != "nearest":
        rounded = size if coin.small == "exact" else coin.step
    return -rounded if amount < 0 else rounded


def due_amounts(total: int, inputs: Sequence[PaymentInput], coin: Coin) -> tuple[list[int], int]:
    """What each payment pays, and the rounding that cash adds to the total (minor units, may be negative).

    ``coin`` is the smallest one (`coin`). So little cash that it rounds to nothing is a payment of 0, which is none.

    The payments must come to the total, of which the part that is left for cash is rounded.

    Raises:
        InvalidInput: they come to less or more, or several leave their amount out.
    """
    given = sum(payment.amount for payment in inputs if payment.amount is not None)
    open_ones = [index for index, payment in enumerate(inputs) if payment.amount is None]
    if len(open_ones) > 1:
        raise InvalidInput.at(f"payments/{open_ones[1]}/amount", "only one payment can pay the rest")
    cash = [index for index, payment in enumerate(inputs) if payment.provider == "cash"]
    if len(cash) > 1:
        raise InvalidInput.at(f"payments/{cash[1]}/provider", "all cash is one payment")
    amounts = [payment.amount or 0 for payment in inputs]
    rounding = 0
    if cash:
        exact = total - (given - amounts[cash[0]]) if not open_ones or open_ones == cash else amounts[cash[0]]
        # Where the law rounds only what is wholly paid in cash, cash beside something else is exact.
        due = round_cash(exact, EXACT if coin.is_whole_only and len(inputs) > 1 else coin)
        rounding = due - exact
        if open_ones == cash:
            amounts[cash[0]] = due
    if open_ones and open_ones != cash:
        amounts[open_ones[0]] = total + rounding - given
    if sum(amounts) != total + rounding:
        raise InvalidInput.at("payments", f"come to {sum(amounts)}, but {total + rounding} is due")
    for index, amount in enumerate(amounts):
        if amount < 0 or (amount == 0 and not (index in cash and rounding < 0)):
            raise InvalidInput.at(f"payments/{index}/amount", "nothing is left for this one to pay")
    return amounts, rounding


def spread_refund(amount: int, payments: Sequence[Payment]) -> list[tuple[Payment, int]] | None:
    """Which payments give back how much: the latest first. None if they cannot give so much."""
    left, parts = amount, []
    for payment in reversed(payments):
        part = min(left, payment.refundable)
        if part > 0:
            parts.append((payment, part))
            left -= part
    return parts if left == 0 else None


def with_amounts(inputs: Sequence[PaymentInput], claimed: Mapping[UUID, Payment]) -> list[PaymentInput]:
    """The inputs in which payments that were begun before pay what they were begun for.

    Raises:
        InvalidInput: an input names another amount or provider than its payment has, or two name the same one.
    """
    found, seen = [], set()
    for index, given in enumerate(inputs):
        if given.payment is None:
            found.append(given)
            continue
        payment = claimed[given.payment]
        if given.payment in seen:
            raise InvalidInput.at(f"payments/{index}/payment", "is named twice")
        if given.provider != payment.provider:
            raise InvalidInput.at(
                f"payments/{index}/provider", f"the payment was begun with {payment.provider}"
            )
        if given.amount not in (None, payment.amount):
            raise InvalidInput.at(f"payments/{index}/amount", f"the payment was begun for {payment.amount}")
        seen.add(given.payment)
        found.append(msgspec.structs.replace(given, amount=payment.amount))
    return found


_MOVES: dict[PaymentStatus, frozenset[PaymentStatus]] = {
    PaymentStatus.PENDING: frozenset(
        {PaymentStatus.AUTHORIZED, PaymentStatus.CAPTURED, PaymentStatus.VOIDED, PaymentStatus.DECLINED}
    ),
    PaymentStatus.AUTHORIZED: frozenset(
        {PaymentStatus.CAPTURED, PaymentStatus.VOIDED, PaymentStatus.DECLINED}
    ),
    PaymentStatus.DECLINED: frozenset(
        {PaymentStatus.AUTHORIZED, PaymentStatus.CAPTURED, PaymentStatus.VOIDED}
    ),
    PaymentStatus.VOIDED: frozenset({PaymentStatus.CAPTURED}),
    PaymentStatus.CAPTURED: frozenset({PaymentStatus.CAPTURED}),
}
"""Where an answer may lead. Answers overtake each other: one that is older than what is known changes nothing. That the
money came in is always believed, also of a payment that was let go; it then goes back."""


def after(payment: Payment, outcome: Outcome) -> Payment:
    """The payment as it stands after a provider's answer; the same one if the answer is nothing new."""
    changed = msgspec.structs.replace(payment, reference=outcome.reference or payment.reference)
    captured = payment.captured
    if outcome.status is PaymentStatus.CAPTURED:
        captured = max(
            captured, min(payment.amount, payment.amount if outcome.captured is None else outcome.captured)
        )
    elif outcome.captured is not None:
        captured = max(captured, min(payment.amount, outcome.captured))
    if outcome.status is payment.status is not PaymentStatus.CAPTURED:
        return msgspec.structs.replace(changed, reason=outcome.reason, captured=captured)
    if outcome.status not in _MOVES[payment.status]:
        return changed
    if payment.status is PaymentStatus.CAPTURED and captured == payment.captured:
        return changed
    return msgspec.structs.replace(changed, status=outcome.status, reason=outcome.reason, captured=captured)


FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=2), timedelta(hours=1)


def pause(tries: int) -> timedelta:
    """How long to wait after so many tries without an answer: it doubles from two seconds to an hour, for ever."""
    doublings = min(max(tries - 1, 0), 20)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def patience(age: timedelta) -> timedelta:
    """How long to wait before asking again how a payment stands whose customer is busy: a fifth of its age, five
    seconds to five minutes. Its webhook comes sooner."""
    return min(max(age / 5, timedelta(seconds=5)), timedelta(minutes=5))
