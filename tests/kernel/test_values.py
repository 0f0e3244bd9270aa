"""Small things that everything stands on: money, ids, time, settings."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samlad.kernel import clock, money
from samlad.kernel.ids import new_id
from samlad.kernel.money import Money, allocate, decimal_text, format_money, parse_amount, share
from samlad.kernel.problems import InvalidInput
from samlad.kernel.settings import Settings, load, settings_table

AMOUNTS = st.integers(-(10**12), 10**12)
CURRENCIES = st.sampled_from(["EUR", "SEK", "JPY", "KWD", "USD"])


@given(AMOUNTS, st.lists(st.integers(0, 10**9), min_size=1, max_size=40))
def test_allocated_parts_add_up_and_are_fair(amount: int, weights: list[int]) -> None:
    parts = allocate(amount, weights)
    assert sum(parts) == amount
    assert len(parts) == len(weights)
    total = sum(weights)
    if total:
        for part, weight in zip(parts, weights, strict=True):
            assert abs(part * total - amount * weight) < total, "less than one unit from the exact share"
            assert weight or part == 0
        assert allocate(-amount, weights) == [-part for part in parts]


def test_allocation_at_its_edges() -> None:
    assert allocate(100, []) == []
    assert allocate(100, [0, 0]) == [100, 0]
    assert allocate(100, [1, 1, 1]) == [34, 33, 33]


@given(AMOUNTS, CURRENCIES)
def test_amounts_survive_being_written(amount: int, currency: str) -> None:
    assert parse_amount(decimal_text(amount, currency), currency) == amount


@given(AMOUNTS, st.integers(1, 10_000))
def test_a_share_and_its_rest_are_the_whole_but_for_rounding(amount: int, rate: int) -> None:
    assert abs(share(amount, rate, 10_000) + share(amount, 10_000 - rate, 10_000) - amount) <= 1
    assert share(-amount, rate, 10_000) == -share(amount, rate, 10_000)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("19.99", "EUR", 1999),
        (" 5 ", "JPY", 5),
        ("1.234", "KWD", 1234),
        ("-0.01", "SEK", -1),
        ("1e2", "EUR", 10000),
    ],
)
def test_amounts_are_read_exactly(text: str, currency: str, minor: int) -> None:
    assert parse_amount(text, currency) == minor


@pytest.mark.parametrize("text", ["", "x", "1,50", "0.001", "NaN", "Infinity", "1e-9", "--1"])
def test_what_is_no_amount_is_refused_at_its_field(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_amount(text, "EUR", field="price")
    assert caught.value.errors[0].field == "price"


def test_money_is_of_one_currency_and_written_as_people_do() -> None:
    assert Money(1, "EUR") + -Money(3, "EUR") == Money(-2, "EUR")
    with pytest.raises(ValueError, match="cannot add SEK to EUR"):
        Money(1, "EUR") + Money(1, "SEK")
    assert format_money(199900, "SEK", "sv").replace("\xa0", " ") == "1 999,00 kr"
    assert {"EUR", "SEK"} <= money.currencies()


def test_ids_only_grow_within_a_thread_and_never_repeat_over_threads() -> None:
    def make(_: int) -> list[str]:
        return [str(new_id()) for _ in range(20_000)]

    with ThreadPoolExecutor(4) as pool:
        lists = list(pool.map(make, range(4)))
    for ids in lists:
        assert ids == sorted(ids)
    assert len(set().union(*lists)) == 80_000
    first = new_id()
    assert (first.version, first.variant) == (7, "specified in RFC 4122")
    made = datetime.fromtimestamp((first.int >> 80) / 1000, UTC)
    assert abs(made - clock.now()) < timedelta(seconds=5)


def test_days_are_as_long_as_they_are() -> None:
    lengths = {
        day: (end - start) / timedelta(hours=1)
        for day in (date(2026, 3, 28), date(2026, 3, 29), date(2026, 10, 25))
        for start, end in [clock.day_bounds(day, "Europe/Stockholm")]
    }
    assert list(lengths.values()) == [24, 23, 25]
    assert clock.local_day(datetime(2026, 6, 30, 22, 30, tzinfo=UTC), "Europe/Stockholm") == date(2026, 7, 1)


def test_the_environment_wins_over_the_file_over_the_default(tmp_path: Path) -> None:
    (tmp_path / "samlad.toml").write_text('port = 9001\nhost = "0.0.0.0"\n')
    settings = load({"SAMLAD_HOME": str(tmp_path), "SAMLAD_PORT": "9002"})
    assert (settings.port, settings.host, settings.workers) == (9002, "0.0.0.0", 1)
    assert load({}, home=tmp_path, port=9003).port == 9003
    elsewhere = tmp_path / "other.toml"
    elsewhere.write_text("workers = 3")
    assert load({"SAMLAD_HOME": str(tmp_path), "SAMLAD_CONFIG": str(elsewhere)}).workers == 3


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"SAMLAD_PORT": "eighty"}, "port"),
        ({"SAMLAD_PORT": "70000"}, "port"),
        ({"SAMLAD_SCHEMA": "x; DROP"}, "schema"),
        ({"SAMLAD_LOG_LEVEL": "loud"}, "log_level"),
        ({"SAMLAD_CONFIG": "/nowhere.toml"}, "/nowhere.toml"),
        ({"SAMLAD_PORTS": "8000"}, "SAMLAD_PORTS"),
    ],
)
def test_a_wrong_setting_is_named(environment: dict[str, str], told: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=told):
        load(environment | {"SAMLAD_HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("text", "told"), [("ports = 1", "ports"), ("port = ", "not valid TOML"), ("port = []", "port")]
)
def test_a_wrong_file_is_named(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "samlad.toml").write_text(text)
    with pytest.raises(InvalidInput, match=told):
        load({}, home=tmp_path)


def test_secrets_do_not_show(tmp_path: Path) -> None:
    settings = load({}, home=tmp_path, secret_key="c2VjcmV0", database_url="postgresql://kim:pass@db/x")
    assert "c2VjcmV0" not in repr(settings)
    assert "pass" not in repr(settings)


def test_every_setting_is_documented() -> None:
    table = settings_table()
    assert [row[0] for row in table] == [f"SAMLAD_{name.upper()}" for name in Settings.__struct_fields__]
    assert all(len(row[2]) > 5 for row in table)
