"""Reading a mail that somebody sent us: who, to which addresses, what it answers, and what it says. Pure; no mail breaks it."""

import email
import re
from email.errors import CloseBoundaryNotFoundDefect, MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.policy import compat32
from email.utils import getaddresses, parseaddr
from hashlib import sha256
from uuid import UUID

import msgspec

from samlad.conversations import plain, quoting
from samlad.conversations.enclosed import Enclosed, name_of

LONGEST_TEXT = 100_000
"""Characters of a mail's text that are looked at."""
MOST_ATTACHED, MOST_REFERENCES, MOST_PARTS, LONGEST_HEADER = 20, 50, 200, 998
_CAME_TO = ("X-Original-To", "Delivered-To", "Envelope-To", "To", "Cc")
_ID = re.compile(r"<([!-;=?-~]{1,250})>")
_OURS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BULK = frozenset({"bulk", "junk", "list", "auto_reply", "auto-reply"})
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ADDRESS = re.compile(r"[^\s@<>\x00]{1,64}@[^\s@<>\x00]{1,189}")


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A mail as it came.

    Attributes:
        key: of its Message-ID and sender (of all of it, if it has no Message-ID): the same mail has the same.
        sender: the address, in small letters; empty: there is none.
        to: addresses that it came to, in small letters.
        answers: ids of mails of ours that it may answer: what stands before the @ of the Message-IDs that it names.
        is_automatic: a program wrote it (RFC 3834), or it went to many.
        is_report: it says what became of a mail.
        text: what is new in it.
        results: its headers ``Authentication-Results``; anybody may have written them (`proof`).
    """

    key: bytes
    message_id: str | None
    sender: str
    name: str
    subject: str
    to: list[str]
    answers: list[UUID]
    is_automatic: bool
    is_report: bool
    text: str
    attachments: list[Enclosed]
    results: list[str]


def read(raw: bytes) -> Letter:
    """What a mail is and says. What cannot be read is empty."""
    try:
        message = email.message_from_bytes(raw, policy=compat32)
        parts = [part for _, part in zip(range(MOST_PARTS), message.walk(), strict=False)]
    except (MessageError, RecursionError, ValueError):
        message, parts = Message(), []
    sender = _addresses(message, ("From",))[:1]
    ids = _ID.findall(_value(message, "Message-ID"))
    same = f"{ids[0]}\n{(sender or [''])[0]}".encode() if ids else raw
    return Letter(
        key=sha256(same).digest(),
        message_id=ids[0] if ids else None,
        sender=(sender or [""])[0],
        name=_line(parseaddr(_value(message, "From"))[0])[:100],
        subject=_line(_value(message, "Subject"))[:150],
        to=list(dict.fromkeys(_addresses(message, _CAME_TO))),
        answers=_answers(message),
        is_automatic=_is_automatic(message),
        is_report=message.get_content_type() == "multipart/report",
        text=quoting.written(_text(parts)),
        attachments=_attached(parts),
        results=_results(message),
    )


def _value(message: Message, name: str) -> str:
    try:
        return str(message.get(name, ""))[: LONGEST_HEADER * 4]
    except (MessageError, ValueError, LookupError):
        return ""


def _line(encoded: str) -> str:
    """A header in words: decoded (RFC 2047), in one line."""
    try:
        text = str(make_header(decode_header(encoded)))
    except (MessageError, ValueError, LookupError):
        text = encoded
    text = text.encode("utf-8", "replace").decode()
    return " ".join(_CONTROL.sub(" ", text).split())


def _addresses(message: Message, names: tuple[str, ...]) -> list[str]:
    values = [
        str(value)[: LONGEST_HEADER * 4]
        for name in names
        for value in message.get_all(name, [])[:MOST_REFERENCES]
    ]
    try:
        found = [address.strip().lower() for _, address in getaddresses(values)]
    except (MessageError, ValueError, RecursionError):
        found = []
    return [address for address in found if _ADDRESS.fullmatch(address)]


def _results(message: Message) -> list[str]:
    try:
        return [str(each) for each in message.get_all("Authentication-Results", [])[:MOST_REFERENCES]]
    except (MessageError, ValueError, LookupError):
        return []


def _answers(message: Message) -> list[UUID]:
    ids = [each for name in ("In-Reply-To", "References") for each in _ID.findall(_value(message, name))]
    names = (each.partition("@")[0].lower() for each in ids[:1] + ids[1:][-MOST_REFERENCES:])
    return list(dict.fromkeys(UUID(name) for name in names if _OURS.fullmatch(name)))


def _is_automatic(message: Message) -> bool:
    said = _value(message, "Auto-Submitted").partition(";")[0].strip().lower()
    return (
        said not in ("", "no")
        or _value(message, "Return-Path").strip() == "<>"  # so that nothing answers it
        or _value(message, "Precedence").strip().lower() in _BULK
        or any(
            name in message
            for name in (
                "X-Autoreply",
                "X-Autorespond",
                "X-Autoresponder",
                "List-Id",
                "List-Unsubscribe",
                "Feedback-ID",
            )
        )
    )


def _text(parts: list[Message]) -> str:
    """The first text that is to be read; HTML only if there is no other."""
    told = {kind: next((part for part in parts if _is_text(part, kind)), None) for kind in ("plain", "html")}
    if told["plain"] is not None:
        text = _decoded(told["plain"])
        if text.strip():
            return text
    if told["html"] is None:
        return ""
    html = _decoded(told["html"])
    return plain.text_of(html) or plain.text_of(html, quotes=True)


def _is_text(part: Message, kind: str) -> bool:
    return part.get_content_type() == f"text/{kind}" and part.get_content_disposition() != "attachment"


def _decoded(part: Message) -> str:
    try:
        raw = part.get_payload(decode=True)
    except (MessageError, ValueError, LookupError):
        raw = None
    if not isinstance(raw, bytes):
        return ""
    raw = raw[: LONGEST_TEXT * 4]
    try:
        text = raw.decode(part.get_content_charset() or "utf-8", "replace")
    except (LookupError, ValueError):
        text = raw.decode("utf-8", "replace")
    return _CONTROL.sub("", text.encode("utf-8", "replace").decode())[:LONGEST_TEXT]


def _attached(parts: list[Message]) -> list[Enclosed]:
    """The files that came with it; pictures that stand in the text are files too."""
    is_cut = any(isinstance(each, CloseBoundaryNotFoundDefect) for part in parts for each in part.defects)
    found = []
    for part in parts:
        if part.is_multipart() or _is_text(part, "plain") or _is_text(part, "html"):
            continue
        try:
            raw, name = part.get_payload(decode=True), part.get_filename()
        except (MessageError, ValueError, LookupError, AttributeError):
            raw, name = None, None
        if isinstance(raw, bytes) and raw:
            found.append(
                Enclosed(
                    name=name_of(_line(str(name or ""))),
                    type=_line(part.get_content_type())[:100],
                    size=len(raw),
                    content=None if is_cut and part is parts[-1] else raw,
                )
            )
    return found[:MOST_ATTACHED]
