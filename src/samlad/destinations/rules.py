"""Decisions without a database: what is to be sent, how texts are hashed, how long to wait, how a webhook is signed."""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from uuid import UUID

from samlad.audiences import rules as ads
from samlad.destinations.model import Changes, Entry
from samlad.identity import normalising

Digests = set[tuple[str, str]]
"""Pairs of kind (email, phone) and hash."""

FIRST_SECONDS, LONGEST_SECONDS = 30, 3_600


def pause(failures: int, retry_after: str | None, now: datetime) -> timedelta:
    """How long to wait after so many failures: it doubles, an hour at most. What the receiver asks for holds, a day at most."""
    own = timedelta(seconds=min(FIRST_SECONDS * 2 ** min(max(failures - 1, 0), 20), LONGEST_SECONDS))
    return max(own, min(_asked(retry_after, now), timedelta(days=1)))


def _asked(text: str | None, now: datetime) -> timedelta:
    """A Retry-After header: seconds or a date (RFC 9110 §10.2.3)."""
    if text is None:
        return timedelta()
    if text.strip().isdecimal():
        return timedelta(seconds=min(int(text.strip()[:9]), 86_400))
    try:
        return max(parsedate_to_datetime(text) - now, timedelta())
    except (ValueError, TypeError):
        return timedelta()


def digests(email: str | None, phone: str | None, country: str | None, style: str) -> Digests:
    """An address and a number as a receiver takes them: ``google``, ``meta``, or ``plain`` (E.164 with its +)."""
    found: Digests = set()
    if email and "@" in email:
        found.add(("email", ads.hashed(ads.email_for_ads(email, is_google=style == "google"))))
    number = normalising.phone(phone, country) if phone else None
    if number:
        found.add(("phone", ads.hashed(ads.phone_for_ads(number, is_google=style != "meta"))))
    return found


def changes(
    wanted: Mapping[UUID, Digests],
    sent: Mapping[UUID, Mapping[tuple[str, str], bool]],
    elsewhere: Digests,
    *,
    without_consent: int = 0,
    without_contact: int = 0,
) -> Changes:
    """What brings a receiver in line: ``sent`` says of each hash whether the receiver confirmed it.

    What was not confirmed is sent again. A hash that somebody else still needs (a shared address; ``elsewhere``: of people
    who are not looked at) is not removed at the receiver.
    """
    needed = elsewhere.union(*wanted.values()) if wanted else set(elsewhere)
    adds: list[Entry] = []
    removes: list[Entry] = []
    held: list[Entry] = []
    for person in sorted(wanted.keys() | sent.keys()):
        want, have = wanted.get(person, set()), sent.get(person, {})
        new = {each for each in want if not have.get(each, False)}
        gone = {each for each in have if each not in want}
        for into, which in ((adds, new), (removes, gone - needed), (held, gone & needed)):
            if which:
                into.append(entry(person, which))
    return Changes(adds, removes, held, without_consent, without_contact)


def entry(person: UUID, which: Iterable[tuple[str, str]]) -> Entry:
    """Hashes of somebody by kind."""
    by_kind: dict[str, list[str]] = {"email": [], "phone": []}
    for kind, digest in sorted(which):
        by_kind[kind].append(digest)
    return Entry(person, by_kind["email"], by_kind["phone"])


def signature(secret: str, message: str, timestamp: int, body: bytes) -> str:
    """The header ``webhook-signature`` of Standard Webhooks 1.0: HMAC-SHA-256 of id, time and body.

    Raises:
        ValueError: the secret is not ``whsec_`` and base64.
    """
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    signed = b".".join((message.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
