"""Importing products: real Shopify exports, our own formats there and back, and files that are broken in many ways."""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samlad import channels
from samlad.catalog import exports, imports, products
from samlad.catalog.imports import BrokenFile, ImportOptions, ImportReport
from samlad.catalog.imports.source import encoding_of
from samlad.catalog.model import ProductRow
from samlad.channels import Channel
from samlad.kernel.database import Database
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Problem

from .conftest import Shop, webshop

SHOPIFY = Path("/work/shared/data/shopify_csv")
HAS_SHOPIFY = SHOPIFY.is_dir()
"""Real exports of others: we may read them where they are, not publish them. Elsewhere their test is not there."""

SMALL = "handle,title,sku,price.base\r\nmug,Mug,MUG,49.50\r\ncup,Cup,CUP,30\r\n"


async def bring(shop: Shop, path: Path, **options: Any) -> ImportReport:
    return await imports.run_file(shop.db, path, ImportOptions(channel=shop.channel, **options))


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


async def collected(pieces: Any) -> bytes:
    return b"".join([piece async for piece in pieces])


async def rows(db: Database, channel: Channel) -> list[ProductRow]:
    return [row async for chunk in exports.rows(db, channel) for row in chunk]


if HAS_SHOPIFY:

    @pytest.mark.parametrize(("name", "products_there"), [("shopify_Apparel", 25), ("shopify_jewelry", 19)])
    async def test_real_shopify_exports(shop: Shop, tmp_path: Path, name: str, products_there: int) -> None:
        text = gzip.decompress((SHOPIFY / f"{name}.csv.gz").read_bytes())
        (tmp_path / "a.csv").write_bytes(text)
        dry = await bring(shop, tmp_path / "a.csv", dry_run=True)
        assert (dry.is_done, await shop.db.value("SELECT count(*) FROM product")) == (False, 0)
        report = await bring(shop, tmp_path / "a.csv")
        assert (report.format, report.refused, report.unknown_columns) == ("shopify", 0, [])
        assert (report.created, report.products) == (dry.created, dry.products)
        assert report.products == products_there
        assert await shop.db.value("SELECT count(*) FROM variant") == report.created
        assert await shop.db.value("SELECT count(*) FROM price") == report.created
        assert await shop.db.value("SELECT count(*) FROM media WHERE status = 'pending'") == report.images > 0
        again = await bring(shop, tmp_path / "a.csv")
        assert (again.created, again.updated, again.unchanged) == (0, 0, report.created)

    async def test_what_shopify_says_is_what_comes_in(shop: Shop, tmp_path: Path) -> None:
        text = gzip.decompress((SHOPIFY / "shopify_Apparel.csv.gz").read_bytes())
        (tmp_path / "a.csv").write_bytes(text)
        await bring(shop, tmp_path / "a.csv")
        shirt = await products.view_by_handle(shop.db, shop.pool, "ayers-chambray")
        assert (shirt.title, shirt.brand, shirt.tags, shirt.category_path) == (
            "Ayres Chambray",
            "United By Blue",
            ["Shirts"],
            "mens",
        )
        assert [(v.sku, v.options) for v in shirt.variants] == [
            ("43MCHBL2", {"Size": "S"}),
            ("43MCHBL3", {"Size": "M"}),
            ("43MCHBL4", {"Size": "L"}),
            ("43MCHBL5", {"Size": "XL"}),
        ]
        amounts = await shop.db.rows(
            "SELECT amount FROM price JOIN variant v ON v.id = variant WHERE product = $1 ORDER BY sku",
            shirt.id,
        )
        assert [r["amount"] for r in amounts] == [9800, 9800, 9800, 10200]


FULL: list[dict[str, Any]] = [
    {"record": "attribute", "code": "material", "name": "Material", "type": "text"},
    {"record": "attribute", "code": "litres", "name": "Volume", "type": "number", "unit": "l"},
    {
        "record": "category",
        "path": "kitchen/kettles",
        "name": "Kettles",
        "translations": {"sv": {"name": "Kittlar"}},
    },
    {"record": "price_list", "code": "base", "name": "Base", "currency": "SEK"},
    {
        "handle": "kettle",
        "title": "Kettle, “enamel”",
        "description": "<p>Good;\n old, kettle</p>",
        "status": "active",
        "category": "kitchen/kettles",
        "brand": "Acme, Inc.",
        "tags": ["a,b", "[c]", "d"],
        "attributes": {"material": "steel", "litres": 1.5},
        "translations": {"sv": {"title": "Kittel", "options": {"Red": "Röd"}}},
        "media": [{"url": "https://a.example/1.jpg", "alt": "Röd kittel", "sku": "K-R"}, {"url": "/own.png"}],
        "variants": [
            {
                "sku": "K-R",
                "gtin": "7310865004703",
                "options": {"Colour": "Red"},
                "weight_g": 900,
                "hs_code": "7323.94",
                "origin_country": "SE",
                "prices": [
                    {"price_list": "base", "amount": 19950, "compare_at": 25000},
                    {"price_list": "base", "amount": 18000, "min_quantity": 10},
                ],
            },
            {"sku": "K-B", "options": {"Colour": "Blå"}, "requires_shipping": False},
        ],
    },
    {
        "handle": "set",
        "title": "Set",
        "variants": [{"sku": "SET", "components": [{"sku": "K-R", "quantity": 2}]}],
    },
]


