"""What becomes of a conversation when somebody says something. Pure."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from samlad.conversations.model import Conversation, State, Way

_BLANK = re.compile(r"\n{3,}")
_NAME = re.compile(r"\{(name|order|agent)\}")


def tidy(text: str) -> str:
    """A message as it is kept: line ends of one kind, no more than one empty line, nothing around it."""
    return _BLANK.sub("\n\n", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def after(before: Conversation, way: Way, at: datetime, then: State) -> dict[str, Any]:
    """The fields of a conversation that a new message changes.

    What a customer says opens it, also when it was closed or snoozed; an answer hands it to the customer or closes it
    (``then``); a note changes nothing of that.
    """
    number = before.messages + 1
    values: dict[str, Any] = {"messages": number, "last_at": at}
    if way is Way.NOTE:
        return values
    values |= {"words": number, "snoozed_until": None}
    if way is Way.IN:
        return values | {
            "state": State.OPEN,
            "waiting_since": before.waiting_since or at,
            "seen": max(before.seen, number),
        }
    return values | {"state": then, "waiting_since": None, "answers": number}


def is_crossed(before: Conversation, seen: int | None) -> bool:
    """Whether somebody said something to or from the customer that the writer of an answer has not read."""
    return seen is not None and seen < before.words


def together(here: Conversation, there: Conversation) -> tuple[State, datetime | None]:
    """The state of two that become one, and until when it is snoozed: whoever of them has more to do, has it still."""
    if State.OPEN in (here.state, there.state):
        return State.OPEN, None
    until = min(
        (each.snoozed_until for each in (here, there) if each.snoozed_until is not None), default=None
    )
    if until is not None:
        return State.SNOOZED, until
    return (State.PENDING if State.PENDING in (here.state, there.state) else State.CLOSED), None


def seen_of_both(here: Conversation, there: Conversation) -> int:
    """Up to which number the customer has seen two that become one: the words of ``here`` come after those of ``there``."""
    return there.seen if there.seen < there.answers else there.messages + here.seen


def filled(body: str, values: Mapping[str, str]) -> str:
    """A saved reply with what is known filled in; what is not known stays in braces, so that it is seen."""
    return _NAME.sub(lambda found: values.get(found[1]) or found[0], body)
