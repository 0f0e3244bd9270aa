"""The SQL of each kind of condition. See `compiling` for what a leaf is."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from samlad.audiences.conditions import (
    Consented,
    CustomerSince,
    EventProperty,
    HasOrders,
    HasPoints,
    HasReturns,
    InRfm,
    InTier,
    Listed,
    OpenCart,
    OrderDate,
    PropertyOp,
    Subscribed,
    Tagged,
    Tracked,
    Trait,
    TraitField,
    TraitOp,
    UsedPromotion,
    Wanted,
    WhichGoods,
)
from samlad.stock import free_for

if TYPE_CHECKING:
    from samlad.audiences.compiling import Sql

_COLUMNS = {
    TraitField.NAME: "{}.name",
    TraitField.EMAIL: "{}.email",
    TraitField.PHONE: "{}.phone",
    TraitField.EXTERNAL_ID: "{}.external_id",
    TraitField.GROUP: "{}.group_name",
    TraitField.COUNTRY: "{}.country",
    TraitField.LANGUAGE: "split_part({}.locale, '-', 1)",
}
_TESTS = {
    TraitOp.IS: "lower({column}) = ANY ({values})",
    TraitOp.CONTAINS: "EXISTS (SELECT FROM unnest({values}) AS v WHERE strpos(lower({column}), v) > 0)",
    TraitOp.STARTS_WITH: "EXISTS (SELECT FROM unnest({values}) AS v WHERE starts_with(lower({column}), v))",
    TraitOp.ENDS_WITH: "EXISTS (SELECT FROM unnest({values}) AS v WHERE right(lower({column}), length(v)) = v)",
    TraitOp.IS_KNOWN: "{column} <> ''",
}


class Leaf(NamedTuple):
    """A condition without conditions inside. ``rows`` selects person, ok, found and until; whoever has no row has ``none``.

    Without ``rows``, ``holds`` is an expression on the customer ``p``.
    """

    rows: str = ""
    none: bool = False
    holds: str = ""
    found: str = "NULL::text"
    until: str = "NULL::timestamptz"


def _trait(condition: Trait, sql: "Sql") -> Leaf:
    """True of the customer that stands for the person, or of another that is the same person."""
    values = sql.arg([value.lower() for value in condition.values], "text[]") if condition.values else ""
    test = _TESTS[condition.op]
    mine, theirs = (
        test.format(column=_COLUMNS[condition.field].format(who), values=values) for who in ("p", "c")
    )
    # By who is looked at: asked of all customers at once, PostgreSQL reads the whole table for a sample of 5,000.
    also = f"""EXISTS (SELECT FROM member m JOIN customer c ON c.id = m.id
                       WHERE m.person = p.id AND c.survivor = p.id AND {theirs})"""
    return Leaf(holds=f"(coalesce({mine}, false) OR {also})", found=_COLUMNS[condition.field].format("p"))


def _customer_since(condition: CustomerSince, sql: "Sql") -> Leaf:
    out = sql.falls_out(condition.within, "p.created_at")
    return Leaf(
        holds=f"({sql.within(condition.within, 'p.created_at')})", found="p.created_at::text", until=out
    )


def _goods(goods: WhichGoods | None, sql: "Sql") -> str:
    """Whether an order's line ``l`` is of such goods, or part of a set that is."""
    if goods is None:
        return "true"
    parts = []
    if goods.skus:
        skus = sql.arg(list(goods.skus), "text[]")
        parts.append(f"(l.sku = ANY ({skus}) OR l.set_of ->> 'sku' = ANY ({skus}))")
    of_product = []
    if goods.products:
        of_product.append(f"g.id = ANY ({sql.arg(list(goods.products), 'uuid[]')})")
    if goods.brands:
        brands = [brand.lower() for brand in goods.brands]
        of_product.append(f"lower(g.brand) = ANY ({sql.arg(brands, 'text[]')})")
    if goods.categories:
        of_product.append(
            f"""g.category IN (SELECT below.id FROM category top JOIN category below ON below.pool = top.pool
                AND (below.path = top.path OR starts_with(below.path, top.path || '/'))
                WHERE top.id = ANY ({sql.arg(list(goods.categories), "uuid[]")}))"""
        )
    if of_product:
        such = f"""(SELECT v.id FROM variant v JOIN product g ON g.id = v.product
                    WHERE {" AND ".join(of_product)})"""
        parts.append(f"(l.variant IN {such} OR (l.set_of ->> 'variant')::uuid IN {such})")
    return " AND ".join(parts) or "true"


