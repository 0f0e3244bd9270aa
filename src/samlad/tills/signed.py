"""What a till signs without network: ``T1.{body}.{signature}``, the end of the address in a receipt's code.

The body is JSON in base64url: the key's id, the number on the receipt, the moment (seconds since 1970, by the till's clock), what
the receipt comes to (minor units) and the currency. The signature is ECDSA over P-256 and SHA-256 (FIPS 186-5) of ``T1.{body}``, as
WebCrypto writes it: r and s, 32 bytes each. `samlad.documents.signing` is the same of receipts that we sign ourselves.
"""

import base64
import hashlib
import re
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

POINT_BYTES, HALF = 65, 32
_TOKEN = re.compile(r"T1\.[A-Za-z0-9_-]{20,600}\.[A-Za-z0-9_-]{86}")
_Kid = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
_Number = Annotated[str, msgspec.Meta(pattern="^[0-9A-F]{4}-[0-9]{6,16}$")]
_Body = tuple[_Kid, _Number, int, int, Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]]


class TillReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What a text says, whether it is true or not: key, number on the receipt, when, and what it came to (minor units)."""

    kid: str
    number: str
    at: datetime
    total: int
    currency: str

    @property
    def sequence(self) -> int:
        """The number in the till's journal."""
        return int(self.number.partition("-")[2])


def code_in(text: str) -> str | None:
    """The signed text in what was scanned: itself, or an address that ends with it."""
    found = _TOKEN.search(text)
    return None if found is None else found[0]


def said(token: str) -> TillReceipt | None:
    """What a text says, before anything is checked; None if it is none."""
    try:
        _, body, _ = token.split(".")
        kid, number, moment, total, currency = msgspec.json.decode(_from_text(body), type=_Body)
        at = datetime.fromtimestamp(moment, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return TillReceipt(kid=kid, number=number, at=at, total=total, currency=currency)


def is_signed(public: bytes, token: str) -> bool:
    """Whether this key has signed the text."""
    head, _, signature = token.rpartition(".")
    try:
        raw = _from_text(signature)
        if len(raw) != 2 * HALF:
            return False
        pair = utils.encode_dss_signature(
            int.from_bytes(raw[:HALF], "big"), int.from_bytes(raw[HALF:], "big")
        )
        point(public).verify(pair, head.encode(), ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def point(public: bytes) -> ec.EllipticCurvePublicKey:
    """A public key.

    Raises:
        ValueError: it is no point of the curve, or written otherwise.
    """
    if len(public) != POINT_BYTES:
        raise ValueError("not 65 bytes")
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)


def public_of(text: str) -> bytes:
    """The same of its text, base64url.

    Raises:
        ValueError: it is none.
    """
    public = _from_text(text)
    point(public)
    return public


def text_of(public: bytes) -> str:
    """A public key as text, base64url."""
    return base64.urlsafe_b64encode(public).decode().rstrip("=")


def key_id(public: bytes) -> str:
    """Tells keys apart: none is made to have the id of another."""
    return hashlib.sha256(public).hexdigest()[:16]


def _from_text(text: str) -> bytes:
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if base64.urlsafe_b64encode(data).decode().rstrip("=") != text:
        raise ValueError("not the one way to write it")
    return data
