"""``samlad bench`` as it is typed; and the recording that the ratios stand on."""

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from memory import folder
from samlad.bench import shop as shops
from samlad.bench.recording import Recorder, replay
from samlad.bench.server import environment
from samlad.kernel.connections import connect
from samlad.kernel.database import Database
from samlad.kernel.ids import new_id
from samlad.kernel.live import Live
from samlad.kernel.runtime import Runtime


def bench(home: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "samlad.cli", "bench", *arguments],
        env=environment(home) | more,
        capture_output=True,
        text=True,
        timeout=480,
    )


def test_an_unknown_name_is_wrong_use(tmp_path: Path) -> None:
    said = bench(tmp_path, "nonsense")
    assert said.returncode == 2
    assert "There are: checkout, hot, purchase, oversell" in said.stderr


@pytest.mark.slow
def test_oversell_ends_with_one_json_object_and_leaves_nothing(tmp_path: Path) -> None:
    with folder() as own:  # others may run the same beside us
        said = bench(tmp_path, "oversell", "--json", TMPDIR=str(own))
        left = [p for p in psutil.process_iter(["environ"]) if _home(p).startswith(str(own))]
        assert (left, list(own.iterdir())) == ([], [])
    figures = json.loads(said.stdout.splitlines()[-1])
    assert said.returncode == (1 if figures["broken"] else 0), said.stderr
    for way in ("barrier", "race"):
        keys = [f"{way}_{key}" for key in ("sold", "gone", "refused", "errors")]
        assert [figures[key] for key in keys] == [50, 50, 150, 0]
    # How long it takes is no matter of a test: others work beside us.
    assert set(figures["broken"]) <= {"barrier_told_ms ≤ 2000", "race_told_ms ≤ 2000"}
    assert list(tmp_path.iterdir()) == [], "nobody's own folder is touched"


def _home(process: psutil.Process) -> str:
    return (process.info["environ"] or {}).get("SAMLAD_HOME", "")


async def test_recorded_statements_do_again_what_the_request_did(db: Database) -> None:
    runtime = Runtime(db.settings, db, Live(db))
    shop = await shops.open_shop(runtime)
    goods = await shops.add_goods(shop, 2, units=5)
    cart = await shops.add_cart(shop, goods, checked_out=True)
    recorder = Recorder(runtime, shop.key)
    for _ in range(2):  # the first time caches are filled, too
        body, headers = shops.order_body(cart), {"idempotency-key": str(new_id())}
        recorded = await recorder.transaction("POST", "/api/orders", body, headers)
    assert await db.value("SELECT count(*) FROM orders") == 0, "recording leaves no trace"
    assert 5 <= len(recorded) <= 12

    connection = await connect(db.dsn, db.settings)
    await replay(connection, recorded)
    await connection.close()
    assert await db.value("SELECT status FROM cart WHERE id = $1", cart.id) == "ordered"
    assert await db.value("SELECT count(*) FROM orders WHERE cart = $1", cart.id) == 1
    assert await db.value("SELECT sum(held) FROM level") == 2
    assert await shops.unsound(runtime) == []