def _orders_of(condition: HasOrders | OrderDate, sql: "Sql") -> tuple[str, str]:
    """FROM and WHERE of a person's orders, a row each, or with goods a row for each such line."""
    source, where = "member m JOIN orders o ON o.customer = m.id", ["o.status <> 'cancelled'"]
    if condition.channels:
        where.append(f"o.channel = ANY ({sql.arg(list(condition.channels), 'uuid[]')})")
    if condition.goods is not None:
        source += " JOIN order_line l ON l.order_id = o.id AND l.kind = 'item'"
        where.append(_goods(condition.goods, sql))
    return source, " AND ".join(where)


def _orders(condition: HasOrders, sql: "Sql") -> Leaf:
    source, where = _orders_of(condition, sql)
    worth = "o.total" if condition.goods is None else "l.total"
    count = "count(DISTINCT o.id)"
    if condition.measure == "sum":
        value = f"sum({worth})"
    else:
        where += " AND o.kind = 'sale' AND NOT o.is_empty"
        value = count if condition.measure == "count" else f"sum({worth})::numeric / {count}"
    if condition.currency is not None:
        where += f" AND o.currency = {sql.arg(condition.currency, 'text')}"
    where += f" AND {sql.within(condition.within, 'o.placed_at')}"
    holds = sql.between(value, condition.at_least, condition.at_most)
    shown = f"round({value})" if condition.measure == "average" else value
    rows = f"""SELECT m.person, {holds} AS ok, {shown}::text AS found,
                      {sql.falls_out(condition.within, "min(o.placed_at)")} AS until
               FROM {source} WHERE {where} GROUP BY m.person"""
    return Leaf(rows=rows, none=condition.measure != "average" and not condition.at_least)


def _order_date(condition: OrderDate, sql: "Sql") -> Leaf:
    source, where = _orders_of(condition, sql)
    moment = f"{'min' if condition.which == 'first' else 'max'}(o.placed_at)"
    rows = f"""SELECT m.person, {sql.within(condition.within, moment)} AS ok, {moment}::text AS found,
                      {sql.falls_out(condition.within, moment)} AS until
               FROM {source} WHERE {where} AND o.kind = 'sale' AND NOT o.is_empty GROUP BY m.person"""
    return Leaf(rows=rows)


def _returns(condition: HasReturns, sql: "Sql") -> Leaf:
    kinds, value = "'return'", "count(*)"
    if condition.measure == "sum":
        value = "-sum(o.total)"
    elif condition.measure == "rate":
        kinds = "'return', 'sale'"
        value = """100.0 * coalesce(sum(-o.items) FILTER (WHERE o.kind = 'return'), 0)
                   / nullif(sum(o.items) FILTER (WHERE o.kind = 'sale'), 0)"""
    where = f"o.status <> 'cancelled' AND o.kind IN ({kinds})"
    if condition.currency is not None:
        where += f" AND o.currency = {sql.arg(condition.currency, 'text')}"
    where += f" AND {sql.within(condition.within, 'o.placed_at')}"
    shown = f"round({value})" if condition.measure == "rate" else value
    rows = f"""SELECT m.person, coalesce({sql.between(value, condition.at_least, condition.at_most)}, false) AS ok,
                      {shown}::text AS found, {sql.falls_out(condition.within, "min(o.placed_at)")} AS until
               FROM member m JOIN orders o ON o.customer = m.id WHERE {where} GROUP BY m.person"""
    return Leaf(rows=rows, none=condition.measure != "rate" and not condition.at_least)


