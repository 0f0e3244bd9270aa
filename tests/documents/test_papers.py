"""Papers of many orders: made part by part, once, also when the job is killed or two go on at once; had by whoever may."""

import asyncio
import io
import re
import zipfile

import pypdf
import pytest

from samlad import orders
from samlad.access.permissions import Role, permissions_of
from samlad.documents import IssueInput, PaperInput, issue, papers, papers_store
from samlad.kernel.context import Actor, Context
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, NotFound
from samlad.orders import fulfilment
from samlad.orders.fulfilment_model import LabelInput
from trade import Trade, build

PEOPLE = {"accept": "text/html"}


def as_staff(role: Role = Role.MANAGER, *, at=None) -> Context:
    return Context(
        actor=Actor(
            kind="staff",
            id=new_id(),
            name="Sam",
            permissions=permissions_of(role),
            locations=None if at is None else frozenset({at}),
        )
    )


@pytest.fixture
async def trade(db) -> Trade:
    return await build(db)


async def taken(trade: Trade, actor: Actor, run) -> tuple[str, bytes]:
    _, name, pieces = await papers.download(trade.db, actor, run)
    return name, b"".join([piece async for piece in pieces])


async def test_invoices_come_part_by_part_each_once(trade: Trade, monkeypatch) -> None:
    monkeypatch.setattr(papers, "AT_ONCE", 2)
    sam, kettle = as_staff(), await trade.kettle()
    placed = [await trade.buy((kettle, 1)) for _ in range(6)]
    numbers = []
    for order in placed[:5]:
        (made,) = await trade.db.transaction(lambda tx, order=order: issue(tx, order.id, IssueInput()))
        numbers.append(made.number)

    async def ask(**fields):
        data = PaperInput(**{"what": "invoices", "orders": [order.id for order in placed], **fields})
        return await trade.db.transaction(lambda tx: papers.ask(tx, data), sam)

    run = (await ask(id=new_id(), form="zip")).id
    assert (await ask(id=run, form="zip")).total == 6  # asked twice
    assert (
        await trade.db.value("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'documents.papers'")
        == 1
    )

    # Killed in the second part: the first is kept, nothing of the second.
    kept, counted = papers_store.keep, iter(range(99))

    async def dies(*args):
        if next(counted) == 1:
            raise RuntimeError("killed")
        return await kept(*args)

    with monkeypatch.context() as patch:
        patch.setattr(papers_store, "keep", dies)
        with pytest.raises(RuntimeError):
            await papers.go_on(trade.db, run)
    half = await papers.get(trade.db, sam.actor, run)
    assert (half.state, half.done, half.files) == ("running", 2, 2)
    with pytest.raises(Conflict):
        await papers.download(trade.db, sam.actor, run)

    await asyncio.gather(*(papers.go_on(trade.db, run) for _ in range(2)))  # two at once
    done = await papers.get(trade.db, sam.actor, run)
    assert (done.state, done.done, done.left_out, done.files) == ("ready", 5, 1, 5)
    (left,) = await papers_store.left_out(trade.db, run)
    assert (left.order_id, left.reason) == (placed[5].id, papers.NO_INVOICE)
    name, content = await taken(trade, sam.actor, run)
    assert name.endswith(".zip")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {f"invoice-{number}.pdf" for number in numbers}

    # One PDF of all parts, in the order in which they were chosen.
    bound = (await ask()).id
    await papers.go_on(trade.db, bound)
    assert (await papers.get(trade.db, sam.actor, bound)).files == 1
    name, content = await taken(trade, sam.actor, bound)
    assert name.endswith(".pdf")
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)
    found = [number for number in re.findall(r"\S+", text) if number in numbers]
    assert list(dict.fromkeys(found)) == numbers

    # Kept for three days.
    await trade.db.rows(
        "UPDATE paper_run SET ended_at = ended_at - interval '73 hours' WHERE id = $1 RETURNING 1", run
    )
    await papers_store.forget_old(trade.db)
    with pytest.raises(Conflict):
        await papers.download(trade.db, sam.actor, run)
    assert (await taken(trade, sam.actor, bound))[1] == content
    types = [row["type"] for row in await trade.db.rows("SELECT type FROM event WHERE type LIKE 'papers.%'")]
    assert sorted(types) == ["papers.asked", "papers.asked", "papers.made", "papers.made"]


