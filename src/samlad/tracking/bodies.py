"""The body of a request of the event API: unpacked and taken apart, whatever its label says. Pure.

Clients label JSON as ``text/plain`` (browsers, to avoid a preflight) or as a form (rudder-sdk-node, with gzip in it),
so the label counts for nothing.
"""

import base64
import binascii
import zlib
from collections.abc import Mapping

import msgspec

from samlad.tracking.model import BodyTooLarge, WireProblem

LARGEST_BODY = 4 * 1024 * 1024
"""Bytes after unpacking: what rudder-sdk-python allows itself."""
MOST_EVENTS = 5_000
"""Of one request: its events are decided on one by one, and each costs a little."""
GZIP = b"\x1f\x8b"


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """A request taken apart: its events as they came, when the client says it sent them, and its key if it is inside."""

    events: list[bytes]
    sent_at: object = None
    write_key: str | None = None


class _Batch(msgspec.Struct):
    batch: list[msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET
    sentAt: object = None  # noqa: N815 - as it is on the wire
    writeKey: object = None  # noqa: N815


_batch = msgspec.json.Decoder(_Batch)


def inflate(body: bytes) -> bytes:
    """The body without gzip, if it has any.

    Raises:
        BodyTooLarge: it unpacks to more than `LARGEST_BODY`; no more than that is ever unpacked.
        WireProblem: it begins like gzip and is none.
    """
    found, rest = b"", body
    while rest.startswith(GZIP):
        stream = zlib.decompressobj(wbits=31)
        try:
            found += stream.decompress(rest, LARGEST_BODY + 1 - len(found))
        except zlib.error as error:
            raise WireProblem(f"The body begins like gzip, but cannot be unpacked: {error}.") from None
        if len(found) > LARGEST_BODY:
            raise BodyTooLarge(f"It unpacks to more than {LARGEST_BODY} bytes.")
        if not stream.eof:
            raise WireProblem("The body begins like gzip, but its end is missing.")
        rest = stream.unused_data  # gzip may be several pieces, one after the other
    return found or rest


def open_envelope(body: bytes, *, is_batch: bool) -> Envelope:
    """Take a request's body apart. An event that is broken in itself stays in the list: that is its own matter.

    Raises:
        BodyTooLarge, WireProblem: it is not JSON, or no object, or a batch without events in ``batch``.
    """
    text = inflate(body).strip()
    if len(text) > LARGEST_BODY:
        raise BodyTooLarge(f"It has more than {LARGEST_BODY} bytes.")
    try:
        outer = _batch.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise WireProblem(f"The body is not the JSON object that it should be: {error}.") from None
    key = outer.writeKey if isinstance(outer.writeKey, str) else None
    if outer.batch is msgspec.UNSET:
        if is_batch:
            raise WireProblem("There is no list “batch” in the body.")
        return Envelope(events=[text], sent_at=outer.sentAt, write_key=key)
    if len(outer.batch) > MOST_EVENTS:
        raise BodyTooLarge(f"It has more than {MOST_EVENTS} events.")
    return Envelope(events=[bytes(event) for event in outer.batch], sent_at=outer.sentAt, write_key=key)


def given_key(headers: Mapping[str, str], query: str | None, inside: str | None) -> str | None:
    """The write key of a request: Bearer, the user of Basic, X-Write-Key, ``?writeKey=``, ``writeKey`` in the body.

    The first place that has one counts. A ``:`` and what follows (Jitsu's secret, Basic's password) is not of the key.
    """
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    found: str | None = None
    if scheme.lower() == "bearer":
        found = credentials.strip()
    elif scheme.lower() == "basic":
        try:
            found = base64.b64decode(credentials.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            found = None
    for place in (headers.get("x-write-key"), query, inside):
        found = found or place
    return (found or "").partition(":")[0].strip() or None
