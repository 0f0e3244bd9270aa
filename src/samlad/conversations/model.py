"""What is said between customers and staff, and what becomes of it."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from samlad.catalog.model import NO_CONTROL
from samlad.kernel.problems import Problem

LONGEST = 10_000
"""Characters of a message."""

Language = Annotated[str, Meta(pattern="^[a-z]{2}$", max_length=2, examples=["sv"])]
Email = Annotated[
    str, Meta(max_length=254, pattern=r"^[^\s@\x00]+@[^\s@\x00]+$", examples=["kim@example.org"])
]
Phone = Annotated[
    str, Meta(min_length=3, max_length=40, pattern=r"^[+0-9 ()/.-]+$", examples=["+46701234567"])
]
Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=NO_CONTROL, examples=["Kim Berg"])]
Subject = Annotated[
    str, Meta(min_length=1, max_length=150, pattern=NO_CONTROL, examples=["Where is my parcel?"])
]
Body = Annotated[
    str,
    Meta(
        min_length=1, max_length=LONGEST, pattern=r"^[^\x00]*$", examples=["It should have come on Monday."]
    ),
]


class Crossed(Problem):
    """Somebody wrote while this answer was written. Read it, then send the answer again, changed or not."""

    code, status, title = "crossed-reply", 409, "Somebody wrote meanwhile"


class State(StrEnum):
    """``open``: it is for staff to answer. ``pending``: for the customer. ``snoozed``: staff look again later."""

    OPEN = "open"
    PENDING = "pending"
    SNOOZED = "snoozed"
    CLOSED = "closed"


class Topic(StrEnum):
    """What it is about."""

    ORDER = "order"
    DELIVERY = "delivery"
    RETURN = "return"
    PRODUCT = "product"
    PAYMENT = "payment"
    OTHER = "other"


class Way(StrEnum):
    """``in``: from the customer. ``out``: to them. ``note``: among staff."""

    IN = "in"
    OUT = "out"
    NOTE = "note"


class Medium(StrEnum):
    """By what it was said: on a page, by mail, on the phone, in a store."""

    WEB = "web"
    MAIL = "mail"
    PHONE = "phone"
    STORE = "store"


class Mark(StrEnum):
    """What staff should know of a message that came by mail.

    ``automatic``: a program wrote it, such as an answer of somebody who is away. ``other-address``: it came from an address
    that is not the customer's. ``card``: a card number was taken out. ``shortened``: it was longer than a message can be.
    """

    AUTOMATIC = "automatic"
    OTHER_ADDRESS = "other-address"
    CARD = "card"
    SHORTENED = "shortened"


class Attached(msgspec.Struct, frozen=True, kw_only=True):
    """A file that came with a mail: ``name``, media ``type`` and ``size`` in bytes. ``id``: of what is kept; without it only these are."""

    name: str
    type: str
    size: int
    id: UUID | None = None


class BeginInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody says the first word. ``id`` sent twice begins one conversation.

    Guests give an e-mail address, so that they hear the answer. ``order`` is the number of an order of theirs in this
    channel; one that is not is left out. ``customer``, ``way`` and ``medium``: only staff say these.
    """

    id: UUID | None = None
    channel: UUID
    subject: Subject
    body: Body
    topic: Topic = Topic.OTHER
    order: Annotated[str, Meta(max_length=40, pattern=NO_CONTROL, examples=["W-1042"])] | None = None
    name: Name | None = None
    email: Email | None = None
    phone: Phone | None = None
    language: Language = "en"
    customer: UUID | None = None
    way: Literal["in", "out"] = "in"
    medium: Literal["web", "mail", "phone", "store"] = "web"


class MessageInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The next word. ``id`` sent twice is one message.

    Staff say ``seen``, the number of the last message that they have read: an answer that crosses another is not sent.
    ``note``: for staff only. ``channel``, ``medium`` and ``way`` (``in``: what a customer said on the phone): only staff.
    """

    id: UUID | None = None
    body: Body
    note: bool = False
    seen: Annotated[int, Meta(ge=0, le=2_000_000_000)] | None = None
    then: Annotated[Literal["pending", "closed"], Meta(description="What becomes of it after an answer")] = (
        "pending"
    )
    channel: UUID | None = None
    way: Literal["in", "out"] | None = None
    medium: Literal["web", "phone", "store"] = "web"


class ChangeInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is given changes. ``assignee`` null: nobody. ``snoozed_until`` snoozes; any ``state`` ends that."""

    state: Literal["open", "pending", "closed"] | msgspec.UnsetType = msgspec.UNSET
    snoozed_until: Annotated[datetime, Meta(tz=True)] | msgspec.UnsetType = msgspec.UNSET
    assignee: UUID | msgspec.UnsetType | None = msgspec.UNSET
    topic: Topic | msgspec.UnsetType = msgspec.UNSET
    subject: Subject | msgspec.UnsetType = msgspec.UNSET


class MergeInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The conversation that another one goes on in."""

    into: UUID


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A thread that belongs to a customer. Times are UTC.

    Attributes:
        waiting_since: when the customer said what nobody has answered yet.
        messages: the number of the last message; ``words`` of the last that was no note, ``answers`` of the last to the customer.
        seen: the customer has seen what has this number and lower ones.
        merged_into: it goes on there.
    """

    id: UUID
    pool: UUID
    channel: UUID
    channel_name: str
    customer: UUID | None
    name: str
    email: str | None
    phone: str | None
    language: str
    subject: str
    topic: Topic
    order: UUID | None
    order_number: str | None
    state: State
    assignee: UUID | None
    assignee_name: str | None
    snoozed_until: datetime | None
    waiting_since: datetime | None
    last_at: datetime
    messages: int
    answers: int
    words: int
    seen: int
    merged_into: UUID | None
    begun_at: datetime
    version: int


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a conversation when another one goes on in it, or it in another one, besides what was said."""

    state: State
    snoozed_until: datetime | None
    seen: int


class BeforeMerge(msgspec.Struct, frozen=True, kw_only=True):
    """How a conversation (``here``) and the one that it goes on in (``there``) were before. ``version`` is that of the other since."""

    here: Kept
    there: Kept
    version: int


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A word of a conversation. ``author``: who of the staff; null: the customer. ``origin``: where it was said first."""

    id: UUID
    conversation: UUID
    number: int
    origin: UUID
    channel: UUID
    channel_name: str
    way: Way
    medium: Medium
    author: UUID | None
    author_name: str
    body: str
    marks: list[Mark]
    attachments: list[Attached]
    at: datetime


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation with its messages, earliest first. Customers see no notes."""

    conversation: Conversation
    messages: list[Message]


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many conversations are where; ``mine``, ``unassigned`` and ``overdue`` (longer than their channel's target) are of the
    open ones. ``mails``: how many wait to be sorted."""

    open: int = 0
    mine: int = 0
    unassigned: int = 0
    pending: int = 0
    snoozed: int = 0
    oldest: datetime | None = None
    overdue: int = 0
    mails: int = 0


class ReplyInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A saved reply. ``{name}``, ``{order}`` and ``{agent}`` in it are filled in."""

    name: Name
    language: Language = "en"
    body: Body


class SavedReply(msgspec.Struct, frozen=True, kw_only=True):
    """As `ReplyInput`."""

    id: UUID
    name: str
    language: str
    body: str
    version: int


class Why(StrEnum):
    """Why a mail is in no conversation.

    ``no-thread``: it answers nothing of ours. ``forged``: its address was not signed by us. ``two-threads``: its address is of one
    conversation and it answers another. ``other-sender``: it answers a mail of ours without that one's address, from somebody
    who is not the customer. ``other-customer``: another customer sent it. ``erased``: the customer was erased. ``unproved``: our
    mail server does not say that it is from whom it says.
    """

    NO_THREAD = "no-thread"
    FORGED = "forged"
    TWO_THREADS = "two-threads"
    OTHER_SENDER = "other-sender"
    OTHER_CUSTOMER = "other-customer"
    ERASED = "erased"
    UNPROVED = "unproved"


class InboundMail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail that came in and that no rule puts into a conversation.

    Attributes:
        state: ``waiting`` for staff, ``dismissed``, or ``taken``: it is in a conversation, and its words are only there.
        conversation: where it says that it belongs, or where it is.
        attachments: what came with it.
    """

    id: UUID
    state: str
    reason: Why | None
    conversation: UUID | None
    conversation_subject: str | None
    conversation_name: str | None
    sender: str
    name: str
    subject: str
    body: str
    marks: list[Mark]
    attachments: list[Attached]
    received_at: datetime
    decided_at: datetime | None


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a mail that was handed in.

    ``bounced``: mails do not arrive at ``addresses``. ``taken``: it is in the ``conversation``. ``waiting``: staff look at it.
    ``again``: it came before. ``passed``: a program wrote it, or we did, and it is kept nowhere.
    """

    what: Literal["bounced", "taken", "waiting", "again", "passed"]
    conversation: UUID | None = None
    addresses: list[str] = []


class PlaceInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The conversation that a mail belongs to."""

    conversation: UUID


class NewInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The channel in which a conversation begins with a mail."""

    channel: UUID
