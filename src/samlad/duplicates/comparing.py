"""What is compared of customers, and the model that comes with Samlad until a pool has one of its own."""

from samlad.duplicates.model import Comparison, Condition, Level, Model, Test

FIELDS = ("given", "family", "name", "email", "mailbox", "phone", "street", "postcode", "address")
"""What a card has of a customer."""
STRONG = frozenset({"email", "phone", "address"})
"""Comparisons that are independent of each other and hard to share by chance."""


def same(field: str) -> Condition:
    """Both have the same."""
    return Condition(test=Test.SAME, field=field)


def similar(field: str, limit: float) -> Condition:
    """Both have nearly the same."""
    return Condition(test=Test.SIMILAR, field=field, limit=limit)


def near(field: str, limit: int) -> Condition:
    """At most so many letters are to be changed: a slip of the finger."""
    return Condition(test=Test.NEAR, field=field, limit=limit)


def _name(field: str, other: str, *, exact: tuple[float, float], rest: tuple[float, float]) -> Comparison:
    crossed = Condition(test=Test.CROSSED, field=field, other=other)
    return Comparison(
        name=field,
        field=field,
        levels=(
            Level(name="same", m=exact[0], u=exact[1], conditions=(same(field),), frequency=field),
            Level(name="swapped", m=0.01, u=0.0005, conditions=(crossed,)),
            Level(name="similar", m=0.05, u=0.006, conditions=(similar(field, 0.88),)),
            Level(name="different", m=rest[0], u=rest[1]),
        ),
    )


DEFAULT = Model(
    prior=0.0001,
    comparisons=(
        _name("given", "family", exact=(0.86, 0.01), rest=(0.08, 0.9835)),
        _name("family", "given", exact=(0.84, 0.004), rest=(0.10, 0.9895)),
        Comparison(
            name="email",
            field="email",
            levels=(
                Level(name="same", m=0.55, u=0.000001, conditions=(same("email"),)),
                Level(name="same-mailbox", m=0.10, u=0.0004, conditions=(same("mailbox"),)),
                Level(name="similar", m=0.05, u=0.00002, conditions=(near("email", 1),)),
                Level(name="different", m=0.30, u=0.999579),
            ),
        ),
        Comparison(
            name="phone",
            field="phone",
            levels=(
                Level(name="same", m=0.60, u=0.000003, conditions=(same("phone"),)),
                Level(name="similar", m=0.03, u=0.00001, conditions=(near("phone", 1),)),
                Level(name="different", m=0.37, u=0.999987),
            ),
        ),
        Comparison(
            name="address",
            field="address",
            levels=(
                Level(name="same", m=0.55, u=0.00002, conditions=(same("address"),)),
                Level(
                    name="similar",
                    m=0.12,
                    u=0.00002,
                    conditions=(same("postcode"), similar("street", 0.85)),
                ),
                Level(name="same-postcode", m=0.05, u=0.002, conditions=(same("postcode"),)),
                Level(name="different", m=0.28, u=0.99796),
            ),
        ),
    ),
)
"""Rough figures of a shop's customers, so that the first hundred are helped too. A duplicate has what the other has more
often than not; people who are not one hardly ever share an address or a number."""

BLOCKS: tuple[tuple[str, ...], ...] = (
    ("email",),
    ("phone",),
    ("name",),
    ("mailbox",),
    ("address",),
    ("family", "postcode"),
    ("given", "postcode"),
)
"""Only people who have the same in all fields of one of these are compared at all."""
TRAINING = (("email",), ("phone",), ("address",))
"""What pairs have in common from which is learnt how often the rest agrees: each teaches what it does not hold fixed. Not
names: where many are called Anna Andersson, most who share a name are two people, and that is what would be learnt."""
CERTAIN = (("email", "name"), ("phone", "name"), ("address", "name"))
"""Who agrees in one of these is one person nearly always, and …"""
CERTAIN_RECALL = 0.6
"""… so many of those who are one do: gives the prior."""
LARGEST_BLOCK = 200
"""What more people have in common than this finds nobody: a company's phone, a block of flats."""
