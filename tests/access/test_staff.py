"""Who may change whom; there is always an owner."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from access_browser import PASSWORD, Browser, Browsers, make_staff
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samlad.access import staff
from samlad.access.permissions import Role, permission, permissions_of
from samlad.access.problems import LastOwner
from samlad.access.staff import StaffChange, StaffInput
from samlad.kernel.context import SYSTEM, Actor, Context
from samlad.kernel.database import Database
from samlad.kernel.problems import Conflict, Forbidden, NotFound


@pytest.fixture
async def kim(browser: Browser) -> Browser:
    await make_staff(browser.database)
    await browser.sign_in("kim@example.com")
    return browser


async def test_an_invitation_from_beginning_to_end(kim: Browser, browsers: Browsers) -> None:
    given = {"email": "Sam@Example.com", "name": "Sam", "roles": ["store"], "locations": [str(uuid4())]}
    invited = await kim.post("/api/staff", json=given)
    assert invited.status_code == 201, invited.text
    body = invited.json()
    assert (body["staff"]["email"], body["staff"]["status"]) == ("sam@example.com", "invited")
    assert body["link"]["url"].startswith("http://samlad.test/admin/link/")
    again = await kim.post("/api/staff", json=given)
    assert (again.status_code, again.json()["errors"][0]["field"]) == (409, "email")
    token = body["link"]["url"].rsplit("/", 1)[1]
    async with browsers() as sam:
        assert (await sam.sign_in("sam@example.com", "")).status_code == 401
        look = (await sam.post("/api/links/look", json={"token": token})).json()
        assert (look["purpose"], look["email"], look["name"]) == ("invitation", "sam@example.com", "Sam")
        come = await sam.post(
            "/api/links/accept", json={"token": token, "password": PASSWORD, "name": "Sam Ek"}
        )
        assert come.status_code == 201
        me = (await sam.get("/api/session")).json()
        assert (me["name"], me["locations"]) == ("Sam Ek", given["locations"])
        assert (await sam.get("/api/staff")).status_code == 403
    sam_now = (await kim.get(f"/api/staff/{body['staff']['id']}")).json()
    assert (sam_now["status"], sam_now["has_password"]) == ("active", True)
    types = [row["type"] for row in await kim.database.rows("SELECT type FROM event ORDER BY seq")]
    assert types[-3:] == ["staff.invited", "staff.joined", "staff.signed-in"]
    stored = await kim.database.value("SELECT payload FROM event WHERE type = 'staff.invited'")
    assert "sam@example.com" not in str(stored)


async def test_links_expire_and_new_ones_replace_old_ones(kim: Browser) -> None:
    sam = await make_staff(kim.database, "sam@example.com", Role.STORE)
    tokens = [(await kim.post(f"/api/staff/{sam.id}/link")).json()["url"].rsplit("/", 1)[1] for _ in range(2)]
    assert (await kim.post("/api/links/look", json={"token": tokens[0]})).status_code == 410
    assert (await kim.post("/api/links/look", json={"token": tokens[1]})).status_code == 200
    await kim.database.pool.execute("UPDATE one_time_link SET expires_at = now()")
    assert (await kim.post("/api/links/look", json={"token": tokens[1]})).status_code == 410


async def test_disabling_shuts_out_at_once(kim: Browser, browsers: Browsers) -> None:
    sam = await make_staff(kim.database, "sam@example.com", Role.MANAGER)
    link = (await kim.post(f"/api/staff/{sam.id}/link")).json()["url"].rsplit("/", 1)[1]
    async with browsers() as theirs:
        await theirs.sign_in("sam@example.com")
        assert (await theirs.get("/api/staff")).status_code == 200
        assert (await kim.post(f"/api/staff/{sam.id}/disable")).json()["status"] == "disabled"
        assert (await theirs.get("/api/staff")).status_code == 401
        assert (await theirs.sign_in("sam@example.com")).status_code == 401
        assert (await theirs.post("/api/links/look", json={"token": link})).status_code == 410
        assert (await kim.post(f"/api/staff/{sam.id}/link")).status_code == 409
        assert (await kim.post(f"/api/staff/{sam.id}/enable")).json()["status"] == "active"
        assert (await theirs.sign_in("sam@example.com")).status_code == 201


async def test_changed_roles_count_at_once_and_are_audited(kim: Browser, browsers: Browsers) -> None:
    sam = await make_staff(kim.database, "sam@example.com", Role.MANAGER)
    async with browsers() as theirs:
        await theirs.sign_in("sam@example.com")
        assert (await theirs.get("/api/staff")).status_code == 200
        changed = await kim.patch(f"/api/staff/{sam.id}", json={"roles": ["store"]})
        assert (changed.status_code, changed.json()["roles"]) == (200, ["store"])
        assert (await theirs.get("/api/staff")).status_code == 403
    entries = (
        await kim.get("/api/audit", params={"subject": str(sam.id), "verb": "staff.roles-changed"})
    ).json()
    assert entries["items"][0]["difference"] == "roles: + “store”, − “manager”"


async def test_if_match_guards_against_a_change_meanwhile(kim: Browser) -> None:
    sam = await make_staff(kim.database, "sam@example.com", Role.STORE)
    read = await kim.get(f"/api/staff/{sam.id}")
    etag = read.headers["etag"]
    first = await kim.patch(f"/api/staff/{sam.id}", json={"name": "A"}, headers={"If-Match": etag})
    assert (first.status_code, first.headers["etag"] != etag) == (200, True)
    second = await kim.patch(f"/api/staff/{sam.id}", json={"name": "B"}, headers={"If-Match": etag})
    assert second.status_code == 412


async def test_bad_input_is_told_by_field(kim: Browser) -> None:
    for body in (
        {"email": "nobody", "name": "x", "roles": ["store"]},
        {"email": "a@b.c", "name": "", "roles": ["store"]},
        {"email": "a@b.c", "name": "x", "roles": ["king"]},
        {"email": "a@b.c", "name": "x", "roles": []},
        {"email": "a@b.c", "name": "x\0", "roles": ["store"]},
        {"email": "a\0@b.c", "name": "x", "roles": ["store"]},
        {"email": "a@b.c", "name": "x", "roles": ["store"], "locations": ["here"]},
        {"email": "a@b.c", "name": "x", "roles": ["store"], "is_admin": True},
    ):
        assert (await kim.post("/api/staff", json=body)).status_code in (400, 422), body
    assert (await kim.get(f"/api/staff/{uuid4()}")).status_code == 404
    assert (await kim.patch(f"/api/staff/{uuid4()}", json={"name": "x"})).status_code == 404
    assert (await kim.post("/api/session", json={"email": "a\0@b.c", "password": "x"})).status_code in (
        400,
        422,
    )


def acting(*roles: Role, locations: frozenset[UUID] | None = None) -> Context:
    held = frozenset().union(*(permissions_of(role) for role in roles))
    return Context(actor=Actor(kind="staff", id=uuid4(), permissions=held, locations=locations))


async def test_nobody_deals_with_people_who_may_do_more(db: Database) -> None:
    owner = await make_staff(db, "owner@example.com", password=None)
    clerk = await make_staff(db, "clerk@example.com", Role.STORE, password=None)
    manager = acting(Role.MANAGER)
    for attempt in (
        lambda tx: staff.change(tx, clerk.id, StaffChange(roles=[Role.OWNER])),
        lambda tx: staff.change(tx, owner.id, StaffChange(roles=[Role.STORE])),
        lambda tx: staff.change(tx, owner.id, StaffChange(name="x")),
        lambda tx: staff.disable(tx, owner.id),
        lambda tx: staff.make_link(tx, owner.id, ""),
        lambda tx: staff.reset_second_factor(tx, owner.id),
        lambda tx: staff.end_sessions(tx, owner.id),
        lambda tx: staff.invite(tx, StaffInput(email="x@y.z", name="x", roles=[Role.OWNER]), ""),
    ):
        with pytest.raises(Forbidden):
            await db.transaction(attempt, manager)
    changed = await db.transaction(lambda tx: staff.change(tx, clerk.id, StaffChange(name="Ny")), manager)
    assert changed.name == "Ny"
    with pytest.raises(Forbidden):
        await db.transaction(lambda tx: staff.disable(tx, clerk.id), acting(Role.STORE))


async def test_who_is_bound_to_locations_deals_only_with_people_there(db: Database) -> None:
    here, there = uuid4(), uuid4()
    bound = acting(Role.MANAGER, locations=frozenset({here}))
    at_home = await make_staff(db, "a@example.com", Role.STORE, password=None, locations=[here])
    elsewhere = await make_staff(db, "b@example.com", Role.STORE, password=None, locations=[there])
    everywhere = await make_staff(db, "c@example.com", Role.STORE, password=None)
    await db.transaction(lambda tx: staff.change(tx, at_home.id, StaffChange(name="x")), bound)
    for person in (elsewhere, everywhere):
        with pytest.raises(Forbidden):
            await db.transaction(
                lambda tx, who=person.id: staff.change(tx, who, StaffChange(name="x")), bound
            )
    for locations in ([], [here, there]):
        with pytest.raises(Forbidden):
            await db.transaction(
                lambda tx, to=locations: staff.change(tx, at_home.id, StaffChange(locations=to)), bound
            )


async def test_two_owners_who_remove_each_other_at_once(db: Database) -> None:
    for number in range(8):
        await db.pool.execute("DELETE FROM staff")
        one = await make_staff(db, f"one{number}@example.com", password=None)
        two = await make_staff(db, f"two{number}@example.com", password=None)
        results = await asyncio.gather(
            db.transaction(lambda tx, who=one.id: staff.change(tx, who, StaffChange(roles=[Role.STORE]))),
            db.transaction(lambda tx, who=two.id: staff.disable(tx, who)),
            return_exceptions=True,
        )
        assert sorted(isinstance(result, LastOwner) for result in results) == [False, True], results


ROLE_SETS = st.lists(
    st.sampled_from([Role.OWNER, Role.MANAGER, Role.STORE]), min_size=1, max_size=2, unique=True
)
PEOPLE = st.integers(0, 3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("roles"), PEOPLE, ROLE_SETS),
        st.tuples(st.just("bind"), PEOPLE, st.booleans()),
        st.tuples(st.just("disable"), PEOPLE, st.none()),
        st.tuples(st.just("enable"), PEOPLE, st.none()),
    ),
    max_size=14,
)
PLACE = uuid4()


class Model:
    """What should be: of each person roles, whether active, whether bound."""

    def __init__(self) -> None:
        self.people: list[dict[str, Any]] = [
            {"roles": {Role.OWNER} if number == 0 else {Role.STORE}, "active": True, "bound": False}
            for number in range(4)
        ]

    def owners(self) -> int:
        return sum(p["active"] and not p["bound"] and Role.OWNER in p["roles"] for p in self.people)

    def apply(self, step: str, person: int, value: Any) -> bool:
        """Do it if an owner stays; whether it was done."""
        before = dict(self.people[person])
        match step:
            case "roles":
                self.people[person]["roles"] = set(value)
            case "bind":
                self.people[person]["bound"] = value
            case _:
                self.people[person]["active"] = step == "enable"
        if self.owners():
            return True
        self.people[person] = before
        return False


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_whatever_is_done_an_owner_stays(db: Database, steps: list[Any]) -> None:
    await db.pool.execute("DELETE FROM staff")
    model = Model()
    ids = []
    for number, person in enumerate(model.people):
        made = await make_staff(db, f"p{number}@example.com", *person["roles"], password=None)
        await db.pool.execute("UPDATE staff SET password_hash = 'x' WHERE id = $1", made.id)
        ids.append(made.id)
    for step, person, value in steps:
        expected = model.apply(step, person, value)
        target = ids[person]
        verbs = {
            "roles": lambda tx, t=target, v=value: staff.change(tx, t, StaffChange(roles=v)),
            "bind": lambda tx, t=target, v=value: staff.change(
                tx, t, StaffChange(locations=[PLACE] if v else [])
            ),
            "disable": lambda tx, t=target: staff.disable(tx, t),
            "enable": lambda tx, t=target: staff.enable(tx, t),
        }
        try:
            await db.transaction(verbs[step], Context(actor=SYSTEM))
            done = True
        except LastOwner:
            done = False
        assert done == expected, (step, person, value)
    found = await staff.everybody(db)
    assert [
        (set(p.roles), p.status == "active", bool(p.locations)) for p in sorted(found, key=lambda p: p.email)
    ] == [(set(map(str, p["roles"])), p["active"], p["bound"]) for p in model.people]


async def test_by_email(db: Database) -> None:
    made = await make_staff(db, "kim@example.com", password=None)
    assert (await staff.by_email(db, " KIM@example.com ")).id == made.id
    with pytest.raises(NotFound):
        await staff.by_email(db, "nobody@example.com")
    with pytest.raises(Conflict):
        await make_staff(db, "KIM@example.com", password=None)


async def test_roles_and_permissions_are_listed(kim: Browser, browsers: Browsers) -> None:
    roles = {role["role"]: role["permissions"] for role in (await kim.get("/api/roles")).json()}
    assert set(roles) == set(Role)
    known = {entry["name"]: entry for entry in (await kim.get("/api/permissions")).json()}
    assert sorted(known) == roles["owner"]
    assert known["staff.write"]["roles"] == ["manager", "owner"]
    async with browsers() as stranger:
        assert (await stranger.get("/api/roles")).status_code == 401
        assert (await stranger.get("/api/permissions")).status_code == 401


def test_a_permission_is_declared_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        permission("staff.read", "again")


async def test_the_list_is_filtered_sorted_and_exported(kim: Browser) -> None:
    await make_staff(kim.database, "anna@example.com", Role.STORE, password=None)
    await kim.database.pool.execute("UPDATE staff SET name = 'Anna Å' WHERE email LIKE 'anna%'")

    async def emails(**filters: str) -> list[str]:
        answer = await kim.get("/api/staff", params=filters)
        return [person["email"] for person in answer.json()["items"]]

    assert await emails() == ["anna@example.com", "kim@example.com"]
    assert await emails(sort="-name") == ["kim@example.com", "anna@example.com"]
    assert await emails(role="store,support") == ["anna@example.com"]
    assert await emails(q="ANNA") == ["anna@example.com"]
    assert await emails(status="disabled") == []
    file = await kim.get("/api/staff", params={"format": "csv"})
    assert file.headers["content-type"].startswith("text/csv")
    assert "anna@example.com" in file.text
