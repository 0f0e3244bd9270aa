"""The rates that come with the program, against the Commission's own: *Taxes in Europe Database*, by `eu-vat-rates-data`.

The dataset names a country's rates and not what they are for: a standard rate must be the standard one, a reduced rate one
of the country's reduced ones (or zero, of which the database has no list). It says of which day it is; we compare for that day.
"""

import csv
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from typing import Any

import eu_vat_rates_data as tedb
import pytest

DAY = date.fromisoformat(tedb.data_version)
COUNTRIES = tedb.get_all_rates()
OUTSIDE = {"GB", "NO", "CH"}
"""Not in the Commission's database; the dataset's maker keeps them by hand."""


def _rates() -> Iterator[dict[str, str]]:
    with (files("samlad.tax") / "rates.csv").open(encoding="utf-8") as file:
        yield from csv.DictReader(file)


def _in_force() -> list[dict[str, str]]:
    return [
        row
        for row in _rates()
        if date.fromisoformat(row["valid_from"]) <= DAY
        and (not row["valid_to"] or date.fromisoformat(row["valid_to"]) > DAY)
        and row["country"] in COUNTRIES
    ]


def _theirs(country: str) -> tuple[int, set[int]]:
    """Standard rate and all others, in basis points."""
    found: Any = COUNTRIES[country]
    reduced = {*found["reduced"], found["super_reduced"], found["parking"], 0.0} - {None}
    return round(found["standard"] * 100), {round(rate * 100) for rate in reduced}


def test_every_member_state_has_its_standard_rate() -> None:
    members = {code for code, found in COUNTRIES.items() if found["eu_member"]}
    ours = {
        r["country"]: int(r["rate_bp"])
        for r in _in_force()
        if r["tax_class"] == "standard" and not r["region"]
    }
    assert len(members) == 27
    assert {code: ours.get(code) for code in members | OUTSIDE} == {
        code: _theirs(code)[0] for code in members | OUTSIDE
    }


@pytest.mark.parametrize("country", sorted({row["country"] for row in _in_force()}))
def test_every_other_rate_is_one_that_the_country_has(country: str) -> None:
    standard, reduced = _theirs(country)
    others = [
        (row["region"], row["tax_class"], int(row["rate_bp"]))
        for row in _in_force()
        if row["country"] == country and (row["tax_class"] == "standard") == bool(row["region"])
    ]
    assert [each for each in others if each[2] not in {standard, *reduced}] == []
