"""The goods that promotions name, while a catalogue joins or leaves: each names those of the catalogue that it is for."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from samlad.catalog.twins import counterparts
from samlad.channels.pooling import SHOWN, Finding, Level, Move, MoveKind, Turn, examples
from samlad.kernel.database import Reader, Tx
from samlad.kernel.i18n import marked
from samlad.promotions import live

# The channel's own: nobody shares promotions with it while it moves with its goods.
_OWN = "p.pool = (SELECT pool FROM channel_pool WHERE channel = $1 AND resource = 'promotions')"

Names = Mapping[str, Mapping[UUID, Sequence[UUID]]]
"""By kind (``variants``, ``products``, ``categories``): what stands for each; what is not in it stays."""


async def look(reader: Reader, move: Move) -> list[Finding]:
    """Promotions for collections: those stay in their pool, and the promotion would reduce nothing."""
    if move.kind is MoveKind.LEAVE:
        return []
    count, found = await examples(
        reader,
        f"""SELECT p.name AS label, c.name AS here, count(*) OVER () AS total
            FROM promotion p CROSS JOIN LATERAL jsonb_path_query(p.terms, '$.**.collections[*]') AS n (id)
                 JOIN collection c ON c.id::text = n.id #>> '{{}}'
            WHERE {_OWN} AND p.status <> 'ended' ORDER BY p.id LIMIT {SHOWN}""",
        move.channel,
    )
    finding = Finding(
        code="promotions-collections",
        level=Level.BLOCKING,
        text=marked("Promotions of the channel for a collection: collections stay where they are"),
        advice=marked("Name the goods or their category instead."),
        count=count,
        examples=found,
    )
    return [finding] if count else []


def named(terms: Any) -> dict[str, set[UUID]]:
    """Every id in terms (as JSON), by the kind of list that it stands in."""
    found: dict[str, set[UUID]] = {"variants": set(), "products": set(), "categories": set()}

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for key, each in value.items():
                if key in found:
                    found[key] |= {UUID(one) for one in each}
                elif key == "variant":
                    found["variants"].add(UUID(each))
                else:
                    walk(each)
        elif isinstance(value, list):
            for each in value:
                walk(each)

    walk(terms)
    return found


def renamed(terms: Any, names: Names) -> Any:
    """Terms (as JSON) with other ids; order is kept, what is named twice is named once."""
    if isinstance(terms, list):
        return [renamed(each, names) for each in terms]
    if not isinstance(terms, dict):
        return terms
    out: dict[str, Any] = {}
    for key, value in terms.items():
        if key in names:
            ids = [str(new) for old in value for new in names[key].get(UUID(old), [UUID(old)])]
            out[key] = list(dict.fromkeys(ids))
        elif key == "variant":
            out[key] = str(next(iter(names["variants"].get(UUID(value), [UUID(value)]))))
        else:
            out[key] = renamed(value, names)
    return out


async def carry(tx: Tx, move: Move, _cursor: UUID | None, _limit: int) -> Turn:
    """Rename what promotions name. One that was not changed since has, after a leave, the terms that it had before."""
    assert move.home is not None
    if move.kind is MoveKind.LEAVE and move.joined is not None:
        await _terms_back(tx, move)
    rows = await tx.rows(
        f"""SELECT p.id, p.terms, {_OWN} AS is_ours FROM promotion p
            WHERE p.status <> 'ended' AND ({_OWN} OR $2 = 'leave') ORDER BY p.id FOR UPDATE""",
        move.channel,
        str(move.kind),
    )
    changed = 0
    for row in rows:
        terms = msgspec.to_builtins(row["terms"])
        names = await _names(tx, move, named(terms), is_ours=row["is_ours"])
        fresh = renamed(terms, names)
        if fresh != terms:
            changed += 1
            await tx.execute(
                """WITH kept AS (INSERT INTO pool_move_row (move, subject, row, before)
                                 VALUES ($3, 'promotion terms', $1, jsonb_build_object('terms', $4::jsonb, 'given', $2::jsonb)))
                   UPDATE promotion SET terms = $2, version = version + 1, updated_at = now() WHERE id = $1""",
                row["id"],
                fresh,
                move.id,
                terms,
            )
    tx.after_commit(live.forget)
    return Turn(changed)


async def _terms_back(tx: Tx, move: Move) -> None:
    await tx.execute(
        """UPDATE promotion p SET terms = j.before -> 'terms', version = version + 1, updated_at = now()
           FROM pool_move_row j
           WHERE j.move = $1 AND j.subject = 'promotion terms' AND p.id = j.row AND p.terms = j.before -> 'given'""",
        move.joined,
    )


async def _names(tx: Tx, move: Move, ids: Mapping[str, set[UUID]], *, is_ours: bool) -> Names:
    variants, products = sorted(ids["variants"]), sorted(ids["products"])
    names: dict[str, dict[UUID, list[UUID]]] = {"variants": {}, "products": {}, "categories": {}}
    if move.kind is MoveKind.JOIN:
        rows = await tx.rows(
            """SELECT v.id, v.product, v.twin, b.product AS there, p.pool = $3 AS came
               FROM variant v JOIN product p ON p.id = v.product LEFT JOIN variant b ON b.id = v.twin
               WHERE v.id = ANY ($1::uuid[]) OR v.product = ANY ($2::uuid[]) ORDER BY v.id""",
            variants,
            products,
            move.shared,
        )
        for row in rows:
            if row["twin"] is not None:
                names["variants"][row["id"]] = [row["twin"]]
                names["products"].setdefault(row["product"], [row["product"]] if row["came"] else []).append(
                    row["there"]
                )
    else:
        pool, other = (move.home, move.shared) if is_ours else (move.shared, move.home)
        assert pool is not None
        rows = await tx.rows(
            """SELECT v.id, v.product FROM variant v
               WHERE v.pool = $3 AND (v.id = ANY ($1::uuid[]) OR v.product = ANY ($2::uuid[])) ORDER BY v.id""",
            variants,
            products,
            other,
        )
        found = await counterparts(tx, move, [row["id"] for row in rows], pool) if rows else {}
        of = await tx.rows(
            "SELECT id, product FROM variant WHERE id = ANY ($1::uuid[])", list(found.values())
        )
        product_of = {row["id"]: row["product"] for row in of}
        for row in rows:
            names["variants"][row["id"]] = [found[row["id"]]]
            names["products"].setdefault(row["product"], []).append(product_of[found[row["id"]]])
    there = move.shared if (move.kind is MoveKind.JOIN) or not is_ours else move.home
    for row in await tx.rows(
        """SELECT k.id, c.id AS there FROM category k JOIN category c ON c.pool = $2 AND c.path = k.path
           WHERE k.id = ANY ($1::uuid[]) AND k.pool <> $2""",
        sorted(ids["categories"]),
        there,
    ):
        names["categories"][row["id"]] = [row["there"]]
    return names
