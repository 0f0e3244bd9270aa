from datetime import datetime, time
from itertools import pairwise
from zoneinfo import ZoneInfo

from samlad.demo.stores import stores

SUMMER = (2011, 7, 1)
WINTER = (2011, 1, 15)

# Hours from UTC in winter and summer, from the Department of Transportation's map of places, not from IANA names.
OFFSETS = {
    "Bloomington": (-6, -5),
    "New York": (-5, -4),
    "Cambridge": (-5, -4),
    "Chicago": (-6, -5),
    "Louisville": (-5, -4),
    "Indianapolis": (-5, -4),
    "Pensacola": (-6, -5),
    "Boulder": (-7, -6),
    "Phoenix": (-7, -7),
    "Seattle": (-8, -7),
    "Anchorage": (-9, -8),
    "Honolulu": (-10, -10),
}


def test_a_dozen_different_places():
    found = stores()
    assert len(found) == 12
    assert len({store.code for store in found}) == 12
    assert len({store.name for store in found}) == 12
    assert {store.city for store in found} == set(OFFSETS)
    for store in found:
        assert store.name.endswith(f", {store.city}")
        assert store.address_lines
        assert all(store.address_lines)
        assert len(store.postal_code) == 5
        assert store.country == "US"
        assert "best buy" not in store.name.lower()


def test_coordinates_lie_in_the_united_states_and_far_apart():
    found = stores()
    for store in found:
        assert 18 < store.latitude < 72
        assert -160 < store.longitude < -66
    by_longitude = sorted(store.longitude for store in found)
    assert sum(east - west > 1 for west, east in pairwise(by_longitude)) >= 9


def test_clocks_are_those_of_the_place():
    for store in stores():
        zone = ZoneInfo(store.time_zone)
        offsets = tuple(
            datetime(*day, tzinfo=zone).utcoffset().total_seconds() / 3600 for day in (WINTER, SUMMER)
        )
        assert offsets == OFFSETS[store.city], store.name


def test_opening_hours_parse_and_are_a_day_long_at_most():
    for store in stores():
        assert len(store.opening_hours) == 7
        for day in store.opening_hours:
            assert day, "all twelve open every day"
            for opens, closes in day:
                assert time.fromisoformat(opens) < time.fromisoformat(closes)
                assert len(opens) == len(closes) == 5


def test_mall_of_america_is_as_the_source_has_it():
    mall = stores()[0]
    assert (mall.name, mall.address_lines, mall.postal_code) == (
        "Mall of America, Bloomington",
        ("340 W Market",),
        "55425",
    )
    assert mall.opening_hours[0] == (("10:00", "21:30"),)
    assert mall.opening_hours[6] == (("11:00", "19:00"),)
