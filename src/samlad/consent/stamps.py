"""What an event of a client says that the person agreed to, in the words of those who stamp events. Pure.

Read are Segment's ``context.consent.categoryPreferences``, RudderStack's ``context.consentManagement``, Google's Consent
Mode v2 (``context.googleConsent`` as its commands say it, or ``gcd``/``gcs`` as its pings do) and TCF v2 (``context.tcf`` or
``context.consent.tcf``, a string). All become our four cookie categories.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from samlad.consent import tcf
from samlad.consent.model import CATEGORIES

NAMES = {
    # Ours, OneTrust's numbers, Cookiebot's, Usercentrics' and what people write; compared without case, blanks and dashes.
    "necessary": "necessary", "strictlynecessary": "necessary", "essential": "necessary", "required": "necessary",
    "c0001": "necessary",
    "functional": "functional", "functionality": "functional", "preferences": "functional", "personalization": "functional",
    "personalisation": "functional", "c0003": "functional",
    "performance": "performance", "analytics": "performance", "statistics": "performance", "measurement": "performance",
    "c0002": "performance",
    "targeting": "targeting", "advertising": "targeting", "marketing": "targeting", "ads": "targeting", "c0004": "targeting",
}  # fmt: skip

GOOGLE = {
    "ad_storage": "targeting",
    "ad_user_data": "targeting",
    "ad_personalization": "targeting",
    "analytics_storage": "performance",
    "functionality_storage": "functional",
    "personalization_storage": "functional",
}
"""Types of Consent Mode v2; ``security_storage`` is strictly necessary."""

TCF = {
    "functional": frozenset({1, 5, 6}),
    "performance": frozenset({1, 8, 9}),
    "targeting": frozenset({1, 2, 3, 4, 7}),
}
"""All of these purposes are needed for a category: 1 is to store on the device; 5 and 6 make and use profiles for content; 8 and
9 measure content and understand audiences; 2, 3, 4 and 7 choose advertising, make and use profiles for it and measure it."""

# ``gcd``: 11A1B1C1D5, a letter each for ad_storage, analytics_storage, ad_user_data and ad_personalization.
_GCD = re.compile(r"^1[13]([a-z])[13]([a-z])[13]([a-z])[13]([a-z])[0-9]")
_GCD_TYPES = ("ad_storage", "analytics_storage", "ad_user_data", "ad_personalization")
_GCD_GRANTED, _GCD_DENIED = frozenset("trnv"), frozenset("pqmu")
_GCS = re.compile(r"^G1([01-])([01-])$")

KEPT = ("consent", "consentManagement", "googleConsent", "tcf", "gcs", "gcd")
"""Fields of ``context`` that are a stamp of consent, in whichever form."""


class Stamp(msgspec.Struct, frozen=True):
    """Categories that the stamps of an event grant and deny. What two of them say differently is denied."""

    granted: frozenset[str]
    denied: frozenset[str]

    def lacks(self, needed: Iterable[str]) -> list[str]:
        """Of the categories that are needed, those that are not granted: what is missing is a no."""
        return [each for each in CATEGORIES if each in set(needed) - self.granted - {"necessary"}]


def read(context: Mapping[str, Any]) -> Stamp:
    """The stamps of an event's context, whatever is in there: what cannot be understood grants nothing."""
    told: list[tuple[str, bool]] = []
    consent = context.get("consent")
    own = consent if isinstance(consent, dict) else {}
    told += _preferences(own.get("categoryPreferences"))
    told += _lists(context.get("consentManagement"))
    for holder in (context, own):
        told += _google(holder.get("googleConsent"))
        told += _google_ping(holder.get("gcd"), holder.get("gcs"))
        told += _tcf(holder.get("tcf"))
    denied = frozenset(category for category, is_granted in told if not is_granted)
    granted = frozenset(category for category, is_granted in told if is_granted)
    return Stamp(granted - denied, denied)


def kept(context: Mapping[str, Any]) -> dict[str, Any] | None:
    """The stamps as they came, to be kept with the event; None without."""
    found = {
        name: context[name] for name in KEPT if name in context and isinstance(context[name], (dict, str))
    }
    return found or None


def category_of(name: object) -> str | None:
    """Which of our categories is meant; None: nobody knows."""
    if not isinstance(name, str):
        return None
    return NAMES.get(re.sub(r"[^a-z0-9]", "", name.lower()))


def _preferences(value: object) -> Iterable[tuple[str, bool]]:
    for name, is_granted in value.items() if isinstance(value, dict) else ():
        category = category_of(name)
        if category is not None and isinstance(is_granted, bool):
            yield category, is_granted


def _lists(value: object) -> Iterable[tuple[str, bool]]:
    found = value if isinstance(value, dict) else {}
    for field, is_granted in (("allowedConsentIds", True), ("deniedConsentIds", False)):
        names = found.get(field)
        # Some providers of RudderStack send an object of names by id.
        for name in names if isinstance(names, list | dict) else ():
            category = category_of(name)
            if category is not None:
                yield category, is_granted


def _google(value: object) -> Iterable[tuple[str, bool]]:
    found = value if isinstance(value, dict) else {}
    for name, category in GOOGLE.items():
        if found.get(name) in ("granted", "denied"):
            yield category, found[name] == "granted"


def _google_ping(gcd: object, gcs: object) -> Iterable[tuple[str, bool]]:
    match = _GCD.match(gcd) if isinstance(gcd, str) else None
    if match is not None:
        for name, letter in zip(_GCD_TYPES, match.groups(), strict=True):
            if letter in _GCD_GRANTED | _GCD_DENIED:
                yield GOOGLE[name], letter in _GCD_GRANTED
        return
    match = _GCS.match(gcs) if isinstance(gcs, str) else None
    if match is not None:
        for category, sign in zip(("targeting", "performance"), match.groups(), strict=True):
            if sign != "-":
                yield category, sign == "1"


def _tcf(value: object) -> Iterable[tuple[str, bool]]:
    if not isinstance(value, str):
        return
    try:
        purposes = tcf.decode(value).purposes
    except ValueError:
        return
    for category, needed in TCF.items():
        yield category, needed <= purposes
