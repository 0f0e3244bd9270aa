"""What the catalogue has in pools: goods, and prices of them.

Goods that both have become one (`samlad.catalog.joining`), the others come along. A pool of prices is a set of lists: a
channel that joins sells by the lists of the others from then on, and its own wait for it; where prices differ it may keep
its own in a list for it alone.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from samlad.catalog import collection_keeping, joining, price_keeping
from samlad.catalog.twins import IS_SAME, repointing, to_pair
from samlad.channels import Resource
from samlad.channels.pooling import (
    SHOWN,
    Example,
    Finding,
    Level,
    Move,
    MoveKind,
    Pooling,
    Step,
    Turn,
    examples,
)
from samlad.kernel.database import Reader, Tx
from samlad.kernel.i18n import marked

# What a single piece costs everybody in a channel, by the lists of a pool ({0}) as they are now.
_PRICES = """SELECT DISTINCT ON (p.variant) p.variant, p.amount, p.compare_at, l.tax_included
             FROM price p JOIN price_list l ON l.id = p.price_list
             WHERE l.pool = {0} AND l.status = 'active' AND l.currency = $3 AND (l.channel IS NULL OR l.channel = $4)
               AND l.customer_group IS NULL AND p.min_quantity = 1
               AND (l.valid_from IS NULL OR l.valid_from <= now()) AND (l.valid_to IS NULL OR l.valid_to > now())
             ORDER BY p.variant, l.priority DESC, l.channel IS NULL, p.amount"""
_PAIRS = f"""SELECT sku AS label, title AS here, concat_ws(' ', twin_sku, twin_title) AS there, {{why}} AS why,
                    count(*) OVER () AS total
             FROM catalogue_pairs($1, $2) WHERE {{which}} ORDER BY sku LIMIT {SHOWN}"""
_STATES = (
    ("gtin", Level.INFO, marked("Goods that are the same by their GTIN"), ""),
    ("sku", Level.INFO, marked("Goods that are the same by their SKU"), ""),
    ("hand", Level.INFO, marked("Goods that somebody said are the same"), ""),
    ("parts", Level.INFO, marked("Sets that are the same because their parts are"), ""),
    (
        "new",
        Level.WARNING,
        marked("Goods that match nothing there: they come along as new ones, and all sell them"),
        marked("Pair them by hand in the work list if they are there under another number."),
    ),
    ("another", Level.INFO, marked("Goods that come along because somebody said that they are others"), ""),
    (
        "out",
        Level.WARNING,
        marked("Goods that are left out: the channel does not sell them while it shares the catalogue"),
        "",
    ),
)
"""What is said of goods by their state (`catalogue_pairs`): state, how bad it is, text, what would help."""
_CODES = {"new": "catalogue-alone"}
"""Codes of findings that are not named as the state is."""


async def look_at_goods(reader: Reader, move: Move) -> list[Finding]:
    """Which goods are the same, by GTIN, SKU or somebody's word, which come along, and which need a hand."""
    if move.kind is MoveKind.LEAVE:
        return await _look_back(reader, move)

    async def pairs(which: str, why: str = "''") -> tuple[int, list[Example]]:
        return await examples(reader, _PAIRS.format(which=which, why=why), move.home, move.shared)

    contrary = await pairs("state = 'contrary'", WHY)
    texts = await examples(
        reader,
        f"""SELECT c.sku AS label, p.title AS here, q.title AS there, count(*) OVER () AS total
            FROM catalogue_pairs($1, $2) c JOIN product p ON p.id = c.product JOIN variant b ON b.id = c.twin
                 JOIN product q ON q.id = b.product
            WHERE c.state IN ('gtin', 'sku', 'hand', 'parts') AND c.is_active
              AND (p.title, p.description) IS DISTINCT FROM (q.title, q.description) ORDER BY c.sku LIMIT {SHOWN}""",
        move.home,
        move.shared,
    )
    found = [
        _finding(
            "catalogue-contrary",
            Level.BLOCKING,
            marked("Goods that need a hand: what they may be contradicts what they are"),
            contrary,
            marked("Say in the work list whether each is the same, is another, or is left out."),
        ),
        *[
            _finding(
                _CODES.get(state, f"catalogue-{state}"),
                level,
                text,
                await pairs(f"state = '{state}'", "gtin" if state == "gtin" else "''"),
                advice,
            )
            for state, level, text, advice in _STATES
        ],
        _finding(
            "catalogue-texts",
            Level.INFO if move.keeps_own else Level.WARNING,
            marked("Goods with other texts there: the channel keeps its own title and description")
            if move.keeps_own
            else marked("Goods with other texts there: those of the pool are shown"),
            texts,
            "" if move.keeps_own else marked("Choose that the channel keeps its own, if they are to stay."),
        ),
    ]
    total = int(await reader.value("SELECT count(*) FROM variant WHERE pool = $1", move.home))
    moved = Finding(
        code="catalogue",
        level=Level.INFO,
        text=marked("Goods that are looked at"),
        count=total,
        is_moved=True,
    )
    return [*(each for each in found if each.count), moved]


