"""Who decides about tax: our own engine, or an outside one that an installation registers.

Our own is `samlad.tax.rules.decide` and answers from memory. An outside engine is asked over the network and so never
inside a transaction: whoever shows a cart asks it (`ask`), its answer is kept under the question, and placing an order
reads it there (`known`). An answer holds for a day, and only for that day's date.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Protocol

import msgspec
import structlog

from samlad.kernel.clock import now
from samlad.kernel.database import Database, Reader
from samlad.kernel.problems import Problem
from samlad.tax import store
from samlad.tax.model import Buyer, Decision, Seller, Territory
from samlad.tax.rules import Rates, decide

OWN = "own"
KEPT = timedelta(hours=24)

logger = structlog.get_logger("samlad.tax")


class TaxEngineSilent(Problem):
    """The outside tax engine of this channel does not answer. Nothing was done; try again in a moment."""

    code, status, title = "tax-engine-silent", 503, "The tax engine does not answer"


class Good(msgspec.Struct, frozen=True, order=True):
    """What is sold, as far as tax cares: its class, and whether it is goods (else a service, or something digital)."""

    tax_class: str
    is_goods: bool


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an engine decides by. The same question has the same answer.

    ``parcel``: net value of the goods (minor units) where a scheme asks for it, else 0.
    """

    seller: Seller
    place: Territory
    postal_code: str | None
    buyer: Buyer
    day: date
    is_handed_over: bool
    goods: Sequence[Good]
    parcel: int = 0

    @property
    def key(self) -> bytes:
        """SHA-256 over the question."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).digest()


class EngineSilent(Exception):
    """An engine did not answer in time, or nothing that one could use."""


class TaxEngine(Protocol):
    """What an outside engine can do."""

    name: str

    async def decide(self, question: Question) -> Sequence[Decision]:
        """How each of the question's goods is taxed, in their order.

        Raises:
            EngineSilent: no usable answer within the engine's own time limit.
        """
        ...


class OwnEngine:
    """Our rules and rates, as an engine."""

    name = OWN

    def __init__(self, rates: Rates) -> None:
        self._rates = rates

    def answers(self, question: Question) -> list[Decision]:
        """How each of the question's goods is taxed; from memory."""
        return [
            decide(
                question.seller,
                question.place,
                question.buyer,
                good.tax_class,
                question.day,
                self._rates,
                is_goods=good.is_goods,
                is_handed_over=question.is_handed_over,
                parcel=question.parcel,
            )
            for good in question.goods
        ]

    async def decide(self, question: Question) -> Sequence[Decision]:
        """The same, as the protocol has it."""
        return self.answers(question)


_registered: dict[str, TaxEngine] = {}


def register(engine: TaxEngine) -> None:
    """Let channels choose an engine by its name (setting ``tax_engine``)."""
    _registered[engine.name] = engine


async def known(reader: Reader, question: Question) -> list[Decision] | None:
    """What the engine has answered to this question, or None. One statement."""
    found = await store.answer(reader, question.key, now() - KEPT)
    return None if found is None else _read(found, question)


async def ask(database: Database, name: str, question: Question) -> list[Decision] | None:
    """What an outside engine says, asked now unless it has answered before; None: it is silent, or there is none."""
    found = await known(database, question)
    engine = _registered.get(name)
    if found is not None or engine is None:
        return found
    try:
        answered = list(await engine.decide(question))
        if len(answered) != len(question.goods):
            raise EngineSilent(f"{len(answered)} answers to {len(question.goods)} questions")
    except EngineSilent as error:
        logger.warning("tax engine silent", engine=name, error=str(error))
        return None
    document = msgspec.to_builtins(answered)
    await database.transaction(lambda tx: store.put_answer(tx, question.key, name, document))
    return answered


def _read(document: object, question: Question) -> list[Decision] | None:
    try:
        found = msgspec.convert(document, list[Decision])
    except msgspec.ValidationError:
        return None
    return found if len(found) == len(question.goods) else None
