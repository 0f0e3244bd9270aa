"""What the catalogue has in pools: goods, and prices of them.

A pool of prices is a set of lists: a channel that joins sells by the lists of the others from then on, and its own wait
for it. Goods do not move yet: two variants of one thing would have to become one in stock, carts and orders.
"""

from samlad.channels import Resource
from samlad.channels.pooling import SHOWN, Example, Finding, Level, Move, MoveKind, Pooling, examples
from samlad.kernel.database import Reader
from samlad.kernel.i18n import marked

# What a single piece costs everybody in a channel, by the lists of a pool ({0}) as they are now.
_PRICES = """SELECT DISTINCT ON (p.variant) p.variant, p.amount FROM price p JOIN price_list l ON l.id = p.price_list
             WHERE l.pool = {0} AND l.status = 'active' AND l.currency = $3 AND (l.channel IS NULL OR l.channel = $4)
               AND l.customer_group IS NULL AND p.min_quantity = 1
               AND (l.valid_from IS NULL OR l.valid_from <= now()) AND (l.valid_to IS NULL OR l.valid_to > now())
             ORDER BY p.variant, l.priority DESC, l.channel IS NULL, p.amount"""


async def look_at_goods(reader: Reader, move: Move) -> list[Finding]:
    """Which goods are the same, by GTIN or SKU, and which need a hand."""
    total = int(await reader.value("SELECT count(*) FROM variant WHERE pool = $1", move.old))
    if not total:
        return []
    if move.kind is MoveKind.LEAVE:
        return [_kept(total)]
    pools = (move.old, move.new)
    by_gtin = await examples(
        reader,
        f"""SELECT a.sku AS label, a.sku AS here, b.sku AS there, a.gtin AS why, count(*) OVER () AS total
            FROM variant a JOIN variant b ON b.pool = $2 AND b.gtin14 = a.gtin14 WHERE a.pool = $1
            ORDER BY a.sku LIMIT {SHOWN}""",
        *pools,
    )
    by_sku = await examples(
        reader,
        f"""SELECT a.sku AS label, count(*) OVER () AS total FROM variant a JOIN variant b ON b.pool = $2 AND b.sku = a.sku
            WHERE a.pool = $1 AND (a.gtin14 IS NULL OR b.gtin14 IS NULL) ORDER BY a.sku LIMIT {SHOWN}""",
        *pools,
    )
    contrary = await examples(
        reader,
        f"""SELECT a.sku AS label, a.gtin AS here, b.gtin AS there, count(*) OVER () AS total
            FROM variant a JOIN variant b ON b.pool = $2 AND b.sku = a.sku AND b.gtin14 <> a.gtin14
            WHERE a.pool = $1 ORDER BY a.sku LIMIT {SHOWN}""",
        *pools,
    )
    alone = await examples(
        reader,
        f"""SELECT a.sku AS label, p.title AS here, count(*) OVER () AS total
            FROM variant a JOIN product p ON p.id = a.product
            WHERE a.pool = $1 AND a.status = 'active'
              AND NOT EXISTS (SELECT FROM variant b WHERE b.pool = $2 AND b.gtin14 = a.gtin14)
              AND NOT EXISTS (SELECT FROM variant b WHERE b.pool = $2 AND b.sku = a.sku)
            ORDER BY a.sku LIMIT {SHOWN}""",
        *pools,
    )
    found = [
        _finding("catalogue-gtin", Level.INFO, marked("Goods that are the same by their GTIN"), by_gtin),
        _finding("catalogue-sku", Level.INFO, marked("Goods that are the same by their SKU"), by_sku),
        _finding(
            "catalogue-contrary",
            Level.WARNING,
            marked("Goods with the same SKU and different GTINs: they need a hand"),
            contrary,
            marked("Correct the GTIN where it is wrong, or give one of them another SKU."),
        ),
        _finding(
            "catalogue-alone",
            Level.WARNING,
            marked("Goods that match nothing there: they need a hand"),
            alone,
            marked("Give them the GTIN or SKU that they have there, or add them there."),
        ),
        _kept(total),
    ]
    return [each for each in found if each.count]


def _finding(
    code: str, level: Level, text: str, found: tuple[int, list[Example]], advice: str = ""
) -> Finding:
    return Finding(code=code, level=level, text=text, count=found[0], examples=found[1], advice=advice)


def _kept(count: int) -> Finding:
    return _finding(
        "catalogue-goods",
        Level.BLOCKING,
        marked("Goods in the pool: goods cannot move between pools yet"),
        (count, []),
        marked(
            "Import the goods of the channel into the shared catalogue, and open the channel anew with it."
        ),
    )


async def look_at_prices(reader: Reader, move: Move) -> list[Finding]:
    """Which prices change, and what would have none."""
    currency = await reader.value("SELECT currency FROM effective_channel($1)", move.channel)
    asked = (move.old, move.new, currency, move.channel)
    changed = await examples(
        reader,
        f"""SELECT v.sku AS label, o.amount AS here, n.amount AS there, count(*) OVER () AS total
            FROM ({_PRICES.format("$1")}) o JOIN ({_PRICES.format("$2")}) n USING (variant)
                 JOIN variant v ON v.id = variant
            WHERE o.amount <> n.amount ORDER BY v.sku LIMIT {SHOWN}""",
        *asked,
    )
    gone = await examples(
        reader,
        f"""SELECT v.sku AS label, o.amount AS here, count(*) OVER () AS total
            FROM ({_PRICES.format("$1")}) o JOIN variant v ON v.id = o.variant AND v.status = 'active'
            WHERE NOT EXISTS (SELECT FROM ({_PRICES.format("$2")}) n WHERE n.variant = o.variant)
            ORDER BY v.sku LIMIT {SHOWN}""",
        *asked,
    )
    found = [
        _finding(
            "prices-change",
            Level.WARNING,
            marked("Goods whose price changes in the channel"),
            changed,
            marked("A list for this channel alone, in the shared pool, keeps prices as they are."),
        ),
        _finding(
            "prices-gone",
            Level.BLOCKING,
            marked("Goods that would have no price in the channel's currency"),
            gone,
            marked("Give them a price in a list of the pool that the channel moves to."),
        ),
    ]
    return [each for each in found if each.count]


_LISTS = "lists are rules of their pool: the channel sells by those of the pool that it is in"
_GOODS = "goods cannot move yet; a pool with goods refuses"

POOLING = Pooling(
    order=10,
    stays={
        "category": _GOODS,
        "attribute": _GOODS,
        "product": _GOODS,
        "variant": _GOODS,
        "collection": _GOODS,
        "size_chart": _GOODS,
        "facet": _GOODS,
        "product_search": _GOODS,
        "search_word": _GOODS,
        "price_list": _LISTS,
        "price_history": _LISTS,
        "price_context": _LISTS,
    },
    look={Resource.CATALOGUE: look_at_goods, Resource.PRICES: look_at_prices},
)
