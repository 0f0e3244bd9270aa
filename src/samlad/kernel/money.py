"""Money: integer minor units with an ISO 4217 currency, never a float."""

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache

import msgspec
from babel import Locale
from babel.numbers import (
    format_currency,
    format_decimal,
    get_currency_precision,
    get_minus_sign_symbol,
    list_currencies,
)

from samlad.kernel.problems import InvalidInput


@lru_cache(maxsize=1)
def currencies() -> frozenset[str]:
    """Every ISO 4217 code that CLDR knows."""
    return frozenset(list_currencies())


@lru_cache(maxsize=256)
def exponent(currency: str) -> int:
    """Digits after the point: 2 for EUR, 0 for JPY, 3 for KWD (CLDR)."""
    return get_currency_precision(currency)


class Money(msgspec.Struct, frozen=True, order=True):
    """An amount in minor units of a currency: ``Money(1999, "EUR")`` is €19.99."""

    amount: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.amount + other.amount, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)


def parse_amount(text: str, currency: str, *, field: str = "amount") -> int:
    """Minor units of a decimal text (``"19.99"``), exact: more digits than the currency has are refused. A minus may be
    the sign (U+2212) or a hyphen.

    Raises:
        InvalidInput: not a number, or finer than a minor unit.
    """
    try:
        scaled = Decimal(text.strip().replace(MINUS, "-")).scaleb(exponent(currency))
    except InvalidOperation:
        raise InvalidInput.at(field, f"“{text}” is not an amount; write for example 19.99") from None
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        raise InvalidInput.at(field, f"“{text}” is finer than {currency} can be")
    return int(scaled)


def decimal_text(amount: int, currency: str) -> str:
    """Minor units as plain decimal text for files and forms: 1999, EUR → ``"19.99"``."""
    return str(Decimal(amount).scaleb(-exponent(currency)))


def format_money(amount: int, currency: str, locale: str = "en") -> str:
    """Minor units as people of a locale write it: 1999, "EUR", "sv" → ``"19,99 €"``."""
    return format_decimal_money(Decimal(amount).scaleb(-exponent(currency)), currency, locale)


MINUS = "\u2212"
_LETTER_AT_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")


def format_decimal_money(amount: Decimal, currency: str, locale: str | Locale) -> str:
    """An amount in whole units, as browsers write it: ``"SEK\xa010.00"``.

    CLDR parts the letters of a currency from the digits by a no-break space, where the pattern has none, and says with which
    sign a locale writes what is below zero; Babel does neither.
    """
    written = _LETTER_AT_DIGIT.sub("\xa0", format_currency(amount, currency, locale=locale))
    return _signed(written, locale) if amount < 0 else written


def format_number(value: float | Decimal, locale: str | Locale, pattern: str | None = None) -> str:
    """A number as browsers write it in a locale, with its sign for what is below zero; by default at most three decimals."""
    written = format_decimal(value, pattern, locale=locale)
    return _signed(written, locale) if value < 0 else written


def _signed(written: str, locale: str | Locale) -> str:
    """With the minus of the locale (CLDR): U+2212 in Swedish, a hyphen in English and Dutch."""
    return written.replace("-", get_minus_sign_symbol(locale), 1)


def worth(price: int, quantity: int, per: int = 1) -> int:
    """What a quantity comes to (minor units) at a price for ``per`` of it, halves away from zero: 770 g at 199.00 a kg."""
    return price * quantity if per == 1 else share(price * quantity, 1, per)


def share(amount: int, numerator: int, denominator: int) -> int:
    """``amount · numerator / denominator`` in minor units, halves away from zero."""
    return int((Decimal(amount) * numerator / denominator).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def allocate(amount: int, weights: list[int]) -> list[int]:
    """Split an amount over weights so that the parts add up exactly.

    Largest remainder method; ties go to the earlier weight. With only zero weights all goes to the first.
    """
    if not weights:
        return []
    total = sum(weights)
    if total == 0:
        return [amount, *([0] * (len(weights) - 1))]
    sign = -1 if amount < 0 else 1
    exact = [abs(amount) * weight for weight in weights]
    parts = [value // total for value in exact]
    left = abs(amount) - sum(parts)
    order = sorted(range(len(weights)), key=lambda index: (-(exact[index] % total), index))
    for index in order[:left]:
        parts[index] += 1
    return [sign * part for part in parts]
