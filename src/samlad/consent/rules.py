"""Whether somebody agreed: a pure function of the ledger, so that no order of arrival and no merge can change it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from samlad.consent.model import Answer, Level, Purpose, Standing


class Said(Protocol):
    """What the rule looks at in a line of the ledger."""

    @property
    def id(self) -> UUID:
        """Breaks ties."""

    @property
    def node(self) -> UUID:
        """Which identifier answered."""

    @property
    def answer(self) -> Answer:
        """Yes or no."""

    @property
    def level(self) -> Level:
        """Who says so."""

    @property
    def answered_at(self) -> datetime:
        """When."""

    @property
    def until(self) -> datetime | None:
        """When a grant ends."""


def outlives(grant: Said, denial: Said) -> bool:
    """Whether a grant holds in spite of a denial of the same person.

    Only a later one does: one that the person proved, or one of the same identifier with no fewer behind it. So an
    unproved yes of one e-mail address never overrules the no of another when two people turn out to be one.
    """
    if grant.answered_at <= denial.answered_at:
        return False
    return grant.level == Level.VERIFIED or (grant.node == denial.node and grant.level >= denial.level)


def deciding(entries: Iterable[Said], purpose: Purpose, at: datetime) -> Said | None:
    """The grant by which a person's purpose is allowed at a moment; None: it is not.

    ``entries`` are those of all identifiers of the person, to `Purpose.codes`, for all channels or the one in question.
    """
    told = [each for each in entries if each.answered_at <= at]
    denials = [each for each in told if each.answer == Answer.DENIED]
    grants = [
        each
        for each in told
        if each.answer == Answer.GRANTED
        and each.level >= purpose.least
        and (each.until is None or at < each.until)
        and all(outlives(each, denial) for denial in denials)
    ]
    return max(grants, key=lambda each: (each.level, each.answered_at, each.id), default=None)


def standing(entries: Iterable[Said], purpose: Purpose, at: datetime) -> Standing:
    """What holds at a moment, with the answer that decides: the grant, else the latest no."""
    mine = list(entries)
    grant = deciding(mine, purpose, at)
    told = [each for each in mine if each.answered_at <= at]
    last = grant or max(told, key=lambda each: (each.answered_at, each.id), default=None)
    return Standing(
        purpose=purpose.code,
        is_allowed=purpose.is_always or grant is not None,
        entry=None if last is None else last.id,
        answered_at=None if last is None else last.answered_at,
        until=None if grant is None else grant.until,
    )


def ends(purpose: Purpose, answer: Answer, answered_at: datetime, until: datetime | None) -> datetime | None:
    """When an answer ends: a no never does; a yes no later than the purpose's days allow."""
    if answer == Answer.DENIED:
        return None
    if purpose.days is None:
        return until
    latest = answered_at + timedelta(days=purpose.days)
    return latest if until is None else min(until, latest)
