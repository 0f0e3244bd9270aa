"""HTTP of tax, what is shipped, and how a shop's own rates came along."""

import csv
import os
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from test_tax_in_carts import DUTCH, GERMAN, NORWEGIAN

from samlad.kernel import migrations
from samlad.kernel.clock import local_day, now
from samlad.kernel.context import Actor
from samlad.kernel.database import Database
from samlad.kernel.embedded import Embedded
from samlad.kernel.settings import load
from samlad.packages import PACKAGES
from trade import Trade


async def test_what_is_shipped_is_what_the_reviewed_file_says(db: Database) -> None:
    text = files("samlad.tax").joinpath("rates.csv").read_text("utf-8")
    rows = await db.rows(
        """SELECT country, region, tax_class, rate_bp::text, category, valid_from::text, coalesce(valid_to::text, ''), name
           FROM tax_country_rate WHERE pool IS NULL"""
    )
    assert sorted(map(tuple, rows)) == sorted(
        tuple(row.values()) for row in csv.DictReader(text.splitlines())
    )


async def test_what_a_shop_had_changed_comes_along(postgres: Embedded, tmp_path: Path) -> None:
    name = f"moved_{os.getpid()}"
    admin = await asyncpg.connect(postgres.dsn)
    await admin.execute(f"CREATE DATABASE {name}")
    dsn, settings = postgres.dsn.replace("/samlad?", f"/{name}?"), load({}, home=tmp_path)
    everything = migrations.find(PACKAGES)
    late = {("tax", 1), ("tax", 2), ("catalog", 4), ("carts", 5), ("orders", 6), ("pools", 1), ("pools", 2)}
    try:
        await migrations.migrate(dsn, settings, [])
        connection = await asyncpg.connect(dsn)
        await connection.execute("SET search_path TO samlad, extensions, public")
        for each in everything:
            if (each.package, each.version) not in late and "tax_treatment" not in each.sql:
                await migrations._run(connection, each)
        await connection.execute("INSERT INTO tax_class (code, name) VALUES ('bicycles', 'Bicycles')")
        await connection.execute(
            "UPDATE tax_rate SET rate_bp = 650, version = 2 WHERE country = 'DE' AND tax_class = 'books'"
        )
        await connection.execute(
            "INSERT INTO tax_rate (id, country, tax_class, rate_bp, valid_from, name)"
            " VALUES ('01a214bc-3165-7000-8b52-3e6b00000001', 'SE', 'bicycles', 1000, '2020-01-01', 'Cykel')"
        )
        await connection.close()
        done = await migrations.migrate(dsn, settings, PACKAGES)
        assert {(each.package, each.version) for each in done} >= late
        connection = await asyncpg.connect(dsn)
        await connection.execute("SET search_path TO samlad, extensions, public")
        found = await connection.fetch(
            "SELECT country, tax_class, rate_bp, version FROM tax_country_rate"
            " WHERE tax_class = 'bicycles' OR (country = 'DE' AND tax_class = 'books') ORDER BY 1"
        )
        assert list(map(tuple, found)) == [("DE", "books", 650, 2), ("SE", "bicycles", 1_000, 1)]
        assert await connection.fetchval("SELECT to_regclass('tax_rate')") is None
        assert await connection.fetchval("SELECT count(*) FROM tax_product_class") == 6
        await connection.close()
    finally:
        await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await admin.close()


