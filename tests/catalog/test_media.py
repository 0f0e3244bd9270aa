"""Pictures that are fetched later: over a real HTTP server, through the gate, into the folder and out of it."""

import asyncio
import contextlib
import ipaddress
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

import samlad.app  # noqa: F401 - loads every package's jobs
from samlad import catalog
from samlad.catalog import media_fetch, media_files, products
from samlad.catalog.media_fetch import fetch_due
from samlad.catalog.model import Media
from samlad.catalog.search.query import SearchQuery, search
from samlad.kernel import jobs, outside
from samlad.kernel.database import Database
from samlad.kernel.outside import Gate, OutsideError, is_public

from .conftest import Shop

PNG = b"\x89PNG\r\n\x1a\n" + b"a picture" * 50
JPEG = b"\xff\xd8\xff\xe0" + b"another" * 70
WEBP = b"RIFF\x10\x00\x00\x00WEBPVP8 "
AVIF = b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avifmiaf"
LARGEST = 20_000


class Elsewhere(BaseHTTPRequestHandler):
    """Somebody's picture server. ``asked`` counts requests by path."""

    asked: ClassVar[Counter[str]] = Counter()
    broken: ClassVar[set[str]] = set()
    files: ClassVar[dict[str, bytes]] = {
        "/a.png": PNG, "/b.jpg": JPEG, "/c.webp": WEBP, "/d.avif": AVIF,
        "/e.gif": b"GIF89a....", "/page.png": b"<html>no picture</html>",
        "/drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>',
    }  # fmt: skip

    def do_GET(self) -> None:
        self.asked[self.path] += 1
        path = self.path
        if path in self.broken:
            self.answer(503, b"later")
        elif path.startswith("/to?"):
            self.answer(302, b"", location=path[4:])
        elif path.startswith("/round/"):
            left = int(path.rsplit("/", 1)[1])
            self.answer(302, b"", location=f"/round/{left - 1}" if left else "/a.png")
        elif path == "/endless":
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(PNG)
        elif path == "/announced":
            self.send_response(200)
            self.send_header("content-length", str(LARGEST + 1))
            self.end_headers()
        elif path == "/slow":
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(OSError):
                for _ in range(100):
                    self.wfile.write(b"\x89")
                    self.wfile.flush()
                    threading.Event().wait(0.05)
        elif path in self.files:
            # What it says of itself is not believed.
            self.answer(200, self.files[path], content_type="image/jpeg")
        else:
            self.answer(404, b"nothing")

    def answer(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"content_length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    Elsewhere.asked.clear()
    Elsewhere.broken.clear()
    yield f"http://localhost:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def open_gate(url: str, **fields: Any) -> Gate:
    """A gate that lets this machine's own address through, at that server's port."""
    port = int(url.rsplit(":", 1)[1])
    return Gate(allows=lambda a: a.is_loopback, ports=frozenset({port}), largest=LARGEST, **fields)


async def pictured(shop: Shop, *urls: str) -> Any:
    return await shop.product(handle="kettle", price=1000, media=[{"url": url} for url in urls])


async def media_of(shop: Shop, product: Any) -> dict[str, Media]:
    found = await products.view(shop.db, product.product.id if hasattr(product, "product") else product.id)
    return {m.url.rsplit("/", 1)[1]: m for m in found.media}


async def shown(shop: Shop, variant: Any) -> str | None:
    sold = await catalog.sellables(shop.db, shop.channel, [variant])
    return sold[variant].image


async def due_now(db: Database) -> None:
    await db.transaction(lambda tx: tx.execute("UPDATE media SET retry_at = NULL"))


# -- the gate ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0",
        "100.64.0.1", "192.0.0.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a00:1",
        "2002:7f00:1::", "2002:a00:1::1", "::127.0.0.1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.215.14", "1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/passwd", "only http and https"),
        ("ftp://example.com/a.png", "only http and https"),
        ("//example.com/a.png", "only http and https"),
        ("http:///a.png", "only http and https"),
        ("http://example.com:8000/a.png", "port 8000"),
        ("https://example.com:22/a.png", "port 22"),
        ("http://example.com:99999/a.png", "no valid address"),
        ("http://[::1/a.png", "no valid address"),
        ("http://" + "a" * 70 + ".com/", "no valid address"),
        ("http://localhost/a.png", "not on the public internet"),
        ("http://127.0.0.1/a.png", "not on the public internet"),
        ("http://127.1/a.png", "not on the public internet"),
        ("http://2130706433/a.png", "not on the public internet"),
        ("http://0x7f000001/a.png", "not on the public internet"),
        ("http://[::1]/a.png", "not on the public internet"),
        ("http://[::ffff:127.0.0.1]/a.png", "not on the public internet"),
        ("http://[fe80::1]/a.png", "not on the public internet"),
        ("http://user:password@10.0.0.1/a.png", "not on the public internet"),
        ("https://169.254.169.254/latest/meta-data", "not on the public internet"),
    ],
)
async def test_what_the_gate_refuses_at_once_and_for_good(url: str, reason: str) -> None:
    with pytest.raises(OutsideError, match=reason) as refused:
        await outside.read(url)
    assert refused.value.is_final