def _promotion(condition: UsedPromotion, sql: "Sql") -> Leaf:
    where = ["u.released_at IS NULL", "o.status <> 'cancelled'", sql.within(condition.within, "o.placed_at")]
    if condition.promotions:
        where.append(f"u.promotion = ANY ({sql.arg(list(condition.promotions), 'uuid[]')})")
    holds = sql.between("count(DISTINCT o.id)", condition.at_least, condition.at_most)
    rows = f"""SELECT m.person, {holds} AS ok, count(DISTINCT o.id)::text AS found,
                      {sql.falls_out(condition.within, "min(o.placed_at)")} AS until
               FROM member m JOIN orders o ON o.customer = m.id JOIN promotion_use u ON u.order_id = o.id
               WHERE {" AND ".join(where)} GROUP BY m.person"""
    return Leaf(rows=rows, none=not condition.at_least)


def _property(each: EventProperty, sql: "Sql") -> str:
    """Whether an event ``e`` has such a property; what is a number is compared as one."""
    path = sql.arg(["properties", *each.name.split(".")], "text[]")
    value, text = f"(e.payload #> {path})", f"(e.payload #>> {path})"
    if each.op is PropertyOp.IS_KNOWN:
        return f"{text} IS NOT NULL"
    if isinstance(each.value, bool):
        same = f"{value} = to_jsonb({sql.arg(each.value, 'boolean')})"
        return same if each.op is PropertyOp.IS else f"(jsonb_typeof({value}) = 'boolean' AND NOT {same})"
    if isinstance(each.value, float):
        sign = {
            PropertyOp.IS: "=",
            PropertyOp.IS_NOT: "<>",
            PropertyOp.AT_LEAST: ">=",
            PropertyOp.AT_MOST: "<=",
        }[each.op]
        number = sql.arg(each.value, "float8")
        return f"CASE WHEN jsonb_typeof({value}) = 'number' THEN {text}::numeric {sign} {number}::numeric ELSE false END"
    wanted = sql.arg(str(each.value).lower(), "text")
    if each.op is PropertyOp.CONTAINS:
        return f"strpos(lower({text}), {wanted}) > 0"
    return f"lower({text}) {'=' if each.op is PropertyOp.IS else '<>'} {wanted}"


def _tracked(condition: Tracked, sql: "Sql") -> Leaf:
    sql.wants_nodes = True
    where = [f"e.name = {sql.arg(condition.name, 'text')}", sql.within(condition.within, "t.occurred_at")]
    where += [_property(each, sql) for each in condition.properties]
    value = "count(*)"
    if condition.sum_of is not None:
        path = sql.arg(["properties", *condition.sum_of.split(".")], "text[]")
        number = (
            f"CASE WHEN jsonb_typeof(e.payload #> {path}) = 'number' THEN (e.payload #>> {path})::numeric END"
        )
        value = f"coalesce(sum({number}), 0)"
    rows = f"""SELECT n.person, {sql.between(value, condition.at_least, condition.at_most)} AS ok,
                      {value}::text AS found, {sql.falls_out(condition.within, "min(t.occurred_at)")} AS until
               FROM node n JOIN tracked_profile t ON t.identity = n.id
                    JOIN tracked_event e ON e.received_at = t.received_at AND e.id = t.event
               WHERE {" AND ".join(where)} GROUP BY n.person"""
    return Leaf(rows=rows, none=not condition.at_least)


def _points(condition: HasPoints, sql: "Sql") -> Leaf:
    holds = sql.between("sum(a.balance)", condition.at_least, condition.at_most)
    rows = f"""SELECT m.person, {holds} AS ok, sum(a.balance)::text AS found, NULL::timestamptz AS until
               FROM member m JOIN credit_account a ON a.holder = m.id AND a.kind = 'points' GROUP BY m.person"""
    low, high = condition.at_least, condition.at_most
    return Leaf(rows=rows, none=(low is None or low <= 0) and (high is None or high >= 0))


