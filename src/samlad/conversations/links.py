"""The addresses of a conversation, of its page and for mails: a signature instead of a password."""

import base64
import hmac
from uuid import UUID

from samlad.kernel.settings import Settings
from samlad.kernel.vault import BadSignature, Vault

PURPOSE = "conversations"
KEPT_SECONDS = 365 * 86_400


def path(settings: Settings, conversation: UUID) -> str:
    """The path of its page in the shop."""
    return f"/conversation/{Vault.of(settings).sign(PURPOSE, conversation.hex)}"


def read(settings: Settings, signed: str) -> UUID | None:
    """The conversation that a link is of; None if it was not signed by us, or is too old."""
    try:
        return UUID(Vault.of(settings).unsign(PURPOSE, signed, max_age=KEPT_SECONDS))
    except (BadSignature, ValueError):
        return None


_SIGNATURE_BYTES = 10
_TOKEN = 42
"""Characters of base32: 16 bytes of the conversation and `_SIGNATURE_BYTES`, in 64 an address's name has room for it."""


def mail_address(settings: Settings, conversation: UUID) -> str | None:
    """The address at which answers to mails of a conversation arrive; None: none are taken (``mail_replies``)."""
    if not settings.mail_replies:
        return None
    name, _, domain = settings.mail_replies.rpartition("@")
    signature = _signatures(settings, conversation)[0]
    token = _base32(conversation.bytes) + _base32(signature)
    return f"{name}+{token}@{domain}" if name else f"{token}@{domain}"


def of_mail_address(settings: Settings, address: str) -> tuple[bool, UUID | None]:
    """Whether an address is one of a conversation's, and of which; (True, None): its signature is not ours."""
    if not settings.mail_replies:
        return False, None
    name, _, domain = settings.mail_replies.lower().rpartition("@")
    here, _, there = address.lower().rpartition("@")
    if there != domain or (name and not here.startswith(f"{name}+")):
        return False, None
    token = here[len(name) + 1 :] if name else here
    try:
        raw = [base64.b32decode(part.upper() + "=" * (-len(part) % 8)) for part in (token[:26], token[26:])]
    except ValueError:
        return True, None
    if len(token) != _TOKEN or len(raw[0]) != 16:
        return True, None
    conversation = UUID(bytes=raw[0])
    is_ours = any(hmac.compare_digest(each, raw[1]) for each in _signatures(settings, conversation))
    return True, conversation if is_ours else None


def _signatures(settings: Settings, conversation: UUID) -> list[bytes]:
    every = Vault.of(settings).fingerprints("conversations.mail", conversation.hex)
    return [each[:_SIGNATURE_BYTES] for each in every]


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()
