"""``samlad pool`` and ``samlad mail``, as a script uses them: what they do, and what they say to a mistake."""

import asyncio
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from goods import build_apart, product
from silo import Silo

from samlad.channels import Resource
from samlad.cli import main
from samlad.kernel.database import Database
from trade import build


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Terminal:
    """Runs commands in this process, as ``samlad`` does."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.capsys, self.monkeypatch = capsys, monkeypatch

    async def __call__(self, *arguments: object, stdin: bytes = b"") -> Done:
        self.monkeypatch.setattr(sys, "argv", ["samlad", *map(str, arguments)])
        self.monkeypatch.setattr(
            sys, "stdin", SimpleNamespace(buffer=io.BytesIO(stdin), isatty=lambda: False)
        )
        self.capsys.readouterr()
        code = await asyncio.to_thread(self._run)
        told = self.capsys.readouterr()
        return Done(code, told.out, told.err)

    def _run(self) -> int:
        try:
            main()
        except SystemExit as end:
            return int(end.code or 0)
        return 0

    async def wrong(self, *arguments: object, told: str, code: int = 2) -> None:
        """A mistake: one line says what, nothing on standard output."""
        done = await self(*arguments)
        assert (done.code, done.out, done.err.count("\n")) == (code, "", 1), (arguments, done)
        assert told in done.err, arguments


@pytest.fixture
async def apart(db: Database) -> Silo:
    return await build_apart(await build(db))


@pytest.fixture
def samlad(
    apart: Silo, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Terminal:
    monkeypatch.setenv("SAMLAD_DATABASE_URL", apart.trade.db.dsn)
    monkeypatch.setenv("SAMLAD_HOME", str(tmp_path))
    return Terminal(capsys, monkeypatch)


async def test_a_mistake_is_one_line_and_exit_code_2(samlad: Terminal, tmp_path: Path) -> None:
    for verb in ("plan", "join", "leave"):
        await samlad.wrong("pool", verb, "nosuch", "stock", told="nosuch")
        await samlad.wrong("pool", verb, "market", "shoes", told="shoes")
    for verb in ("plan", "join"):
        await samlad.wrong("pool", verb, "market", "catalogue", "--to", "nosuch", told="nosuch")
        await samlad.wrong("pool", verb, "market", "catalogue", "--to", "market", told="cannot join itself")
    await samlad.wrong("pool", "pairs", "nosuch", told="nosuch")
    await samlad.wrong("pool", "pairs", "market", "--to", "nosuch", told="nosuch")
    missing, latin, columns = tmp_path / "none.csv", tmp_path / "latin.csv", tmp_path / "columns.csv"
    latin.write_bytes("sku,decision,twin_sku\nÅ-1,out,\n".encode("cp1252"))
    columns.write_text("sku,what\nA,out\n")
    lines = tmp_path / "lines.csv"
    lines.write_text("sku,decision,twin_sku\nA,perhaps,\n")
    await samlad.wrong("pool", "pairs", "market", "--to", "web", "--read", missing, told="none.csv")
    await samlad.wrong("pool", "pairs", "market", "--to", "web", "--read", tmp_path, told=str(tmp_path))
    await samlad.wrong("pool", "pairs", "market", "--to", "web", "--read", latin, told="UTF-8")
    await samlad.wrong("pool", "pairs", "market", "--to", "web", "--read", columns, told="twin_sku")
    broken = await samlad("pool", "pairs", "market", "--to", "web", "--read", lines)
    assert (broken.code, broken.out) == (2, "")
    assert "perhaps" in broken.err
    nowhere = tmp_path / "no" / "pairs.csv"
    await samlad.wrong("pool", "pairs", "market", "--to", "web", "--save", nowhere, told="pairs.csv")
    for arguments in (
        ("pool", "plan", "market"),
        ("pool", "join"),
        ("pool", "leave", "market", "stock", "--to", "web"),
    ):
        done = await samlad(*arguments)
        assert (done.code, done.out) == (2, ""), arguments
        assert "Traceback" not in done.err
    await samlad.wrong("mail", "receive", told="no mail")


async def test_what_stands_in_the_way_is_one_line_and_exit_code_1(samlad: Terminal) -> None:
    """It is no mistake of who typed it."""
    await samlad.wrong("pool", "leave", "market", "stock", told="for itself", code=1)
    await samlad.wrong("pool", "join", "market", "stock", "--to", "web", told="", code=1)


async def test_a_channel_joins_and_leaves_by_commands(samlad: Terminal, apart: Silo, tmp_path: Path) -> None:
    await product(apart, apart.trade.web, {"sku": "B"}, quantity=9)
    await product(apart, apart.market, {"sku": "X"}, quantity=9)
    saved = await samlad("pool", "pairs", "market", "--to", "web", "--save", tmp_path / "pairs.csv")
    assert (saved.code, "X" in (tmp_path / "pairs.csv").read_text()) == (0, True)
    read = await samlad("pool", "pairs", "market", "--to", "web", "--read", tmp_path / "pairs.csv", "--json")
    assert json.loads(read.out) == {"new": 1}
    planned = await samlad("pool", "plan", "market", "catalogue", "--to", "web", "--json")
    assert (planned.code, json.loads(planned.out)["kind"]) == (0, "join")
    joined = await samlad("pool", "join", "market", "catalogue", "--to", "web", "--json")
    assert (joined.code, json.loads(joined.out)["status"]) == (0, "done")
    told = await samlad("pool", "plan", "market", "prices", "--to", "web", "--keep-own")
    assert told.code == 0
    assert "would join the prices of" in told.out
    assert (await samlad("pool", "join", "market", "prices", "--to", "web", "--keep-own")).code == 0
    assert (await apart.now()).pools[Resource.PRICES] == apart.trade.web.pools[Resource.PRICES]
    await samlad.wrong("pool", "join", "market", "prices", "--to", "web", told="shares", code=1)
    left = await samlad("pool", "leave", "market", "prices", "--keep-own", "--json")
    row = json.loads(left.out)
    assert (left.code, row["kind"], row["keeps_own"], row["status"]) == (0, "leave", True, "done")
    again = await samlad("pool", "leave", "market", "catalogue", "--keep-own")
    assert again.code == 0
    assert "market, catalogue:" in again.out
    assert (await apart.now()).pools[Resource.CATALOGUE] == apart.market.pools[Resource.CATALOGUE]


async def test_a_mail_is_taken_from_standard_input(samlad: Terminal) -> None:
    mail = b"From: Kim <kim@example.org>\r\nTo: replies@shop.example\r\nSubject: Hello\r\nMessage-ID: <1@x>\r\n\r\nHi\r\n"
    done = await samlad("mail", "receive", stdin=mail)
    assert (done.code, done.err) == (0, "")
    assert "waits for staff" in done.out
    again = await samlad("mail", "receive", "--json", stdin=mail)
    assert json.loads(again.out)["what"] == "again"
