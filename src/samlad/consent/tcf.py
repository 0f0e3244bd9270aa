"""The core of a TC string (IAB Europe, Transparency and Consent Framework v2), as far as purposes go.

Source: "Consent string and vendor list formats v2", IAB Tech Lab: fields of fixed widths, bits from the left, in
base64url without padding; segments are divided by dots and the first one is the core. Read are the core's purposes and the segment of
Disclosed Vendors, which TCF 2.3 demands: a string that was made since then and shows no vendor is none, so nothing was agreed to
by it. Consent of single vendors and publisher restrictions are not ours to enforce: we are on no vendor list. Libraries: `iab-tcf`
on PyPI has had no release since 2020 and no licence in its metadata; the vectors of the tests are from ``@iabtcf/core``.
"""

import base64
from datetime import UTC, datetime, timedelta

import msgspec

VERSION = 2
LONGEST = 8_000
"""Characters of a string that is looked at."""
CORE_BITS = 213
"""Up to and with the country of the publisher."""
DISCLOSED_SINCE = datetime(2026, 3, 1, tzinfo=UTC)
"""Strings of this day or later have the segment of Disclosed Vendors (IAB Europe: mandatory since 28 February 2026)."""
DISCLOSED_VENDORS = 1
"""The type of that segment, in its first three bits."""


class Tcf(msgspec.Struct, frozen=True):
    """What somebody chose. Purposes are 1 to 24 (1 to 11 have a meaning today), special features 1 to 12.

    ``disclosed``: the vendors (ids of the Global Vendor List) that were shown to them; None: the string does not say, as before
    TCF 2.3, or what it says of them cannot be read.
    """

    created: datetime
    updated: datetime
    cmp: int
    policy: int
    language: str
    purposes: frozenset[int]
    legitimate_interests: frozenset[int]
    special_features: frozenset[int]
    disclosed: frozenset[int] | None = None


def decode(text: str) -> Tcf:
    """Read a TC string.

    Raises:
        ValueError: it is none, or of another version, or disclosed no vendor though it had to.
    """
    if len(text) > LONGEST:
        raise ValueError("too long for a TC string")
    core, *segments = text.strip().split(".")
    bits = Bits(_raw(core), CORE_BITS)
    version = bits.number(6)
    if version != VERSION:
        raise ValueError(f"version {version}; only {VERSION} is known")
    created, updated = bits.moment(), bits.moment()
    cmp, _cmp_version, _screen = bits.number(12), bits.number(12), bits.number(6)
    language = bits.letters(2)
    _vendor_list, policy = bits.number(12), bits.number(6)
    _is_specific, _other_texts = bits.number(1), bits.number(1)
    disclosed = next((found for found in map(_disclosed, segments) if found is not None), None)
    if updated >= DISCLOSED_SINCE and not disclosed:
        raise ValueError("it disclosed no vendor")
    return Tcf(
        special_features=bits.places(12),
        purposes=bits.places(24),
        legitimate_interests=bits.places(24),
        created=created,
        updated=updated,
        cmp=cmp,
        policy=policy,
        language=language,
        disclosed=disclosed,
    )


def _raw(segment: str) -> bytes:
    try:
        return base64.b64decode(segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise ValueError(f"no base64url: {error}") from None


def _disclosed(segment: str) -> frozenset[int] | None:
    """The vendors of a segment of Disclosed Vendors, in bits or in ranges; None: it is another one, or is damaged."""
    try:
        bits = Bits(_raw(segment), 20)
        if bits.number(3) != DISCLOSED_VENDORS:
            return None
        most, is_in_ranges = bits.number(16), bits.number(1)
        found = bits.ranges(most) if is_in_ranges else bits.places(most)
    except ValueError:
        return None
    return found


class Bits:
    """Reads fields of bits from the left."""

    def __init__(self, raw: bytes, least: int) -> None:
        if len(raw) * 8 < least:
            raise ValueError(f"{len(raw) * 8} bits; there are at least {least}")
        self._value, self._left = int.from_bytes(raw, "big"), len(raw) * 8

    def number(self, width: int) -> int:
        """An unsigned number.

        Raises:
            ValueError: so many bits are not left.
        """
        if width > self._left:
            raise ValueError("it ends too early")
        self._left -= width
        return self._value >> self._left & ((1 << width) - 1)

    def moment(self) -> datetime:
        """Tenths of a second since 1970."""
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=100 * self.number(36))

    def letters(self, count: int) -> str:
        """Letters of six bits, 0 is A."""
        return "".join(chr(ord("A") + self.number(6)) for _ in range(count))

    def places(self, width: int) -> frozenset[int]:
        """Which bits are set; the leftmost is 1."""
        field = self.number(width)
        return frozenset(place for place in range(1, width + 1) if field >> (width - place) & 1)

    def ranges(self, most: int) -> frozenset[int]:
        """Numbers up to ``most``, by ranges: how many (12 bits), and for each whether it has an end, its start and its end (16 bits each)."""
        found: set[int] = set()
        for _ in range(self.number(12)):
            has_end, start = self.number(1), self.number(16)
            end = self.number(16) if has_end else start
            if not 1 <= start <= end <= most:
                raise ValueError("a range that is none")
            found.update(range(start, end + 1))
        return frozenset(found)