async def test_slips_and_labels_are_of_what_is_here_for_whoever_may(trade: Trade) -> None:
    kettle = await trade.kettle()
    here, gone = [await trade.buy((kettle, 1)) for _ in range(2)]
    store = as_staff(Role.STORE, at=trade.at_malmo.id)
    sam = as_staff()
    await trade.db.transaction(lambda tx: orders.fulfil(tx, gone.id, orders.FulfilInput()))

    async def made(what: str, who: Context = sam, **fields):
        data = PaperInput(what=what, **(fields or {"filters": {"kind": "sale"}}))
        run = await trade.db.transaction(lambda tx: papers.ask(tx, data), who)
        await papers.go_on(trade.db, run.id)
        return await papers.get(trade.db, who.actor, run.id)

    slips = await made("packing_slips")
    assert (slips.total, slips.done, slips.left_out) == (2, 1, 1)
    assert (
        here.number
        in pypdf.PdfReader(io.BytesIO((await taken(trade, sam.actor, slips.id))[1])).pages[0].extract_text()
    )
    labels = await made("labels")
    assert (labels.done, labels.left_out, labels.files) == (0, 2, 0)
    with pytest.raises(Conflict):
        await papers.download(trade.db, sam.actor, labels.id)

    (part,) = await trade.db.rows(
        "UPDATE fulfilment SET state = 'packed' WHERE order_id = $1 RETURNING id", here.id
    )
    number = (await trade.db.transaction(lambda tx: fulfilment.label(tx, part["id"], LabelInput()))).tracking
    labels = await made("labels", form="zip", orders=[here.id])
    with zipfile.ZipFile(io.BytesIO((await taken(trade, sam.actor, labels.id))[1])) as archive:
        (name,) = archive.namelist()
        assert name == f"label-{here.number}-1.pdf"
        assert number in pypdf.PdfReader(io.BytesIO(archive.read(name))).pages[0].extract_text()

    # Staff of a store have nothing of other locations, and do not see what others asked for.
    with pytest.raises(Conflict):
        await made("packing_slips", store, orders=[here.id])
    with pytest.raises(NotFound):
        await papers.get(trade.db, store.actor, slips.id)
    nobody = Context(actor=Actor(kind="staff", id=new_id(), permissions=frozenset({"orders.read"})))
    with pytest.raises(Forbidden):
        await made("invoices", nobody)
    reader = Context(
        actor=Actor(kind="staff", id=new_id(), permissions=frozenset({"orders.read", "documents.read"}))
    )
    with pytest.raises(Forbidden):
        await made("labels", reader)
    for wrong in ({"orders": [here.id], "filters": {}}, {"filters": {"rubbish": "1"}}, {}):
        data = PaperInput(what="invoices", **wrong)
        with pytest.raises(InvalidInput):
            await trade.db.transaction(lambda tx, data=data: papers.ask(tx, data), sam)

    # Stopped, it makes nothing more.
    data = PaperInput(what="packing_slips", orders=[here.id])
    run = await trade.db.transaction(lambda tx: papers.ask(tx, data), sam)
    for _ in range(2):
        stopped = await trade.db.transaction(lambda tx: papers.stop(tx, run.id), sam)
    await papers.go_on(trade.db, run.id)
    assert (stopped.state, (await papers.get(trade.db, sam.actor, run.id)).done) == ("stopped", 0)


async def test_papers_are_asked_for_at_the_desk_and_over_http(api, trade: Trade) -> None:
    order = await trade.buy((await trade.kettle(), 1))
    page = (await api.get("/admin/orders", headers=PEOPLE)).text
    form = {
        "bulk": re.search(r'name="bulk" value="([^"]+)"', page)[1],
        "selection": "",
        "papers": "packing_slips.pdf",
    }
    nothing = await api.post("/admin/orders/papers", data=form, headers=PEOPLE, follow_redirects=True)
    assert "Choose at least one order." in nothing.text
    rubbish = {**form, "papers": "x.y", "everything": "1"}
    assert (
        "Please say what is to be made."
        in (await api.post("/admin/orders/papers", data=rubbish, headers=PEOPLE, follow_redirects=True)).text
    )
    places = {
        (await api.post("/admin/orders/papers", data={**form, "id": str(order.id)}, headers=PEOPLE)).headers[
            "location"
        ]
        for _ in range(2)
    }
    (place,) = places
    assert "0 / 1" in (await api.get(place, headers=PEOPLE)).text
    run = place.rpartition("/")[2]
    assert (await api.get(f"/api/paper-runs/{run}/file")).status_code == 409
    await papers.go_on(trade.db, run)
    assert f"{place}/file" in (await api.get(place, headers=PEOPLE)).text
    assert place in (await api.get("/admin/orders/papers", headers=PEOPLE)).text
    for path in (f"{place}/file", f"/api/paper-runs/{run}/file"):
        file = await api.get(path)
        assert file.headers["content-type"] == "application/pdf"
        assert file.content.startswith(b"%PDF")
    asked = await api.post(
        "/api/paper-runs", json={"what": "invoices", "form": "zip", "orders": [str(order.id)]}
    )
    assert (asked.status_code, asked.json()["state"]) == (202, "running")
    stopped = await api.post(f"/api/paper-runs/{asked.json()['id']}/stop")
    assert stopped.json()["state"] == "stopped"
    assert len((await api.get("/api/paper-runs?state=stopped")).json()["items"]) == 1
