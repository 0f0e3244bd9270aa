"""The core of a TC string (IAB Europe, Transparency and Consent Framework v2), as far as purposes go.

Source: "Consent string and vendor list formats v2", IAB Tech Lab: fields of fixed widths, bits from the left, in
base64url without padding; segments are divided by dots and the first one is the core. Only the core is read: vendors
and publisher restrictions are not ours to enforce. Libraries: `iab-tcf` on PyPI has had no release since 2020 and no licence
in its metadata; the vectors of the tests are from ``@iabtcf/core``.
"""

import base64
from datetime import UTC, datetime, timedelta

import msgspec

VERSION = 2
LONGEST = 8_000
"""Characters of a string that is looked at."""
CORE_BITS = 213
"""Up to and with the country of the publisher."""


class Tcf(msgspec.Struct, frozen=True):
    """What somebody chose. Purposes are 1 to 24 (1 to 11 have a meaning today), special features 1 to 12."""

    created: datetime
    updated: datetime
    cmp: int
    policy: int
    language: str
    purposes: frozenset[int]
    legitimate_interests: frozenset[int]
    special_features: frozenset[int]


def decode(text: str) -> Tcf:
    """Read a TC string.

    Raises:
        ValueError: it is none, or of another version.
    """
    if len(text) > LONGEST:
        raise ValueError("too long for a TC string")
    core = text.strip().partition(".")[0]
    try:
        raw = base64.b64decode(core + "=" * (-len(core) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise ValueError(f"no base64url: {error}") from None
    bits = Bits(raw)
    version = bits.number(6)
    if version != VERSION:
        raise ValueError(f"version {version}; only {VERSION} is known")
    created, updated = bits.moment(), bits.moment()
    cmp, _cmp_version, _screen = bits.number(12), bits.number(12), bits.number(6)
    language = bits.letters(2)
    _vendor_list, policy = bits.number(12), bits.number(6)
    _is_specific, _other_texts = bits.number(1), bits.number(1)
    return Tcf(
        special_features=bits.places(12),
        purposes=bits.places(24),
        legitimate_interests=bits.places(24),
        created=created,
        updated=updated,
        cmp=cmp,
        policy=policy,
        language=language,
    )


class Bits:
    """Reads fields of bits from the left."""

    def __init__(self, raw: bytes) -> None:
        if len(raw) * 8 < CORE_BITS:
            raise ValueError(f"{len(raw) * 8} bits; the core has at least {CORE_BITS}")
        self._value, self._left = int.from_bytes(raw, "big"), len(raw) * 8

    def number(self, width: int) -> int:
        """An unsigned number."""
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
        return frozenset(place for place in range(1, width + 1) if self.number(1))