@pytest.mark.parametrize("as_format", ["jsonl", "csv"])
async def test_what_goes_out_comes_back(shop: Shop, db: Database, tmp_path: Path, as_format: str) -> None:
    source = write(tmp_path / "a.jsonl", "\n".join(json.dumps(line) for line in FULL))
    report = await bring(shop, source)
    assert (report.created, report.refused, report.is_done) == (3, 0, True), report.short().lines
    sent = exports.csv_file if as_format == "csv" else exports.jsonl
    file = tmp_path / f"out.{as_format}"
    file.write_bytes(await collected(sent(db, shop.channel)))
    other = await db.transaction(lambda tx: channels.create(tx, webshop("other")))
    if as_format == "csv":  # which has no definitions
        definitions = write(tmp_path / "d.jsonl", "\n".join(json.dumps(line) for line in FULL[:4]))
        await imports.run_file(db, definitions, ImportOptions(channel=other))
    back = await imports.run_file(db, file, ImportOptions(channel=other))
    assert (back.created, back.refused, back.unknown_columns) == (3, 0, []), back.short().lines
    assert await rows(db, other) == await rows(db, shop.channel)
    assert await collected(sent(db, other)) == file.read_bytes()
    unchanged = await bring(shop, file)
    assert (unchanged.updated, unchanged.unchanged) == (0, 3)


plain = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\x7f"), max_size=30)
filled = plain.map(lambda text: f"x{text}")
words = st.text("abcåäö,\";'| [\n", min_size=1, max_size=8).map(lambda t: " ".join(t.split()) or "w")


@st.composite
def a_product(draw: st.DrawFn, number: int) -> dict[str, Any]:
    sizes = draw(st.lists(words, min_size=1, max_size=3, unique=True))
    variants = []
    for n, size in enumerate(sizes):
        amount = draw(st.none() | st.integers(0, 10**12))
        variants.append(
            {
                "sku": f"S{number}-{n}",
                "options": {"Size": size} if len(sizes) > 1 else {},
                "weight_g": draw(st.none() | st.integers(0, 2**31 - 1)),
                "requires_shipping": draw(st.booleans()),
                "prices": [] if amount is None else [{"price_list": "base", "amount": amount}],
            }
        )
    return {
        "handle": f"h{number}",
        "title": draw(filled),
        "description": draw(plain),
        "status": draw(st.sampled_from(["draft", "active", "archived"])),
        "brand": draw(st.none() | filled),
        "tags": draw(st.lists(words, max_size=3, unique=True)),
        "seo_title": draw(st.none() | filled),
        "translations": draw(
            st.just({}) | st.fixed_dictionaries({"nl": st.fixed_dictionaries({"title": filled})})
        ),
        "media": [
            {"url": f"https://a.example/{n}.jpg", "alt": draw(plain)} for n in range(draw(st.integers(0, 2)))
        ],
        "variants": variants,
    }


@given(data=st.data())
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_any_catalogue_survives_export_and_import(
    shop: Shop, tmp_path: Path, data: st.DataObject
) -> None:
    made = [data.draw(a_product(n)) for n in range(data.draw(st.integers(1, 4)))]
    number = new_id().hex
    sides = [
        await shop.db.transaction(lambda tx, n=n: channels.create(tx, webshop(f"c{number}-{n}")))  # type: ignore[misc]
        for n in range(3)
    ]
    source = [msgspec.convert(each, ProductRow) for each in made]
    report = await imports.run(shop.db, source, ImportOptions(channel=sides[0]))
    assert report.refused == 0, report.short().lines
    for side, write_out in ((sides[1], exports.csv_file), (sides[2], exports.jsonl)):
        (tmp_path / "out").write_bytes(await collected(write_out(shop.db, sides[0])))
        back = await imports.run_file(shop.db, tmp_path / "out", ImportOptions(channel=side))
        assert back.refused == 0, back.short().lines
        assert await rows(shop.db, side) == await rows(shop.db, sides[0])