CONTRARY = {
    "sku-gtin": marked("the same SKU, different GTINs"),
    "gtin-twice": marked("one GTIN on two variants"),
    "taken": marked("two here are one there"),
    "measure": marked("sold by another measure"),
    "set": marked("only one of them is a set: its stock is that of its parts"),
    "parts": marked("a set of other parts"),
    "lots": marked("kept by lots or serial numbers in another way"),
    "tax": marked("another tax class"),
    "options": marked("other options"),
}
"""Why something needs a hand, by the code that `catalogue_pairs` gives."""
WHY = "CASE why " + " ".join(f"WHEN '{code}' THEN '{text}'" for code, text in CONTRARY.items()) + " END"


async def _look_back(reader: Reader, move: Move) -> list[Finding]:
    total, twins = 0, 0
    if move.joined is not None:
        row = await reader.row(
            "SELECT count(*) AS total, count(twin) AS twins FROM pool_move_row WHERE move = $1 AND subject = 'variant'",
            move.joined,
        )
        assert row is not None
        total, twins = row["total"], row["twins"]
    found = [
        Finding(
            code="catalogue",
            level=Level.INFO,
            text=marked(
                "Goods that came along and go back; what the others sold of them stays with them as a copy"
            ),
            count=total - twins,
            is_moved=True,
        ),
        Finding(
            code="catalogue-twins",
            level=Level.INFO,
            text=marked("Goods that were matched: the channel's own stand for themselves again"),
            count=twins,
        ),
        Finding(
            code="catalogue-collections",
            level=Level.INFO,
            text=marked(
                "Collections that the channel keeps as a copy, with those of their goods that are its own"
            )
            if move.keeps_own
            else marked("Collections of the others that the channel shows no more; its own hold again"),
            count=await collection_keeping.count(reader, move),
        ),
    ]
    return [each for each in found if each.count or each.is_moved]


def _finding(
    code: str, level: Level, text: str, found: tuple[int, list[Example]], advice: str = ""
) -> Finding:
    return Finding(code=code, level=level, text=text, count=found[0], examples=found[1], advice=advice)


