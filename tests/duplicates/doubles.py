"""Made-up customers, some of them twice: for tests of duplicates."""

import random
from uuid import UUID

from samlad.duplicates.cards import Raw

GIVEN = [
    "anna",
    "erik",
    "maria",
    "lars",
    "karin",
    "nils",
    "eva",
    "johan",
    "lena",
    "per",
    "ida",
    "olof",
    "sara",
    "mats",
    "lisa",
    "kim",
    "robin",
    "otto",
    "greta",
]
FAMILY = [
    "andersson",
    "berg",
    "lund",
    "holm",
    "ek",
    "dahl",
    "sjö",
    "strand",
    "falk",
    "roos",
    "björk",
    "lind",
    "nyman",
    "olsson",
    "persson",
]
ENDS = ["", "gren", "qvist", "stedt", "blad", "man", "fors", "dal"]
POOL = UUID(int=1)


def customers(people: int, seed: int = 3) -> tuple[list[Raw], set[frozenset[UUID]]]:
    """So many people, a third of them twice and not quite alike; and which two are one."""
    chance = random.Random(seed)
    rows, same = [], set()

    def maybe(share: float, value: str | None) -> str | None:
        return value if chance.random() < share else None

    def slip(text: str) -> str:
        place = chance.randrange(len(text))
        return text[:place] + chance.choice("abdehr") + text[place + 1 :]

    def row(name: str, email: str | None, phone: str | None, street: str | None, code: str) -> Raw:
        address = street and {"line1": street, "postal_code": code, "country": "SE"}
        return Raw(UUID(int=chance.getrandbits(128)), POOL, name, email, phone, "SE", address or None)

    def number() -> str:
        return f"070-{chance.randrange(10**7):07d}"

    for _ in range(people):
        given, family = chance.choice(GIVEN), chance.choice(FAMILY) + chance.choice(ENDS)
        box = f"{chance.choice([given, family, given[:2] + family])}{chance.getrandbits(20)}"
        email = maybe(0.8, f"{box}@{chance.choice(['gmail.com', 'example.org', 'mail.se'])}")
        phone = maybe(0.7, number())
        street, code = maybe(0.6, f"Storgatan {chance.randrange(300)}"), f"{chance.randrange(10000, 10200)}"
        first = row(f"{given} {family}".title(), email, phone, street, code)
        rows.append(first)
        if chance.random() < 0.33:
            written = [f"{given} {family}", f"{family}, {given}", slip(f"{given} {family}")]
            other = row(
                chance.choice(written).upper(),
                email if chance.random() < 0.5 else maybe(0.5, f"{given}{chance.getrandbits(16)}@x.org"),
                phone if chance.random() < 0.6 else maybe(0.5, number()),
                street if chance.random() < 0.7 else maybe(0.5, f"Nygatan {chance.randrange(300)}"),
                code,
            )
            rows.append(other)
            same.add(frozenset({first.id, other.id}))
    return rows, same
