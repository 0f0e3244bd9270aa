"""Cash rounding, what each payment pays, and where a refund goes."""

import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samlad.kernel.problems import InvalidInput
from samlad.payments import Payment, PaymentInput, PaymentStatus, due_amounts, round_cash
from samlad.payments.model import Request
from samlad.payments.providers import Cash, Test
from samlad.payments.rules import LAWS, Coin, coin, spread_refund

amounts = st.integers(1, 10**9)
NO_TX: Any = None
"""For providers that do not look into our database."""


@pytest.mark.parametrize(
    ("amount", "currency", "country", "rounded"),
    [
        (9_949, "SEK", "SE", 9_900),
        (9_950, "SEK", "SE", 10_000),
        (-9_950, "SEK", "SE", -10_000),
        (102, "EUR", "NL", 100),
        (103, "EUR", "NL", 105),
        (103, "EUR", "FI", 105),
        (103, "EUR", "DE", 103),
        (103, "EUR", "IE", 103),
        (2, "EUR", "SK", 5),
        (1, "EUR", "SK", 5),
        (0, "EUR", "SK", 0),
        (7, "EUR", "SK", 5),
        (3, "EUR", "BE", 3),
        (5, "EUR", "BE", 5),
        (6, "EUR", "BE", 5),
        (8, "EUR", "BE", 10),
        (1, "EUR", "FI", 1),  # the act: payments of one and of two cents are not rounded
        (2, "EUR", "FI", 2),
        (3, "EUR", "FI", 5),
        (102, "EUR", "FI", 100),
        (1_049, "NOK", "NO", 1_000),
        (1_049, "CZK", "CZ", 1_000),
        (1_017, "CHF", "CH", 1_015),
        (3, "EUR", "IT", 5),
        (1_002, "EUR", "LT", 1_000),
        (1_003, "EUR", "EE", 1_005),
        (1_050, "CZK", "CZ", 1_100),
        (1_049, "SEK", "SE", 1_000),
        (199, "GBP", "GB", 199),
        (1_050, "NOK", "NO", 1_100),
        (1_074, "DKK", "DK", 1_050),
        (1_075, "DKK", "DK", 1_100),
        (1_018, "CHF", "CH", 1_020),
        (123_700, "HUF", "HU", 123_500),
    ],
)
def test_cash_is_rounded_where_coins_are_missing(
    amount: int, currency: str, country: str, rounded: int
) -> None:
    assert round_cash(amount, coin(currency, country, 0)) == rounded


def test_in_italy_only_what_is_wholly_cash_is_rounded() -> None:
    card, cash = PaymentInput(provider="test", amount=500), PaymentInput(provider="cash")
    assert due_amounts(1_003, [card, cash], coin("EUR", "IT", 0)) == ([500, 503], 0)
    assert due_amounts(1_003, [cash], coin("EUR", "IT", 0)) == ([1_005], 2)
    assert due_amounts(1_003, [card, cash], coin("EUR", "NL", 0)) == ([500, 505], 2)


def test_the_table_of_laws_is_the_one_that_people_read() -> None:
    """docs/concepts/cash-rounding.md has each country once, with its coin, day and source."""
    page = (Path(__file__).parents[2] / "docs/concepts/cash-rounding.md").read_text()
    rows = {cells[2]: cells for line in page.splitlines() if len(cells := re.split(r" *\| *", line)) > 5}
    for law in LAWS:
        code, amount, since, source = rows[f"`{law.country}`"][2:6]
        places = 0 if law.coin.step % 100 == 0 else 2
        assert amount == f"{law.coin.step / 100:.{places}f} {law.currency}", code
        assert since == law.since.isoformat(), code
        assert law.law in source, code
        assert law.source.startswith("http"), code
        assert law.source in source, code
    assert len({law.country for law in LAWS}) == len(LAWS)
    assert set(rows) - {"", "code", "---"} - {f"`{law.country}`" for law in LAWS} == {"`IE`"}


def test_a_shop_may_choose_its_smallest_coin() -> None:
    assert round_cash(103, coin("EUR", "IE", 5)) == 105
    assert round_cash(103, coin("EUR", "NL", 1)) == 103


@given(amounts, st.sampled_from([("SEK", "SE", 50), ("EUR", "NL", 2), ("EUR", "DE", 0)]))
def test_rounding_is_never_more_than_half_a_coin(amount: int, where: tuple[str, str, int]) -> None:
    currency, country, half = where
    smallest = coin(currency, country, 0)
    assert abs(round_cash(amount, smallest) - amount) <= half
    assert round_cash(-amount, smallest) == -round_cash(amount, smallest)


@given(st.integers(100, 10**7), st.data())
def test_payments_come_to_the_rounded_total(total: int, data: st.DataObject) -> None:
    card = PaymentInput(provider="test", amount=data.draw(st.integers(1, total - 50)))
    paid, rounding = due_amounts(total, [card, PaymentInput(provider="cash")], Coin(100))
    assert paid[0] == card.amount
    assert paid[1] % 100 == 0
    assert sum(paid) == total + rounding
    assert abs(rounding) <= 50


@pytest.mark.parametrize(
    "inputs",
    [
        [PaymentInput(provider="test", amount=999)],
        [PaymentInput(provider="test", amount=1_001)],
        [PaymentInput(provider="test"), PaymentInput(provider="test")],
        [PaymentInput(provider="cash"), PaymentInput(provider="cash", amount=100)],
        [PaymentInput(provider="test", amount=1_000), PaymentInput(provider="test")],
        [],
    ],
)
def test_payments_that_do_not_come_to_the_total_are_refused(inputs: list[PaymentInput]) -> None:
    with pytest.raises(InvalidInput):
        due_amounts(1_000, inputs, Coin())


@given(st.lists(st.tuples(amounts, st.integers(0, 100), st.booleans()), max_size=5), amounts)
def test_a_refund_is_given_whole_or_not_at_all(rows: list[tuple[int, int, bool]], amount: int) -> None:
    payments = [
        Payment(
            id=uuid4(),
            order_id=uuid4(),
            provider="test",
            currency="EUR",
            amount=paid,
            refunded=paid * share // 100 if captured else 0,
            status=PaymentStatus.CAPTURED if captured else PaymentStatus.VOIDED,
        )
        for paid, share, captured in rows
    ]
    parts = spread_refund(amount, payments)
    possible = sum(payment.refundable for payment in payments)
    assert (parts is None) == (amount > possible)
    if parts is not None:
        assert sum(part for _, part in parts) == amount
        assert all(0 < part <= payment.refundable for payment, part in parts)


@pytest.mark.parametrize(
    ("token", "amount", "status"),
    [
        (None, 100, "captured"),
        ("ok", 100, "captured"),
        ("authorize", 100, "authorized"),
        ("pending", 100, "pending"),
        ("decline", 100, "declined"),
        ("4111111111111111", 100, "declined"),
        ("ok", 1_013, "declined"),
    ],
)
async def test_the_test_provider_does_what_its_token_says(
    token: str | None, amount: int, status: str
) -> None:
    request = Request(payment=uuid4(), amount=amount, currency="EUR", token=token)
    first, second = await Test().authorize(NO_TX, request), await Test().authorize(NO_TX, request)
    assert first == second
    assert first.status == status
    assert (first.reason is not None) == (status == "declined")


async def test_too_little_cash_is_declined() -> None:
    request = Request(payment=uuid4(), amount=500, currency="EUR", tendered=499)
    assert (await Cash().authorize(NO_TX, request)).status is PaymentStatus.DECLINED
