"""`samlad import products` and `samlad export products` as somebody types them."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from samlad.cli import app

from .conftest import Shop
from .test_imports import SMALL


@pytest.fixture
def samlad(shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> "Run":
    monkeypatch.setenv("SAMLAD_DATABASE_URL", shop.db.dsn)
    monkeypatch.setenv("SAMLAD_HOME", str(tmp_path))
    return Run()


class Run:
    async def __call__(self, *arguments: str | Path) -> Result:
        """A command in a thread of its own: it brings its own event loop."""
        return await asyncio.to_thread(CliRunner().invoke, app, [str(a) for a in arguments])


async def test_there_and_back(shop: Shop, samlad: Run, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(SMALL)
    dry = await samlad("import", "products", tmp_path / "in.csv", "--dry-run", "--json")
    assert dry.exit_code == 0, dry.output
    assert json.loads(dry.stdout)["created"] == 2
    done = await samlad("import", "products", tmp_path / "in.csv", "--report", tmp_path / "lines.csv")
    assert (done.exit_code, "2 were created" in done.stdout) == (0, True), done.output
    assert (tmp_path / "lines.csv").read_text().splitlines()[1] == "2,created,mug,MUG,,"
    for name in ("out.csv", "out.jsonl"):
        assert (await samlad("export", "products", tmp_path / name)).exit_code == 0
        again = await samlad("import", "products", tmp_path / name, "--json")
        report = json.loads(again.stdout)
        assert (again.exit_code, report["unchanged"], report["is_done"]) == (0, 2, True)
    shown = await samlad("export", "products")
    assert shown.stdout_bytes == (tmp_path / "out.jsonl").read_bytes()


async def test_refusals_are_told_and_end_with_one(shop: Shop, samlad: Run, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(SMALL + "pot,,POT,1\n")
    done = await samlad("import", "products", tmp_path / "in.csv")
    assert done.exit_code == 1
    assert "line 4 (refused): title: a new product needs a title" in done.stdout
    assert "Nothing was written" in done.stdout
    rest = await samlad("import", "products", tmp_path / "in.csv", "--skip-refused")
    assert rest.exit_code == 1
    assert await shop.db.value("SELECT count(*) FROM product") == 2
    assert (await samlad("reindex")).exit_code == 0
