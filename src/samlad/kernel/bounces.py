"""Reading mails that say that another mail did not arrive (RFC 3464), and what their status means (RFC 3463).

Which mail it was is told by the address that the message came to (each mail has its own if ``mail_bounces`` is set), by the
headers of the mail that is sent back, or by what the message answers. Only who had the mail on its way knows its id, so nobody
else can have an address stopped.
"""

import email
import re
from collections.abc import Iterable, Iterator
from email.message import Message
from email.parser import HeaderParser
from email.policy import compat32
from uuid import UUID

import msgspec

LONGEST_ANSWER = 500
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_CODE = re.compile(r"(?<![\d.])([45]\d\d)(?![\d.])")
_OURS = re.compile(r"<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@")
_RETURNED_TO = re.compile(r"\+([0-9a-f]{32})@")
_CAME_TO = ("X-Original-To", "Delivered-To", "Envelope-To", "To")
_REPORTS = ("message/delivery-status", "message/global-delivery-status")
_SENT_BACK = ("message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers")
_NOBODY_THERE = {(1, 0), (1, 1), (1, 2), (1, 3), (1, 6), (1, 10), (2, 1), (4, 4)}
"""Subject and detail of a status that is about the address; others are about the mail, its sender or a full mailbox."""
_REFUSES_ADDRESS = (550, 551, 553)
"""Codes of SMTP that mean the address where no status says more."""


class Bounce(msgspec.Struct, frozen=True, kw_only=True):
    """A mail that did not arrive: its id, whether nobody can be reached there (else: this time only), the status of RFC 3463
    (``5.1.1``), the code of SMTP (``550``) and what the other server said."""

    mail: UUID
    is_permanent: bool
    status: str
    code: int
    answer: str


def read(raw: bytes) -> list[Bounce]:
    """What a message says about mails of ours that did not arrive; nothing if it is no such message, or says that they are late."""
    message = email.message_from_bytes(raw, policy=compat32)
    reports = [part for part in message.walk() if part.get_content_type() in _REPORTS]
    mail = _which(message) if reports else None
    if mail is None:
        return []
    found = [_bounce(mail, fields) for report in reports for fields in _blocks(report) if _failed(fields)]
    return sorted(found, key=lambda each: not each.is_permanent)[:1]  # a mail has one reader


def judged(answer: str, code: int) -> tuple[bool, str]:
    """Whether an answer of a mail server means that nobody can be reached there, and the status of RFC 3463 in it."""
    found = _STATUS.search(answer)
    status = found[0] if found else f"{code // 100}.0.0"
    return is_permanent(status, code), status


def is_permanent(status: str, code: int) -> bool:
    """Whether nobody can be reached at an address, by the status (``5.1.1``), or by the code where the status says nothing."""
    kind, subject, detail = (int(part) for part in status.split("."))
    if kind != 5:
        return False
    if (subject, detail) == (0, 0):
        return code in _REFUSES_ADDRESS
    return (subject, detail) in _NOBODY_THERE


def _failed(fields: Message) -> bool:
    """Whether a block is about a recipient that was not reached; ``delayed`` and ``relayed`` ones may still be."""
    return "Final-Recipient" in fields and _value(fields, "Action").lower().startswith("failed")


def _bounce(mail: UUID, fields: Message) -> Bounce:
    answer = " ".join(_value(fields, "Diagnostic-Code").partition(";")[2].split())
    status = _STATUS.search(_value(fields, "Status")) or _STATUS.search(answer)
    said = status[0] if status else "5.0.0"
    code = _CODE.search(answer)
    number = int(code[1]) if code else 550 if said[0] == "5" else 450
    if said == "5.0.0" and (better := _STATUS.search(answer)):
        said = better[0]  # servers that know no more than "failed" pass on what the other one said
    return Bounce(
        mail=mail,
        is_permanent=is_permanent(said, number),
        status=said,
        code=number,
        answer=answer[:LONGEST_ANSWER],
    )


def _blocks(report: Message) -> Iterator[Message]:
    """The blocks of fields in a report: the first is about the message, the others about its recipients."""
    content = report.get_payload()
    parts = content if isinstance(content, list) else [content]
    text = "\n\n".join(part.as_string() if isinstance(part, Message) else str(part) for part in parts)
    for block in re.split(r"\n[ \t]*\n+", text.replace("\r\n", "\n")):
        yield HeaderParser().parsestr(block.lstrip("\n"))


def _which(message: Message) -> UUID | None:
    """Which mail of ours came back."""
    for name in _CAME_TO:
        for value in message.get_all(name, []):
            if found := _RETURNED_TO.search(str(value).lower()):
                return UUID(found[1])
    for value in _names(message):
        if found := _OURS.search(value.lower()):
            return UUID(found[1])
    return None


def _names(message: Message) -> Iterable[str]:
    """Where the id of the mail can stand."""
    for part in message.walk():
        if part.get_content_type() not in _SENT_BACK:
            continue
        content = part.get_payload()
        if isinstance(content, list):
            yield from (_value(each, "Message-ID") for each in content if isinstance(each, Message))
        else:
            raw = part.get_payload(decode=True)
            text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(content)
            yield _value(HeaderParser().parsestr(text), "Message-ID")
    yield from (_value(message, name) for name in ("In-Reply-To", "References"))


def _value(fields: Message, name: str) -> str:
    return str(fields.get(name, "")).strip()