async def look_at_prices(reader: Reader, move: Move) -> list[Finding]:
    """Which prices change, for whom and when, and what would have none."""
    currency = await reader.value("SELECT currency FROM effective_channel($1)", move.channel)
    asked = (move.old, move.new, currency, move.channel, *to_pair(move))
    changed = await examples(
        reader,
        f"""SELECT v.sku AS label, o.amount AS here, n.amount AS there, $3 AS currency, count(*) OVER () AS total
            FROM ({_PRICES.format("$1")}) o LEFT JOIN catalogue_pairs($5, $6) s ON s.variant = o.variant AND {IS_SAME}
                 JOIN ({_PRICES.format("$2")}) n ON n.variant = coalesce(s.twin, o.variant)
                 JOIN variant v ON v.id = o.variant
            WHERE o.amount <> n.amount ORDER BY v.sku LIMIT {SHOWN}""",
        *asked,
    )
    gone = await examples(
        reader,
        f"""SELECT v.sku AS label, o.amount AS here, $3 AS currency, count(*) OVER () AS total
            FROM ({_PRICES.format("$1")}) o JOIN variant v ON v.id = o.variant AND v.status = 'active' AND v.twin IS NULL
                 LEFT JOIN catalogue_pairs($5, $6) s ON s.variant = o.variant
            WHERE NOT EXISTS (SELECT FROM ({_PRICES.format("$2")}) n WHERE n.variant = coalesce(s.twin, o.variant))
              AND coalesce(s.state, '') NOT IN ('contrary', 'out')
            ORDER BY v.sku LIMIT {SHOWN}""",
        *asked,
    )
    parts = await _other_prices(reader, asked)
    how = move.kind if move.keeps_own else None
    bad = Level.INFO if move.keeps_own else Level.WARNING
    findings = [
        _finding("prices-change", bad, _CHANGED[how], changed, "" if how else _KEEP),
        _finding(
            "prices-gone",
            Level.BLOCKING if move.kind is MoveKind.JOIN and not move.keeps_own else bad,
            _GONE[how],
            gone,
            "" if how else marked("Give them a price in a list of the pool that the channel moves to."),
        ),
        *[
            _finding(f"prices-{part}", bad, _PARTS[part][move.keeps_own], found, "" if how else _KEEP)
            for part, found in parts.items()
        ],
    ]
    return [each for each in findings if each.count]


async def _other_prices(reader: Reader, asked: Sequence[Any]) -> dict[str, tuple[int, list[Example]]]:
    """Of how many goods prices from a quantity on, for groups, or from or until a day are others, with some of them."""
    rows = await reader.rows(
        f"""
        WITH differing AS (
            SELECT t.part, v.sku, count(*) OVER (PARTITION BY t.part) AS total,
                   row_number() OVER (PARTITION BY t.part ORDER BY v.sku) AS place
            FROM price_structures($1, $3, $4) o
            LEFT JOIN catalogue_pairs($5, $6) s ON s.variant = o.variant AND {IS_SAME}
            LEFT JOIN price_structures($2, $3, $4) n ON n.variant = coalesce(s.twin, o.variant)
            JOIN variant v ON v.id = o.variant
            CROSS JOIN LATERAL (VALUES ('scales', o.scales IS DISTINCT FROM n.scales),
                                       ('groups', o.groups IS DISTINCT FROM n.groups),
                                       ('dated', o.dated IS DISTINCT FROM n.dated)) AS t (part, differs)
            WHERE t.differs
        )
        SELECT part, max(total) AS total, array_agg(sku ORDER BY sku) AS skus FROM differing WHERE place <= {SHOWN} GROUP BY 1
        """,
        *asked,
    )
    told = {row["part"]: (row["total"], [Example(label=sku) for sku in row["skus"]]) for row in rows}
    return {part: told.get(part, (0, [])) for part in _PARTS}


_KEEP = marked("Choose that the channel keeps its own, if prices are to stay as they are.")
_CHANGED = {
    None: marked("Goods whose price changes in the channel"),
    MoveKind.JOIN: marked("Goods whose price differs: the channel keeps its own, in lists for it alone"),
    MoveKind.LEAVE: marked(
        "Goods whose price differs: the channel keeps what they cost now, in lists of its own"
    ),
}
_GONE = {
    None: marked("Goods that would have no price in the channel's currency"),
    MoveKind.JOIN: marked("Goods that only the channel has a price for: it keeps them"),
    MoveKind.LEAVE: marked("Goods that the channel has no price of its own for: it keeps what they cost now"),
}
_PARTS = {
    "scales": (
        marked("Goods whose prices from a quantity on are others in the channel"),
        marked("Goods with other prices from a quantity on: the channel keeps those of now"),
    ),
    "groups": (
        marked("Goods whose prices for groups of customers are others in the channel"),
        marked("Goods with other prices for groups of customers: the channel keeps those of now"),
    ),
    "dated": (
        marked("Goods whose prices from or until a day are others in the channel"),
        marked("Goods with other prices from or until a day: the channel keeps those of now"),
    ),
}
"""What is said of a part of what goods cost: if the channel takes the prices of the pool, and if it keeps its own."""


