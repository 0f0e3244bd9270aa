"""Receipts that prove themselves: a short signed text says which store, number, moment and total, and anybody can check it.

Ed25519 (RFC 8032). The private key is made once for the installation and kept sealed like every other secret; the public one
is published as a JSON Web Key (RFC 8037). What tills sign without network is another text (`samlad.tills.signed`). A signature says that the receipt is ours and was not changed. What came back since
it does not say: for that whoever takes goods back asks the order.
"""

import base64
import hashlib
import re
from datetime import UTC, datetime

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from samlad.channels import Channel, shop_address
from samlad.kernel.database import Database, Tx
from samlad.kernel.vault import Vault
from samlad.orders import Order

NAME = "receipts.key"
PATH = "/receipt/"
KEY_BYTES = 32
_TOKEN = re.compile(r"S1\.[A-Za-z0-9_-]{20,600}\.[A-Za-z0-9_-]{86}")
_Body = tuple[str, str, str, int, int, str]


class SignedReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What a signed text says: code of the store, number, when, and what it came to (minor units)."""

    store: str
    number: str
    at: datetime
    total: int
    currency: str


class PublicKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that receipts are signed with, as a JSON Web Key; ``x`` is the key itself, base64url."""

    kid: str
    x: str
    kty: str = "OKP"
    crv: str = "Ed25519"
    alg: str = "EdDSA"
    use: str = "sig"


class PublicKeys(msgspec.Struct, frozen=True):
    """A JSON Web Key Set (RFC 7517)."""

    keys: list[PublicKey]


async def key_of(reader: Database | Tx) -> Ed25519PrivateKey:
    """The key of this installation; made by whoever needs it first.

    Raises:
        CannotOpen: the vault's key that sealed it is not here.
    """
    database = reader if isinstance(reader, Database) else reader.database
    vault = Vault.of(database.settings)
    sealed = await reader.value("SELECT sealed FROM secret WHERE name = $1", NAME)
    if sealed is None and isinstance(reader, Database):
        return await reader.transaction(key_of)
    if sealed is None:
        fresh = Ed25519PrivateKey.generate().private_bytes_raw()
        await reader.rows(  # of several who come first at once, one's counts
            "INSERT INTO secret (name, sealed) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING RETURNING 1",
            NAME,
            vault.seal(NAME, fresh),
        )
        sealed = await reader.value("SELECT sealed FROM secret WHERE name = $1", NAME)
    return Ed25519PrivateKey.from_private_bytes(vault.open(NAME, sealed))


def key_id(key: Ed25519PublicKey) -> str:
    """Tells keys apart."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:8]


async def public_keys(reader: Database | Tx) -> PublicKeys:
    """What receipts can be checked with."""
    public = (await key_of(reader)).public_key()
    return PublicKeys([PublicKey(kid=key_id(public), x=_to_text(public.public_bytes_raw()))])


def signed(key: Ed25519PrivateKey, receipt: SignedReceipt) -> str:
    """The text that stands on a receipt."""
    moment = int(receipt.at.timestamp())
    content: _Body = (
        key_id(key.public_key()),
        receipt.store,
        receipt.number,
        moment,
        receipt.total,
        receipt.currency,
    )
    body = _to_text(msgspec.json.encode(content))
    return f"S1.{body}.{_to_text(key.sign(f'S1.{body}'.encode()))}"


def token_in(text: str) -> str | None:
    """The signed text in what was scanned: itself, or an address that ends with it."""
    found = _TOKEN.search(text)
    return None if found is None else found[0]


def checked(key: Ed25519PublicKey, token: str) -> SignedReceipt | None:
    """What a signed text says; None if we have not signed it."""
    try:
        _, body, signature = token.split(".")
        key.verify(_from_text(signature), f"S1.{body}".encode())
        _kid, store, number, moment, total, currency = msgspec.json.decode(_from_text(body), type=_Body)
        at = datetime.fromtimestamp(moment, UTC)
    except (InvalidSignature, ValueError, OverflowError, OSError):
        return None
    return SignedReceipt(store=store, number=number, at=at, total=total, currency=currency)


async def check(reader: Database | Tx, token: str) -> SignedReceipt | None:
    """What a signed text says; None if this installation has not signed it."""
    return checked((await key_of(reader)).public_key(), token)


async def address(reader: Database | Tx, order: Order, channel: Channel) -> str:
    """Where a receipt can be checked: its signed text is the end of the address."""
    database = reader if isinstance(reader, Database) else reader.database
    receipt = SignedReceipt(
        store=channel.code,
        number=order.number,
        at=order.placed_at,
        total=order.total,
        currency=order.currency,
    )
    return shop_address(database.settings, channel) + PATH + signed(await key_of(reader), receipt)


def _to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _from_text(text: str) -> bytes:
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _to_text(data) != text:
        raise ValueError("not the one way to write it")
    return data
