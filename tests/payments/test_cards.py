"""Card numbers are found however they are written, and are kept nowhere."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samlad.kernel import cards
from samlad.kernel.cards import CardNumber

KNOWN = ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "4222222222222"]


def with_check_digit(digits: str) -> str:
    return next(digits + last for last in "0123456789" if cards.passes_luhn(digits + last))


numbers = st.from_regex(r"[1-9][0-9]{11,17}", fullmatch=True).map(with_check_digit)


@pytest.mark.parametrize("number", KNOWN)
@pytest.mark.parametrize(
    "shape", ["{}", "card {} please", "{} 12/27 123", "a{}b", '{{"pan":"{}"}}', "{}.", "nr:{},{}"]
)
def test_a_card_number_is_found_in_any_text(number: str, shape: str) -> None:
    text = shape.format(number, number)
    assert cards.has_card_number(text)
    assert number not in cards.redact(text)


@given(numbers, st.sampled_from([" ", "-", ".", "\u00a0", "  ", "/"]), st.integers(1, 6))
def test_separators_do_not_hide_it(number: str, separator: str, size: int) -> None:
    groups = separator.join(number[at : at + size] for at in range(0, len(number), size))
    assert cards.has_card_number(f"pay with {groups} now")
    assert not cards.has_card_number(cards.redact(f"pay with {groups} now"))


@given(st.from_regex(r"[0-9]{13,19}", fullmatch=True))
def test_only_numbers_that_check_are_taken_for_one(digits: str) -> None:
    is_one = cards.passes_luhn(digits) and bool(digits.strip("0"))
    assert cards.has_card_number(digits) == is_one


@pytest.mark.parametrize(
    "text",
    ["", "order 1001", "+46 70 123 45 67", "2026-11-25T18:18:53.123Z", "4111 1111 1111 1112", "1234567890123456789012",
     "0198a4f0-1111-7111-8111-111111111111", "RF32 10001", "SEK 1 999,00"],
)  # fmt: skip
def test_what_is_none_is_left_alone(text: str) -> None:
    assert not cards.has_card_number(text)
    assert cards.redact(text) == text


def test_other_digits_and_wide_ones() -> None:
    assert cards.has_card_number("４１１１１１１１１１１１１１１１")
    assert cards.has_card_number("٤١١١١١١١١١١١١١١١") is False  # no card form takes these


class Nested(msgspec.Struct):
    notes: list[str]
    names: dict[str, str]
    amount: int = 4111111111111111


def test_a_refusal_names_the_place_and_never_the_number() -> None:
    value = Nested(notes=["fine", "4111 1111 1111 1111"], names={"holder": "5555-5555-5555-4444"})
    with pytest.raises(CardNumber) as caught:
        cards.refuse(value, "data")
    told = msgspec.json.encode(caught.value.document()).decode()
    assert [error.field for error in caught.value.errors] == ["data/notes/1", "data/names/holder"]
    assert "4111" not in told
    assert "4444" not in told
    cards.refuse({"amount": 4111111111111111, "id": "0198a4f0-1111-7111-8111-111111111111"})
