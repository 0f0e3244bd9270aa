"""Who works in the demo. Each gets a random password; the demo keeps them in a file of 0600 to print them again."""

import os
import secrets
from pathlib import Path

import msgspec

from samlad.access import staff, welcome
from samlad.access.permissions import Role
from samlad.access.staff import StaffInput
from samlad.kernel.context import BACKGROUND
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import NotFound
from samlad.stock import Location

_WORDS = ("amber", "birch", "cedar", "coral", "delta", "ember", "fjord", "grove", "hazel", "ivory", "jasper", "kettle",
          "linen", "maple", "nectar", "olive", "pebble", "quartz", "raven", "saffron", "timber", "umber", "velvet",
          "willow", "yarrow", "zephyr")  # fmt: skip


class SignIn(msgspec.Struct, frozen=True):
    """Somebody to sign in as."""

    email: str
    name: str
    role: str
    password: str


def random_password() -> str:
    """Easy to type, hard to guess: five of 26 words and six digits, about 43 bits."""
    words = "-".join(secrets.choice(_WORDS) for _ in range(5))
    return f"{words}-{secrets.randbelow(10**6):06}"


def _cast(store: Location) -> list[tuple[StaffInput, str]]:
    owner = StaffInput(email="olivia@gift-shop.example", name="Olivia Ekström", roles=[Role.OWNER])
    clerk = StaffInput(
        email="sam@gift-shop.example", name="Sam de Vries", roles=[Role.STORE], locations=[store.id]
    )
    return [(owner, "owner"), (clerk, f"clerk in {store.name}")]


async def hire(database: Database, home: Path, store: Location) -> list[SignIn]:
    """The owner and a clerk of one store, able to sign in; the same ones and the same passwords every time."""
    path = home / "demo-sign-in.json"
    known = (
        {s.email: s for s in msgspec.json.decode(path.read_bytes(), type=list[SignIn])}
        if path.exists()
        else {}
    )
    people = [
        known.get(given.email) or SignIn(given.email, given.name, role, random_password())
        for given, role in _cast(store)
    ]
    if not known:
        # Before they are set: killed in between, the next start sets the same ones.
        _write_private(path, msgspec.json.format(msgspec.json.encode(people)))
    for (given, _), sign_in in zip(_cast(store), people, strict=True):
        await _employ(database, given, sign_in.password)
    return people


async def _employ(database: Database, given: StaffInput, password: str) -> None:
    """Add somebody and set their password through the link that anybody would get; nothing if they work here."""

    async def invited(tx: Tx) -> str | None:
        try:
            person = await staff.by_email(tx, given.email)
        except NotFound:
            return (await staff.invite(tx, given, "http://demo")).link.url
        if person.status != "invited":
            return None
        return (await staff.make_link(tx, person.id, "http://demo")).url

    url = await database.transaction(invited)
    if url is not None:
        token = url.rsplit("/", 1)[-1].rsplit("=", 1)[-1]
        await welcome.accept(database, BACKGROUND, token, password)


def _write_private(path: Path, content: bytes) -> None:
    draft = path.with_name(f"{path.name}.{new_id()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.replace(path)
