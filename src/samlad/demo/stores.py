"""The dozen stores of the demo: real places, coordinates and opening hours in seven time zones' worth of America.

Chosen from a public list of 1,565 stores (see NOTICE) and kept in our own words in `data/stores.json`. The list has
no time zones. They were set by hand from state and longitude, because a state is not a zone: Pensacola lies in the
part of Florida that keeps Chicago's time, Louisville and Indianapolis have histories of their own in the IANA
database, Phoenix and Honolulu never change their clocks.
"""

from importlib import resources

import msgspec

Hours = tuple[str, str]


class StoreRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A store as a place. `code` is its slug and the code of its location and channel.

    `opening_hours` has seven days, Monday first; each is a list of (open, close) as local "HH:MM", empty when closed.
    Coordinates are WGS 84 degrees, `region` is the state's two letters, `time_zone` an IANA name.
    """

    code: str
    name: str
    address_lines: tuple[str, ...]
    city: str
    region: str
    postal_code: str
    country: str
    latitude: float
    longitude: float
    time_zone: str
    opening_hours: tuple[tuple[Hours, ...], ...]


def stores() -> list[StoreRecord]:
    """The twelve stores, always in the same order."""
    text = resources.files("samlad.demo").joinpath("data", "stores.json").read_bytes()
    return msgspec.json.decode(text, type=list[StoreRecord])