async def keep_prices(tx: Tx, move: Move, _cursor: UUID | None, _limit: int) -> Turn:
    """What the channel's shoppers see goes along, if it keeps its own; when it leaves, the others are rid of what it kept."""
    rows = await price_keeping.keep(tx, move) if move.keeps_own else 0
    if move.kind is MoveKind.LEAVE:
        rows += await price_keeping.take_back(tx, move)
    return Turn(rows)


_LISTS = "lists are rules of their pool: the channel sells by those of the pool that it is in"
_FOLLOWS = "found anew of the goods of the pool"
_OWN_LIST = """EXISTS (SELECT FROM price_list l JOIN channel_pool u ON u.pool = l.pool AND u.resource = 'prices'
                       WHERE l.id = t.price_list AND u.channel = $1)"""


def _prices_of(*, with_switch: bool = False, is_last: bool = False) -> list[Step]:
    return [
        repointing(
            table,
            key="price_list",
            ours=_OWN_LIST,
            copies_ours=False,
            with_switch=with_switch,
            is_last=is_last,
        )
        for table in ("price", "price_history")
    ]


async def forget_prices(tx: Tx, move: Move, _cursor: UUID | None, _limit: int) -> Turn:
    """When a channel leaves: what its own lists say of goods of the others that it has no copy of."""
    if move.kind is MoveKind.LEAVE:
        for table in ("price", "price_history"):
            await tx.execute(
                f"""DELETE FROM {table} t USING variant v
                    WHERE v.id = t.variant AND v.pool = $2 AND {_OWN_LIST} AND NOT EXISTS (
                        SELECT FROM channel_pool o JOIN price_list l ON l.pool = o.pool AND o.resource = 'prices'
                        WHERE l.id = t.price_list AND o.channel <> $1)""",
                move.channel,
                move.shared,
            )
    return Turn(0)


POOLING = Pooling(
    order=10,
    moves={
        "category": Resource.CATALOGUE,
        "attribute": Resource.CATALOGUE,
        "product": Resource.CATALOGUE,
        "variant": Resource.CATALOGUE,
    },
    stays={
        "collection": "which goods are shown together is a choice of the pool; the channel's own wait for it",
        "size_chart": "a chart is a rule of its pool",
        "facet": _FOLLOWS,
        "product_search": _FOLLOWS,
        "search_word": _FOLLOWS,
        "price_list": _LISTS,
        "price_history": _LISTS,
        "price_context": _LISTS,
    },
    look={Resource.CATALOGUE: look_at_goods, Resource.PRICES: look_at_prices},
    steps={
        Resource.CATALOGUE: [
            Step("goods", joining.carry, with_switch=True),
            *_prices_of(with_switch=True),
            repointing(
                "bundle_component",
                key="bundle",
                column="component",
                ours="EXISTS (SELECT FROM variant b WHERE b.id = t.bundle AND b.pool = $2)",
                with_switch=True,
            ),
            # When packages have made their copies: a price alone makes none, but each has the price of what it is a copy of.
            *_prices_of(is_last=True),
            Step("prices of goods that were left", forget_prices, is_last=True),
            Step("collections", collection_keeping.keep, is_last=True),
            Step("search", joining.index_anew, is_last=True),
        ],
        Resource.PRICES: [Step("prices of its own", keep_prices, with_switch=True)],
    },
)
