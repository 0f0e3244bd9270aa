"""Choosing a variant by its options: every value is a link, so that it works without a script."""

from collections.abc import Sequence
from typing import NamedTuple


class Choice(NamedTuple):
    """A variant as far as choosing goes: its options in the retailer's words, and whether it can be bought."""

    sku: str
    options: dict[str, str]
    is_there: bool


class Value(NamedTuple):
    """One value of an option. ``sku`` is the variant that choosing it leads to; ``is_gone``: that one is sold out."""

    value: str
    sku: str
    is_current: bool
    is_gone: bool


def pick(choices: Sequence[Choice], sku: str | None) -> Choice | None:
    """The variant that was asked for, else the first that is there, else the first."""
    asked = next((c for c in choices if c.sku == sku), None)
    return asked or next((c for c in choices if c.is_there), None) or (choices[0] if choices else None)


def values_of(option: str, choices: Sequence[Choice], chosen: Choice) -> list[Value]:
    """The values of an option in their order. A value leads to the variant that differs from the chosen one least.

    Equal in as many other options as can be; of several those that are there first, then in the variants' order.
    """
    found: dict[str, list[Choice]] = {}
    for choice in choices:
        if option in choice.options:
            found.setdefault(choice.options[option], []).append(choice)
    values = []
    for value, group in found.items():
        best = max(group, key=lambda c: (_likeness(c, chosen, option), c.is_there))
        values.append(Value(value, best.sku, chosen.options.get(option) == value, not best.is_there))
    return values


def _likeness(choice: Choice, chosen: Choice, option: str) -> int:
    return sum(choice.options.get(name) == value for name, value in chosen.options.items() if name != option)