async def test_rates_of_a_channel_go_before_the_law(trade: Trade, api: httpx.AsyncClient) -> None:
    rate = {
        "country": "SE",
        "tax_class": "standard",
        "rate_bp": 2_000,
        "valid_from": "2020-01-01",
        "name": "Own",
    }
    assert (await api.post("/api/tax-rates", json=rate)).status_code == 409, "the law holds then"
    made = await api.post("/api/tax-rates", json=rate | {"channel": "web"})
    assert made.status_code == 201, made.text
    assert (made.json()["category"], made.json()["pool"]) == ("S", str(trade.web.pools["prices"]))
    kettle = await trade.kettle(12_000)
    assert (await trade.cart((kettle, 1))).lines[0].tax_rate == 2_000
    here = f"/api/tax-rates/{made.json()['id']}"
    wrong = await api.patch(here, json={"rate_bp": 0, "category": "S"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "category")
    zero = await api.patch(here, json={"rate_bp": 0}, headers={"If-Match": '"1"'})
    assert (zero.json()["category"], zero.json()["version"]) == ("Z", 2)
    assert (await api.patch(here, json={"name": "x"}, headers={"If-Match": '"1"'})).status_code == 412
    cart = await trade.cart((kettle, 1))
    assert (cart.lines[0].tax_rate, cart.lines[0].tax_category) == (0, "Z")
    listed = await api.get("/api/tax-rates", params={"pool": made.json()["pool"]})
    assert [each["name"] for each in listed.json()["items"]] == ["Own"]
    nobody = await api.post("/api/tax-rates", json=rate | {"channel": "nowhere"})
    assert (nobody.status_code, nobody.json()["errors"][0]["field"]) == (422, "channel")


async def test_registrations_hold_for_a_channel_and_their_time(trade: Trade, api: httpx.AsyncClient) -> None:
    given = {"channel": "web", "country": "DE", "number": "136695976", "valid_from": "2020-01-01"}
    made = await api.post("/api/tax-registrations", json=given)
    assert (made.status_code, made.json()["number"]) == (201, "DE136695976")
    assert (await api.post("/api/tax-registrations", json=given)).status_code == 409
    wrong = await api.post("/api/tax-registrations", json=given | {"country": "FR"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "number")
    here = f"/api/tax-registrations/{made.json()['id']}"
    assert (await api.get(here)).headers["etag"] == '"1"'
    kettle = await trade.kettle()
    assert (await trade.cart((kettle, 1), **GERMAN)).lines[0].tax_treatment == "registered"
    ended = await api.patch(here, json={"valid_to": "2021-01-01"})
    assert ended.json()["valid_to"] == "2021-01-01"
    assert (await trade.cart((kettle, 1), **GERMAN)).lines[0].tax_treatment == "oss"
    early = await api.patch(here, json={"valid_to": "2019-01-01"})
    assert (early.status_code, early.json()["errors"][0]["field"]) == (422, "valid_to")
    assert "DE136695976" in (await api.get("/api/tax-registrations", params={"format": "csv"})).text


async def test_the_report_has_every_öre_and_what_came_back(
    trade: Trade, api: httpx.AsyncClient, vies: Any
) -> None:
    from samlad.tax import checking

    await checking.check(trade.db, DUTCH["vat_number"])
    kettle = await trade.kettle(19_900, quantity=50)
    for details in (GERMAN, GERMAN, NORWEGIAN, DUTCH):
        await trade.place((await trade.cart((kettle, 1), **details)).id)
    home = await trade.buy((kettle, 2))
    gone = await trade.buy((kettle, 1))
    cancelled = await api.post(f"/api/orders/{gone.id}/cancel", json={})
    assert cancelled.status_code == 200, cancelled.text
    sold = await trade.buy((await trade.kettle(10_000, at=trade.at_malmo), 2), channel=trade.malmo)
    back = await api.post(
        f"/api/orders/{sold.id}/return",
        json={"lines": [{"position": 1, "quantity": 1}], "location": str(trade.at_malmo.id)},
    )
    assert back.status_code == 201, back.text
    day = local_day(now(), "Europe/Stockholm").isoformat()
    rows = (await api.get("/api/tax-report", params={"start": day, "end": day})).json()
    found = {(r["country"], r["treatment"], r["rate"]): (r["net"], r["tax"], r["category"]) for r in rows}
    assert found[("DE", "oss", 1_900)] == (2 * 16_723, 2 * 3_177, "S")
    assert found[("SE", "export", 0)] == (19_900, 0, "G")
    assert found[("SE", "intra_eu", 0)] == (19_900, 0, "K")
    assert found[("SE", "domestic", 2_500)] == (31_840 + 8_000, 7_960 + 2_000, "S")
    assert home.total == 39_800
    text = (
        await api.get("/api/tax-report", params={"start": day, "end": day, "channel": "web", "format": "csv"})
    ).text
    assert "SE,DE,oss,S,1900,SEK,2,33446,6354,0,0" in text.splitlines()
    [meter] = (await api.get("/api/tax-thresholds")).json()
    assert (meter["currency"], meter["limit"], meter["used"], meter["is_over"]) == (
        "SEK",
        9_968_000,
        33_446,
        False,
    )
    assert meter["countries"] == [{"country": "DE", "net": 33_446}]


async def test_what_is_cancelled_later_is_taken_off_later(trade: Trade, api: httpx.AsyncClient) -> None:
    """The return of the first period may have been sent in: what it said must stay."""
    order = await trade.buy((await trade.kettle(10_000), 1))
    today = local_day(now(), "Europe/Stockholm")
    before = today - timedelta(days=40)

    async def report(start: date, end: date) -> list[tuple[int, int]]:
        asked = {"start": start.isoformat(), "end": end.isoformat()}
        rows = (await api.get("/api/tax-report", params=asked)).json()
        return [(row["net"], row["tax"]) for row in rows]

    await trade.db.rows(
        "UPDATE orders SET placed_at = placed_at - interval '40 days', local_day = $2 WHERE id = $1 RETURNING 1",
        order.id,
        before,
    )
    assert await report(before, before) == [(8_000, 2_000)]
    assert (await api.post(f"/api/orders/{order.id}/cancel", json={})).status_code == 200
    assert await report(before, before) == [(8_000, 2_000)]
    assert await report(today, today) == [(-8_000, -2_000)]
    assert await report(before, today) == []


async def test_who_may_see_and_change(api_as: Any) -> None:
    clerk = Actor(kind="staff", name="Clerk", permissions=frozenset({"tax.read"}))
    async with api_as(clerk) as api:
        assert (await api.get("/api/tax-rates")).status_code == 200
        assert (await api.get("/api/tax-thresholds")).status_code == 403
        assert (
            await api.get("/api/tax-report", params={"start": "2026-01-01", "end": "2026-03-31"})
        ).status_code == 403
        rate = {"country": "SE", "tax_class": "books", "rate_bp": 1, "valid_from": "2020-01-01", "name": "x"}
        assert (await api.post("/api/tax-rates", json=rate)).status_code == 403
        given = {"channel": "web", "country": "DE", "number": "136695976", "valid_from": "2020-01-01"}
        assert (await api.post("/api/tax-registrations", json=given)).status_code == 403


async def test_a_period_is_read_strictly(api: httpx.AsyncClient) -> None:
    for start, end, field in (
        ("2026-02-01", "2026-01-01", "end"),
        ("1990-01-01", "2026-01-01", "end"),
        ("x", "2026-01-01", "start"),
    ):
        answer = await api.get("/api/tax-report", params={"start": start, "end": end})
        assert answer.status_code in (400, 422), answer.text
        assert field in answer.text
    unknown = await api.get(
        "/api/tax-report", params={"start": "2026-01-01", "end": "2026-01-02", "channel": "nowhere"}
    )
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "channel")
