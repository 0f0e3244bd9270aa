"""Conditions as SQL: one statement for everybody or for some people. Values are always parameters.

Each leaf becomes a subquery with a row for each person that there is anything to say about: ``ok``, what was ``found``, and
``until``, the first moment at which ``ok`` can be different though nothing happens. The statement joins them to the people
that are looked at, so that PostgreSQL reads indexes for few people and whole tables once for all.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from samlad.audiences import kinds, leaves, windows
from samlad.audiences.conditions import All, AnyOf, Condition, Not, Other, PastWindow, of
from samlad.audiences.leaves import Leaf


class Part(NamedTuple):
    """A condition in the statement: whether it holds (never null), what was found, and until when."""

    holds: str
    found: str
    until: list[str]


class Sql:
    """What is being compiled: parameters, joins, and the moment that counts as now."""

    def __init__(self, pool: UUID, at: datetime, time_zone: str) -> None:
        self.args: list[Any] = []
        self.at, self.time_zone = at, time_zone
        self.pool = self.arg(pool, "uuid")
        self._now = ""
        self.joins: list[str] = []
        self.wants_nodes = False
        self._parts: dict[bytes, Part] = {}

    def arg(self, value: Any, kind: str) -> str:
        """A parameter, with its type of PostgreSQL."""
        self.args.append(value)
        return f"${len(self.args)}::{kind}"

    @property
    def now(self) -> str:
        """The moment, as a parameter; PostgreSQL refuses those that nothing uses."""
        self._now = self._now or self.arg(self.at, "timestamptz")
        return self._now

    def within(self, window: PastWindow | None, column: str) -> str:
        """Whether a moment lies in a window; ``true`` without one."""
        if window is None:
            return "true"
        edge = windows.bounds(window, self.at, self.time_zone)
        parts = []
        if edge.start is not None:
            parts.append(f"{column} {'>' if edge.is_open else '>='} {self.arg(edge.start, 'timestamptz')}")
        if edge.end is not None:
            parts.append(f"{column} < {self.arg(edge.end, 'timestamptz')}")
        return " AND ".join(parts) or "true"

    def falls_out(self, window: PastWindow | None, moment: str) -> str:
        """When a moment falls out of a window; null where it never does."""
        if window is not None and window.hours is not None:
            return f"{moment} + make_interval(hours => {self.arg(window.hours, 'int')})"
        if window is not None and window.days is not None:
            zone, days = self.arg(self.time_zone, "text"), self.arg(window.days + 1, "int")
            return f"((({moment}) AT TIME ZONE {zone})::date + {days})::timestamp AT TIME ZONE {zone}"
        return "NULL::timestamptz"

    def between(self, value: str, low: int | None, high: int | None, kind: str = "bigint") -> str:
        """Whether a value lies in a range with both ends in it."""
        parts = [f"{value} >= {self.arg(low, kind)}"] if low is not None else []
        parts += [f"{value} <= {self.arg(high, kind)}"] if high is not None else []
        return " AND ".join(parts)

    def part(self, condition: Condition) -> Part:
        """A condition of the statement; the same one twice is looked up once."""
        key = msgspec.json.encode(condition)
        if key not in self._parts:
            self._parts[key] = self._part(condition)
        return self._parts[key]

    def _part(self, condition: Condition) -> Part:
        inside = [self.part(each) for each in of(condition)]
        until = list(dict.fromkeys(each for part in inside for each in part.until))
        if isinstance(condition, All):
            return Part(_glued(inside, "AND", "true"), "NULL::text", until)
        if isinstance(condition, AnyOf):
            return Part(_glued(inside, "OR", "false"), "NULL::text", until)
        if isinstance(condition, Not):
            return Part(f"(NOT {inside[0].holds})", "NULL::text", until)
        leaf = self._leaf(condition)
        if not leaf.rows:
            return Part(f"coalesce({leaf.holds}, false)", leaf.found, [leaf.until])
        name = f"l{len(self.joins)}"
        self.joins.append(f"LEFT JOIN ({leaf.rows}) {name} ON {name}.person = p.id")
        return Part(f"coalesce({name}.ok, {str(leaf.none).lower()})", f"{name}.found", [f"{name}.until"])

    def _leaf(self, condition: Condition) -> Leaf:
        if isinstance(condition, Other):
            return kinds.get(condition.name).leaf(condition.data, self)
        make: Callable[[Any, Sql], Leaf] = leaves.LEAVES[type(condition)]
        return make(condition, self)


def _glued(parts: Sequence[Part], word: str, none: str) -> str:
    return "(" + f" {word} ".join(part.holds for part in parts) + ")" if parts else none


class Compiled(NamedTuple):
    """A statement in parts: ``with_`` (without the word WITH) ends in the table truth(person, is_in, until)."""

    with_: str
    args: list[Any]


def compiled(
    definition: Condition,
    pool: UUID,
    at: datetime,
    time_zone: str,
    *,
    people: Sequence[UUID] | None = None,
) -> Compiled:
    """The truth about everybody of a pool, or about these people.

    ``definition`` is expanded. People who are not of the pool, or who are the same as somebody else who stands for them,
    have no row.
    """
    sql = Sql(pool, at, time_zone)
    whom = ""
    if people is not None:
        whom = f" AND c.id = ANY ({sql.arg(list(people), 'uuid[]')})"
    part = sql.part(definition)
    truth = f"""SELECT p.id AS person, {part.holds} AS is_in, {_until(sql, part)} AS until
                FROM people p {" ".join(sql.joins)}"""
    return Compiled(f"{_people(sql, whom)}, truth AS MATERIALIZED ({truth})", sql.args)


def explained(
    definition: Condition, pool: UUID, at: datetime, time_zone: str, person: UUID
) -> tuple[str, list[Any], list[Condition]]:
    """A statement with one row for one person: until, and for each condition whether it holds and what was found
    (``h0``, ``f0``, ``h1`` …, in the order of the list)."""
    sql = Sql(pool, at, time_zone)
    whom = f" AND c.id = {sql.arg(person, 'uuid')}"
    inside: list[Condition] = []
    _collect(definition, inside)
    parts = [sql.part(each) for each in inside]
    shown = ", ".join(f"{part.holds} AS h{n}, {part.found} AS f{n}" for n, part in enumerate(parts))
    until = _until(sql, sql.part(definition))
    statement = (
        f"WITH {_people(sql, whom)} SELECT {until} AS until, {shown} FROM people p {' '.join(sql.joins)}"
    )
    return statement, sql.args, inside


def _collect(condition: Condition, into: list[Condition]) -> None:
    into.append(condition)
    for each in of(condition):
        _collect(each, into)


def _until(sql: Sql, part: Part) -> str:
    """The earliest moment; a moment that is not ahead would be looked at for ever."""
    moments = [each for each in part.until if each != "NULL::timestamptz"]
    if not moments:
        return "NULL::timestamptz"
    ahead = [f"CASE WHEN {each} > {sql.now} THEN {each} END" for each in moments]
    return f"least({', '.join(ahead)})"


def _people(sql: Sql, whom: str) -> str:
    """Who is looked at, and every customer row that they are."""
    people = f"""people AS MATERIALIZED (
        SELECT c.id, c.name, c.email, c.phone, c.external_id, c.group_name, c.country, c.locale, c.created_at
        FROM customer c WHERE c.pool = {sql.pool} AND c.survivor IS NULL{whom}),
    member AS (SELECT id AS person, id FROM people
               UNION ALL SELECT p.id, c.id FROM people p JOIN customer c ON c.survivor = p.id)"""
    if sql.wants_nodes:
        people += """,
    own AS (SELECT p.id AS person, n.id FROM people p JOIN identity_node n ON n.profile = p.id AND n.person IS NULL),
    node AS (SELECT person, id FROM own UNION ALL SELECT o.person, n.id FROM own o JOIN identity_node n ON n.person = o.id)"""
    return people