def _tier(condition: InTier, sql: "Sql") -> Leaf:
    """As `samlad.credit.loyalty.view`: by the points that were earned in the period, without multipliers."""
    since = f"""((date_trunc('second', {sql.now} AT TIME ZONE 'UTC') - make_interval(months => g.period_months))
                 AT TIME ZONE 'UTC')"""
    names = sql.arg(list(condition.tiers), "text[]")
    rows = f"""
        SELECT q.person, q.tier = ANY ({names}) AS ok, q.tier AS found, q.until FROM (
            SELECT s.person, s.until, (SELECT t ->> 'code' FROM jsonb_array_elements(s.tiers) AS t
                                       WHERE (t ->> 'threshold')::bigint <= s.points
                                       ORDER BY (t ->> 'threshold')::bigint DESC LIMIT 1) AS tier
            FROM (SELECT m.person, g.tiers,
                         coalesce(sum(CASE WHEN o.points = 0 THEN 0 ELSE o.base * o.kept / o.points END), 0) AS points,
                         CASE WHEN count(o.id) > 0 THEN greatest(
                             (min(o.earned_at) AT TIME ZONE 'UTC' + make_interval(months => g.period_months))
                             AT TIME ZONE 'UTC', {sql.now} + interval '1 hour') END AS until
                  FROM member m JOIN loyalty_member y ON y.customer = m.id
                       JOIN loyalty_programme g ON g.pool = {sql.pool}
                       LEFT JOIN credit_order o ON o.customer = m.id AND o.points IS NOT NULL AND o.earned_at > {since}
                  GROUP BY m.person, g.tiers, g.period_months) AS s) AS q"""
    return Leaf(rows=rows)


def _tagged(condition: Tagged, sql: "Sql") -> Leaf:
    tags = sql.arg([tag.strip().lower() for tag in condition.tags], "text[]")
    rows = f"""SELECT m.person, true AS ok, string_agg(DISTINCT t.tag, ', ') AS found, NULL::timestamptz AS until
               FROM member m JOIN customer_tag t ON t.customer = m.id WHERE t.tag = ANY ({tags}) GROUP BY m.person"""
    return Leaf(rows=rows)


def _consented(condition: Consented, sql: "Sql") -> Leaf:
    """As `samlad.consent.rules.deciding`: a grant holds that no denial outlives."""
    sql.wants_nodes = True
    purpose = sql.arg(condition.purpose, "text")
    scope = "e.scope IS NULL"
    if condition.channel is not None:
        scope = f"(e.scope IS NULL OR e.scope = {sql.arg(condition.channel, 'uuid')})"
    is_granted = condition.answer == "granted"
    ok = (
        "(q.is_always OR h.person IS NOT NULL)"
        if is_granted
        else "(d.person IS NOT NULL AND h.person IS NULL)"
    )
    rows = f"""
        WITH said AS MATERIALIZED (
            SELECT n.person, e.node, e.answer, e.level, e.answered_at, e.until
            FROM consent_purpose q JOIN consent_entry e ON e.purpose IN (q.code, q.category) JOIN node n ON n.id = e.node
            WHERE q.code = {purpose} AND {scope} AND e.answered_at <= {sql.now}
        ), holding AS (
            SELECT g.person, max(g.answered_at) AS at, CASE WHEN bool_and(g.until IS NOT NULL) THEN max(g.until) END AS until
            FROM said g JOIN consent_purpose q ON q.code = {purpose}
            WHERE g.answer = 'granted' AND g.level >= q.least AND (g.until IS NULL OR g.until > {sql.now})
              AND NOT EXISTS (SELECT FROM said d WHERE d.person = g.person AND d.answer = 'denied' AND NOT (
                  g.answered_at > d.answered_at AND (g.level = 2 OR (g.node = d.node AND g.level >= d.level))))
            GROUP BY g.person
        ), denied AS (
            SELECT person, max(answered_at) AS at FROM said WHERE answer = 'denied' GROUP BY person
        )
        SELECT p.id AS person, {ok} AS ok, coalesce(h.at, d.at)::text AS found, h.until
        FROM consent_purpose q CROSS JOIN people p LEFT JOIN holding h ON h.person = p.id LEFT JOIN denied d ON d.person = p.id
        WHERE q.code = {purpose} AND (q.is_always OR h.person IS NOT NULL OR d.person IS NOT NULL)"""
    return Leaf(rows=rows)