async def test_the_address_that_was_judged_is_the_one_that_is_reached(
    elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that turns to this machine after it was judged gains nothing."""
    answers = [["203.0.113.9", "127.0.0.1"], ["127.0.0.1"]]
    asked = []
    loop = asyncio.get_running_loop()
    port = int(elsewhere.rsplit(":", 1)[1])

    async def rebinding(host: str, port: int, **_: Any) -> Any:
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(loop, "getaddrinfo", rebinding)
    # One bad address among good ones spoils all of them.
    gate = Gate(allows=lambda a: a != ipaddress.ip_address("127.0.0.1"), ports=frozenset({port}))
    with pytest.raises(OutsideError, match="not on the public internet"):
        await outside.read(f"http://rebind.example:{port}/a.png", gate)
    # An allowed one is connected to as it is: the name is resolved once a connection, never by the socket again.
    asked.clear()
    answers[0] = ["127.0.0.1"]
    answers[1] = ["10.0.0.1"]
    found = await outside.read(f"http://rebind.example:{port}/a.png", open_gate(elsewhere))
    assert found.content == PNG
    assert asked == ["rebind.example"]
    assert Elsewhere.asked == {"/a.png": 1}


async def test_redirects_go_through_the_gate(elsewhere: str) -> None:
    gate = open_gate(elsewhere)
    found = await outside.read(f"{elsewhere}/round/2", gate)
    assert (found.content, found.url) == (PNG, f"{elsewhere}/a.png")
    with pytest.raises(OutsideError, match="more than 3 redirects"):
        await outside.read(f"{elsewhere}/round/3", gate)
    assert Elsewhere.asked["/a.png"] == 1
    for target, reason in [
        ("http://10.0.0.1:{port}/a.png", "not on the public internet"),
        ("http://169.254.169.254:{port}/", "not on the public internet"),
        ("http://localhost:22/", "port 22"),
        ("file:///etc/passwd", "only http and https"),
        ("http://[/", "no valid address"),
    ]:
        with pytest.raises(OutsideError, match=reason) as refused:
            await outside.read(
                f"{elsewhere}/to?{target.replace('{port}', elsewhere.rsplit(':', 1)[1])}", gate
            )
        assert refused.value.is_final


async def test_bounds(elsewhere: str) -> None:
    for path in ("/endless", "/announced"):
        with pytest.raises(OutsideError, match="larger than 20,000 bytes") as refused:
            await outside.read(elsewhere + path, open_gate(elsewhere))
        assert refused.value.is_final
    with pytest.raises(OutsideError, match=r"within 0\.3 seconds") as slow:
        await outside.read(f"{elsewhere}/slow", open_gate(elsewhere, seconds=0.3))
    assert not slow.value.is_final
    with pytest.raises(OutsideError, match="answered 404") as gone:
        await outside.read(f"{elsewhere}/none", open_gate(elsewhere))
    assert gone.value.is_final


# -- files -------------------------------------------------------------------------------------------------------------


def test_kinds_are_told_by_bytes() -> None:
    kinds = {name: media_files.kind_of(content) for name, content in Elsewhere.files.items()}
    assert kinds == {
        "/a.png": "png", "/b.jpg": "jpg", "/c.webp": "webp", "/d.avif": "avif", "/e.gif": "gif",
        "/page.png": None, "/drawing.svg": None,
    }  # fmt: skip
    assert media_files.kind_of(b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom") is None
    assert media_files.kind_of(b"") is None
    assert media_files.kind_of(b"\x00\x00\x00\x00ftyp") is None


def test_the_same_bytes_are_stored_once_and_whole(tmp_path: Path) -> None:
    key = media_files.store(tmp_path, PNG, "png")
    path = media_files.path_of(tmp_path, key)
    before = path.stat()
    assert media_files.store(tmp_path, PNG, "png") == key
    assert (path.read_bytes(), path.stat().st_ino) == (PNG, before.st_ino)
    assert path.relative_to(tmp_path).parts[:3] == ("media", key[:2], key[2:4])
    for wrong in ("../../etc/passwd", key.upper(), key + "\n", key.replace(".png", ".svg"), ""):
        with pytest.raises(ValueError, match="no key"):
            media_files.path_of(tmp_path, wrong)


def test_what_killed_writers_left_is_removed_when_it_is_old(tmp_path: Path) -> None:
    import os

    folder = tmp_path / "media" / "unfinished"
    folder.mkdir(parents=True)
    (folder / "old").write_bytes(b"half")
    (folder / "new").write_bytes(b"half")
    os.utime(folder / "old", (1, 1))
    media_files.forget_unfinished(tmp_path)
    assert [p.name for p in folder.iterdir()] == ["new"]


# -- the job -----------------------------------------------------------------------------------------------------------


async def test_pending_pictures_become_our_own(
    shop: Shop, elsewhere: str, tmp_path: Path, api: httpx.AsyncClient
) -> None:
    made = await pictured(shop, f"{elsewhere}/a.png", f"{elsewhere}/page.png", f"{elsewhere}/none.jpg")
    variant = made.variants[0].id
    assert await shown(shop, variant) is None  # never somebody else's server
    assert await fetch_due(shop.db, tmp_path, open_gate(elsewhere)) == 3
    media = await media_of(shop, made)
    assert (media["a.png"].status, media["a.png"].problem) == ("ready", None)
    assert (media["page.png"].status, media["page.png"].storage_key) == ("failed", None)
    assert "not a JPEG" in (media["page.png"].problem or "")
    assert media["none.jpg"].problem == "it answered 404"

    address = await shown(shop, variant)
    assert address == f"/media/{media['a.png'].storage_key}"
    hits = await search(shop.db, shop.channel, SearchQuery())
    assert [hit.image for hit in hits.items] == [address]
    listed = (await api.get("/api/products")).json()["items"]
    assert [row["image"] for row in listed] == [address]

    answer = await api.get(address)
    assert (answer.status_code, answer.content) == (200, PNG)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "attachment" not in answer.headers["content-disposition"]
    again = await api.get(address, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for wrong in (
        address.replace(".png", ".jpg"),
        "/media/x",
        "/media/..%2f..%2fkey",
        "/media/" + "0" * 64 + ".png",
    ):
        assert (await api.get(wrong)).status_code == 404, wrong

    assert await fetch_due(shop.db, tmp_path, open_gate(elsewhere)) == 0
    assert Elsewhere.asked["/a.png"] == 1


async def test_the_log_tells_which_products_have_their_picture(
    shop: Shop, elsewhere: str, tmp_path: Path
) -> None:
    made = await pictured(shop, f"{elsewhere}/a.png")
    await fetch_due(shop.db, tmp_path, open_gate(elsewhere))
    latest = await shop.db.rows("SELECT type, payload FROM event ORDER BY id DESC LIMIT 1")
    assert latest[0]["type"] == "product.changed"
    assert latest[0]["payload"]["products"] == [str((await products.view(shop.db, made.id)).id)]


async def test_a_server_that_is_down_is_asked_again_a_few_times(
    shop: Shop, elsewhere: str, tmp_path: Path
) -> None:
    made = await pictured(shop, f"{elsewhere}/a.png")
    Elsewhere.broken.add("/a.png")
    gate = open_gate(elsewhere)
    for attempt in range(1, media_fetch.ATTEMPTS + 1):
        assert await fetch_due(shop.db, tmp_path, gate) == 1
        assert await fetch_due(shop.db, tmp_path, gate) == 0  # not before its pause is over
        media = (await media_of(shop, made))["a.png"]
        assert media.problem == "it answered 503"
        assert media.status == ("failed" if attempt == media_fetch.ATTEMPTS else "pending")
        await due_now(shop.db)
    assert Elsewhere.asked["/a.png"] == media_fetch.ATTEMPTS
    pauses = [media_fetch.pause_after(n) for n in range(1, media_fetch.ATTEMPTS + 1)]
    assert pauses == [timedelta(minutes=m) for m in (1, 4, 16, 64)] + [None]


async def test_a_server_that_comes_back(shop: Shop, elsewhere: str, tmp_path: Path) -> None:
    made = await pictured(shop, f"{elsewhere}/a.png")
    Elsewhere.broken.add("/a.png")
    await fetch_due(shop.db, tmp_path, open_gate(elsewhere))
    Elsewhere.broken.clear()
    await due_now(shop.db)
    await fetch_due(shop.db, tmp_path, open_gate(elsewhere))
    media = (await media_of(shop, made))["a.png"]
    assert (media.status, media.problem) == ("ready", None)


async def test_a_worker_that_dies_loses_nothing(
    shop: Shop, elsewhere: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It dies after the file is stored and before the row says so: the lease ends, and the same copy is found."""
    made = await pictured(shop, f"{elsewhere}/a.png")

    class Killed(BaseException):
        pass

    async def die(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(media_fetch, "_settle", die)
        with pytest.raises(Killed):
            await fetch_due(shop.db, tmp_path, open_gate(elsewhere))
    assert len(list((tmp_path / "media").rglob("*.png"))) == 1
    assert await fetch_due(shop.db, tmp_path, open_gate(elsewhere)) == 0  # leased still
    assert (await media_of(shop, made))["a.png"].status == "pending"
    await due_now(shop.db)
    assert await fetch_due(shop.db, tmp_path, open_gate(elsewhere)) == 1
    assert (await media_of(shop, made))["a.png"].status == "ready"
    assert len(list((tmp_path / "media").rglob("*.png"))) == 1


async def test_a_picture_that_kills_workers_ends(shop: Shop, tmp_path: Path) -> None:
    made = await pictured(shop, "https://example.com/deadly.png")
    await shop.db.transaction(lambda tx: tx.execute("UPDATE media SET attempts = $1", media_fetch.ATTEMPTS))
    assert await fetch_due(shop.db, tmp_path) == 0
    media = (await media_of(shop, made))["deadly.png"]
    assert (media.status, media.problem) == ("failed", "no attempt came to an end")


async def test_two_workers_share_the_work(shop: Shop, elsewhere: str, tmp_path: Path) -> None:
    await pictured(shop, *[f"{elsewhere}/a.png?{n}" for n in range(60)])
    gate = open_gate(elsewhere)
    done = await asyncio.gather(fetch_due(shop.db, tmp_path, gate), fetch_due(shop.db, tmp_path, gate))
    assert sum(done) == 60
    assert all(done)
    assert set(Elsewhere.asked.values()) == {1}
    assert len(Elsewhere.asked) == 60


async def test_a_change_of_the_product_keeps_what_was_fetched(
    shop: Shop, elsewhere: str, tmp_path: Path, api: httpx.AsyncClient
) -> None:
    made = await pictured(shop, f"{elsewhere}/a.png", f"{elsewhere}/b.jpg")
    await fetch_due(shop.db, tmp_path, open_gate(elsewhere))
    urls = [{"url": f"{elsewhere}/b.jpg", "alt": "Side"}, {"url": f"{elsewhere}/a.png"}]
    answer = await api.patch(f"/api/products/{made.id}", json={"media": urls})
    assert answer.status_code == 200, answer.text
    assert [(m["alt"], m["status"]) for m in answer.json()["media"]] == [("Side", "ready"), ("", "ready")]
    assert await shown(shop, made.variants[0].id) == f"/media/{answer.json()['media'][0]['storage_key']}"


def test_the_job_runs_every_minute_by_itself() -> None:
    assert jobs.declared()["catalog.fetch-media"].cron == "* * * * *"