async def test_updates_by_sku_touch_only_their_columns(shop: Shop, tmp_path: Path) -> None:
    await bring(shop, write(tmp_path / "a.csv", SMALL))
    report = await bring(shop, write(tmp_path / "b.csv", "sku;weight_g;price.base\nMUG;350;59,5\n"))
    assert report.refused == 1
    assert "price.base" in report.lines[0].problems[0]
    report = await bring(shop, write(tmp_path / "b.csv", "sku;weight_g;price.base\nMUG;350;59.5\nCUP;;30\n"))
    assert [(line.line, line.sku, line.outcome) for line in report.lines] == [
        (2, "MUG", "updated"),
        (3, "CUP", "unchanged"),
    ]
    mug = await products.view_by_handle(shop.db, shop.pool, "mug")
    assert (mug.title, mug.variants[0].weight_g) == ("Mug", 350)


async def test_refused_lines_stop_everything_unless_told_otherwise(shop: Shop, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", SMALL.replace("CUP,30", "CUP,30,") + "pot,Pot,MUG,1\r\n,,NEW,2\r\n")
    report = await bring(shop, file)
    assert not report.is_done
    assert [(line.line, line.outcome) for line in report.lines] == [
        (2, "created"),
        (3, "created"),
        (4, "refused"),
        (5, "refused"),
    ]
    assert await shop.db.value("SELECT count(*) FROM product") == 0
    report = await bring(shop, file, skip_refused=True)
    assert (report.is_done, report.created, report.refused) == (True, 2, 2)
    assert await shop.db.value("SELECT count(*) FROM product") == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
async def test_encodings(shop: Shop, tmp_path: Path, encoding: str) -> None:
    text = SMALL.replace("Mug", "Mugg för kaffe – blå")
    report = await bring(shop, write(tmp_path / "a.csv", text, encoding))
    assert report.refused == 0, report.lines
    assert (await products.view_by_handle(shop.db, shop.pool, "mug")).title == "Mugg för kaffe – blå"
    assert report.encoding == encoding


async def test_products_without_a_handle_get_one_that_is_free(shop: Shop, tmp_path: Path) -> None:
    """Made from the title: not that of a product that is there, nor of another one in the file."""
    await shop.product(title="Mug", sku="OLD")
    text = "title,sku\nMug,NEW-1\nMug,NEW-2\nMug,OLD\n"
    report = await bring(shop, write(tmp_path / "a.csv", text))
    assert [(line.outcome, line.handle) for line in report.lines] == [
        ("created", "mug-2"),
        ("created", "mug-3"),
        ("unchanged", "mug"),
    ]
    again = await bring(shop, tmp_path / "a.csv")
    assert (again.created, again.updated, again.unchanged, again.refused) == (0, 0, 3, 0)


BROKEN: dict[str, bytes] = {
    "empty": b"",
    "blank": b"\r\n\r\n",
    "zero bytes": b"handle,title,sku\x00\x00\n\x00\x00\x01",
    "open quote": b'handle,title,sku\na,A,S1\nb,"B,S2\n',
    "too many cells": b"handle,title,sku\na,A,S1,x,y\n",
    "quote in the middle": b'handle,title,sku\na,"A"b,S1\n',
    "column twice": b"sku,sku\n1,2\n",
    "no key": b"title,price\nA,1\n",
    "not json": b'{"handle": "a"\n',
    "json list": b"[1, 2]\n",
    "deep json": b'{"a":' * 5000,
    "huge field": b'handle,title,sku\na,"' + b"x" * 3_000_000 + b'",S\n',
    "half utf-16": b"\xff\xfeh\x00a",
}


@pytest.mark.parametrize("name", BROKEN)
async def test_broken_files_say_so_and_write_nothing(shop: Shop, tmp_path: Path, name: str) -> None:
    (tmp_path / "a.csv").write_bytes(BROKEN[name])
    with pytest.raises(BrokenFile):
        await bring(shop, tmp_path / "a.csv", skip_refused=True)
    for table in ("product", "variant", "price", "import_row", "category"):
        assert await shop.db.value(f"SELECT count(*) FROM {table}") == 0


@given(data=st.data())
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_whatever_the_file_is_nothing_is_half_done(
    shop: Shop, tmp_path: Path, data: st.DataObject
) -> None:
    """Real files with bytes knocked out, put in and doubled: an import, a report or a plain refusal, never a traceback."""
    seeds = [SMALL.encode(), "\n".join(json.dumps(line) for line in FULL).encode(), SHOPIFY_LIKE.encode()]
    content = bytearray(data.draw(st.sampled_from(seeds)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(len(content) - 1, 0)))
        kind = data.draw(st.sampled_from(["put", "cut", "flip", "repeat"]))
        if kind == "put":
            content[at:at] = data.draw(
                st.sampled_from([b'"', b",", b"\n", b"\x00", b"\xff", b"{", b"\xc3", b"-", b"9" * 30])
            )
        elif kind == "cut":
            del content[at : at + data.draw(st.integers(1, 20))]
        elif kind == "flip" and content:
            content[at] = data.draw(st.integers(0, 255))
        else:
            content[at:at] = content[max(0, at - 60) : at]
    (tmp_path / "a").write_bytes(bytes(content))
    before = await shop.db.value("SELECT count(*) FROM product")
    try:
        report = await bring(shop, tmp_path / "a")
    except Problem:
        assert await shop.db.value("SELECT count(*) FROM product") == before
    else:
        assert report.is_done is (report.refused == 0)
        if not report.is_done:
            assert await shop.db.value("SELECT count(*) FROM product") == before
    assert await shop.db.value("SELECT count(*) FROM import_row") == 0


SHOPIFY_LIKE = (
    "Handle,Title,Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Variant SKU,Variant Grams,Variant Price,"
    "Variant Barcode,Image Src,Image Position\n"
    'tea,"Tea, green",Acme,Drinks,"a, b",true,Size,S,TEA-S,100.0,9.90,7310865004703,https://a.example/1.jpg,1\n'
    "tea,,,,,,,L,TEA-L,200,15.00,,https://a.example/2.jpg,2\n"
    "tea,,,,,,,,,,,,https://a.example/3.jpg,3\n"
    "mug,Mug,Acme,Ware,,false,Title,Default Title,,,5,12345,,\n"
)


async def test_shopify_lines_without_sku_and_with_more_images(shop: Shop, tmp_path: Path) -> None:
    report = await bring(shop, write(tmp_path / "a.csv", SHOPIFY_LIKE))
    assert (report.created, report.images) == (3, 3)
    assert [note for line in report.lines for note in line.notes] == [
        "no SKU: “mug” was made up",
        "mug: the barcode “12345” is not a GTIN and was left out",
    ]
    tea = await products.view_by_handle(shop.db, shop.pool, "tea")
    assert [m.position for m in tea.media] == [0, 1, 2]
    assert (tea.category_path, tea.status) == ("drinks", "active")
    assert (await products.view_by_handle(shop.db, shop.pool, "mug")).status == "draft"


class Killed(BaseException):
    pass


async def test_killed_in_the_middle_it_is_completed_by_running_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = [
        msgspec.convert({"handle": f"p{n}", "title": f"P{n}", "variants": [{"sku": f"S{n}"}]}, ProductRow)
        for n in range(1200)
    ]
    options = ImportOptions(channel=shop.channel)

    def die(phase: str, done: int, _total: int | None) -> None:
        if phase == "write" and done >= 500:
            raise Killed

    with pytest.raises(Killed):
        await imports.run(shop.db, source, options, progress=die)
    there = await shop.db.value("SELECT count(*) FROM product")
    assert there in (500, 700, 1000)  # whole chunks
    report = await imports.run(shop.db, source, options)
    assert (report.created, report.unchanged) == (1200 - there, there)
    assert await shop.db.value("SELECT count(*) FROM product_search") == 1200


async def test_over_http(shop: Shop, api: httpx.AsyncClient) -> None:
    files = {"file": ("products.csv", io.BytesIO(SMALL.encode()), "text/csv")}
    dry = await api.post("/api/imports/products", params={"dry_run": "true"}, files=files)
    assert dry.status_code == 200, dry.text
    assert (dry.json()["created"], dry.json()["is_done"]) == (2, False)
    files = {"file": ("products.csv", io.BytesIO(SMALL.encode()), "text/csv")}
    assert (await api.post("/api/imports/products", files=files)).json()["is_done"] is True
    broken = {"file": ("products.csv", io.BytesIO(BROKEN["open quote"]), "text/csv")}
    answer = await api.post("/api/imports/products", files=broken)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/broken-file")
    out = await api.get("/api/exports/products", params={"format": "csv"})
    assert out.text.splitlines()[1].startswith("mug,Mug,")
    nothing = await api.post("/api/imports/products", data={"x": "y"})
    assert nothing.status_code in (400, 422)


def test_an_encoding_is_found_even_late_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"sku,title\n" + b"a,b\n" * 50_000 + "å".encode("cp1252"))
    assert encoding_of(path) == "cp1252"
    path.write_bytes(b"sku,title\n" + b"a,b\n" * 50_000 + "å".encode())
    assert encoding_of(path) == "utf-8"