def _cart(condition: OpenCart, sql: "Sql") -> Leaf:
    hours = sql.arg(condition.idle_hours, "int")
    where = "k.status IN ('open', 'checkout') AND k.kind = 'cart'"
    if condition.currency is not None:
        where += f" AND k.currency = {sql.arg(condition.currency, 'text')}"
    rows = f"""
        SELECT person, bool_or(ripe <= {sql.now}) AS ok, max(worth)::text AS found,
               min(ripe) FILTER (WHERE ripe > {sql.now}) AS until
        FROM (SELECT m.person, k.updated_at + make_interval(hours => {hours}) AS ripe,
                     sum(i.quantity * i.unit_price / CASE v.sold_by WHEN 'piece' THEN 1 ELSE 1000 END) AS worth
              FROM member m JOIN cart k ON k.customer = m.id JOIN cart_line i ON i.cart = k.id
              JOIN variant v ON v.id = i.variant
              WHERE {where} GROUP BY m.person, k.id) AS found
        WHERE worth >= {sql.arg(condition.at_least, "bigint")} GROUP BY person"""
    return Leaf(rows=rows)


def _wanted(condition: Wanted, sql: "Sql") -> Leaf:
    kinds = ["cart", "saved", "wish"] if condition.on == "anywhere" else [condition.on]
    test = "free > 0" if condition.stock == "in_stock" else "free = 0"
    if condition.at_most is not None:
        test += f" AND free <= {sql.arg(condition.at_most, 'bigint')}"
    rows = f"""
        SELECT person, bool_or({test}) AS ok, left(string_agg(DISTINCT sku, ', ') FILTER (WHERE {test}), 200) AS found,
               NULL::timestamptz AS until
        FROM (SELECT m.person, l.sku, {free_for("l.variant", "k.channel")} AS free
              FROM member m JOIN cart k ON k.customer = m.id JOIN cart_line i ON i.cart = k.id JOIN variant v ON v.id = i.variant
                   CROSS JOIN LATERAL (SELECT v.id AS variant, v.sku, NULL::jsonb AS set_of) AS l
              WHERE k.status IN ('open', 'checkout') AND k.kind = ANY ({sql.arg(kinds, "text[]")})
                    AND {_goods(condition.goods, sql)}) AS wanted
        GROUP BY person"""
    return Leaf(rows=rows)


def _subscribed(condition: Subscribed, sql: "Sql") -> Leaf:
    where = f"s.status = ANY ({sql.arg(list(condition.states), 'text[]')})"
    if condition.plans:
        where += f" AND s.plan = ANY ({sql.arg(list(condition.plans), 'uuid[]')})"
    rows = f"""SELECT m.person, true AS ok, string_agg(s.number, ', ' ORDER BY s.number) AS found,
                      NULL::timestamptz AS until
               FROM member m JOIN subscription s ON s.customer = m.id WHERE {where} GROUP BY m.person"""
    return Leaf(rows=rows)


def _rfm(condition: InRfm, sql: "Sql") -> Leaf:
    where = []
    if condition.groups:
        where.append(f"r.name = ANY ({sql.arg(list(condition.groups), 'text[]')})")
    for column in ("recency", "frequency", "monetary"):
        wanted = getattr(condition, column)
        if wanted:
            where.append(f"r.{column} = ANY ({sql.arg(list(wanted), 'int[]')})")
    rows = f"""SELECT r.person, {" AND ".join(where)} AS ok,
                      r.recency::text || r.frequency::text || r.monetary::text || ' ' || r.name AS found,
                      NULL::timestamptz AS until
               FROM people p JOIN rfm_score r ON r.person = p.id"""
    return Leaf(rows=rows)


def _listed(condition: Listed, sql: "Sql") -> Leaf:
    rows = f"""SELECT m.person, true AS ok, min(i.added_at)::text AS found, NULL::timestamptz AS until
               FROM member m JOIN segment_listed i ON i.customer = m.id
               WHERE i.segment = {sql.arg(condition.segment, "uuid")} GROUP BY m.person"""
    return Leaf(rows=rows)


LEAVES: dict[type, Callable[[Any, "Sql"], Leaf]] = {
    Trait: _trait,
    CustomerSince: _customer_since,
    HasOrders: _orders,
    OrderDate: _order_date,
    HasReturns: _returns,
    UsedPromotion: _promotion,
    Tracked: _tracked,
    HasPoints: _points,
    InTier: _tier,
    Tagged: _tagged,
    Consented: _consented,
    OpenCart: _cart,
    Wanted: _wanted,
    Subscribed: _subscribed,
    InRfm: _rfm,
    Listed: _listed,
}
