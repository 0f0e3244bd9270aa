"""Everything that a person has is in their file: as JSON, with what they sent, and as a page that they can read."""

import html
import io
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import pytest
from market import text_of
from test_erasure import _whole
from whole_life import EMAIL, WORDS, live

from account_people import Post
from samlad.faces.known_data import FIELDS
from samlad.faces.storefront.member import COOKIE
from samlad.kernel import personal
from samlad.kernel.context import GUEST
from samlad.kernel.database import Database
from samlad.kernel.i18n import LOCALES, translator
from samlad.kernel.settings import Settings
from samlad.kernel.vault import Vault
from samlad.privacy import running
from samlad.privacy.holdings import HOLDINGS
from searching import in_tables

SHOWN = {each.table for each in HOLDINGS if each.is_shown}
_ISO = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d.*)?")


def test_every_column_has_a_name_that_people_read() -> None:
    columns = {
        name
        for each in HOLDINGS
        if each.is_shown
        for name in (*each.shown, *each.personal)
        if name not in each.withheld
        and name not in (each.files or ("", ""))[1]
        and (each.sealed is None or name != each.sealed.sealed)
    }
    assert sorted(columns - FIELDS.keys()) == []


def test_what_would_let_somebody_in_is_in_no_file() -> None:
    secret = {
        (each.table, name)
        for each in HOLDINGS
        if each.is_shown
        for name in each.personal
        if "hash" in name or "token" in name
    }
    withheld = {(each.table, name) for each in HOLDINGS for name in each.withheld}
    assert secret == withheld


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every single value in a JSON document, with the name that it goes by."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, key)
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each)
    else:
        yield name, value


def plain(text: str) -> str:
    """Words without marks of direction, in one line."""
    return re.sub(r"\s+", " ", re.sub("[\u2066-\u2069\u200e\u200f]", "", html.unescape(text)))


@pytest.mark.slow
async def test_everything_a_person_has_is_in_their_file_in_three_languages(
    settings: Settings, db: Database, api_as: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with api_as() as api, api_as(GUEST) as wire:
        world = await live(settings, db, api, wire, monkeypatch)
    signed = await Post(db, settings, world.trade.web).sign_in(EMAIL)
    others = await Post(db, settings, world.trade.web).sign_in("robin@example.com")
    async with api_as(GUEST, accept="text/html", cookie=f"{COOKIE}={signed.token}") as browser:
        assert (await browser.post("/account/data/export")).status_code == 303
        request = await db.value("SELECT id FROM privacy_request")
        there = await in_tables(db, WORDS)
        monkeypatch.setattr(personal, "AT_ONCE", 2)  # more than that is read in pages
        await running.collect(db, Vault.of(settings), request)
        here = f"/account/data/{request}"
        file = (await browser.get(f"{here}/file.json")).json()
        packed = await browser.get(f"{here}/archive.zip")
        with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
            sent = {name: archive.read(name) for name in archive.namelist() if name != "export.json"}
        _nothing_is_missing(there, file, sent)
        rows = await _rows_with_words(db, [name for name in there if _whole(name) in SHOWN])
        exported = defaultdict(int)
        for part in file["parts"]:
            exported[part["table"]] += len(part["rows"])
        fewer = {name: (count, exported[name]) for name, count in rows.items() if exported[name] < count}
        assert fewer == {}, "rows that speak of them, and those in the file"
        assert "robin" not in msgspec.json.encode(file).decode().lower()

        # What they sent is in the archive, and each file on the page can be had.
        named = {row["file"] for part in file["parts"] for row in part["rows"] if "file" in row}
        assert named == sent.keys()
        assert len(named) >= 5
        for name, content in sent.items():
            answer = await browser.get(f"{here}/files/{name}")
            assert (answer.status_code, answer.content) == (200, content)
            stays = name.startswith("photograph/")
            assert answer.headers.get("content-disposition", "").startswith("attachment") is not stays

        for locale in LOCALES:
            await _says_all_of_it(browser, here, locale, sent)

    async with api_as(GUEST, accept="text/html", cookie=f"{COOKIE}={others.token}") as robin:
        for path in ("", "/file.json", "/archive.zip", f"/files/{min(sent)}"):
            assert (await robin.get(f"{here}{path}")).status_code == 404, path
    async with api_as(GUEST, accept="text/html") as nobody:
        assert (await nobody.get(here)).status_code == 303


def _nothing_is_missing(there: dict[str, list[str]], file: dict[str, Any], sent: dict[str, bytes]) -> None:
    """Each word of theirs that a table has, the file has of that table; but for tables that say why not."""
    said: dict[str, str] = defaultdict(str)
    for part in file["parts"]:
        said[part["table"]] += msgspec.json.encode(part["rows"]).decode().lower()
    for name, content in sent.items():
        said[name.partition("/")[0]] += content.decode("utf-8", "replace").lower()
    missing = {
        name: lost
        for name, found in there.items()
        if _whole(name) in SHOWN and (lost := [word for word in found if word not in said[_whole(name)]])
    }
    assert missing == {}
    kept_quiet = {each.table for each in HOLDINGS if not each.is_shown}
    assert {_whole(name) for name in there} <= SHOWN | kept_quiet


async def _rows_with_words(db: Database, tables: list[str]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for table in tables:
        found[_whole(table)] += await db.value(
            f"""SELECT count(*) FROM "{table}" t WHERE EXISTS (
                    SELECT FROM unnest($1::text[]) AS n (word) WHERE strpos(lower(t::text), lower(n.word)) > 0)""",
            WORDS,
        )
    return found


async def _says_all_of_it(browser: Any, here: str, locale: str, sent: Iterable[str]) -> None:
    """The page and the file of a language: every value, every heading and every name, in that language."""
    browser.headers["accept-language"] = locale
    page = await browser.get(here)
    assert page.status_code == 200
    assert f'<html lang="{locale}"' in page.text
    text = plain(text_of(page.text))
    file = (await browser.get(f"{here}/file.json")).json()
    say = translator(locale).gettext
    abouts = {say(each.about) for each in HOLDINGS if each.is_shown}
    assert {part["about"] for part in file["parts"]} <= abouts
    lost = []
    for part in file["parts"]:
        lost += [about for about in (part["about"], part["kept"] or "") if about not in text]
        for row in part["rows"]:
            row.pop("file", None)
            names = [name for name, value in row.items() if value not in (None, "", [], {})]
            lost += [name for name in names if say(FIELDS[name]) not in text]
            lost += [
                f"{part['table']}.{name}: {value}"
                for name, value in leaves(row)
                if not _is_said(text, name, value)
            ]
    assert lost == []
    for name in sent:
        assert f"{here}/files/{name}" in page.text


def _is_said(text: str, name: str, value: Any) -> bool:
    if value is None or isinstance(value, bool) or name in ("answer", "state", "status", "amount", "total"):
        return True  # in words of the language, or with its currency
    if isinstance(value, str) and _ISO.fullmatch(value):
        return value[:4] in text  # as a day of the language
    return plain(str(value)).strip() in text
