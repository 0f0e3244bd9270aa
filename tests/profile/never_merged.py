"""People with a life of their own, and for each a twin who lives the same and is never merged with anybody: the oracle."""

import itertools
import random
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec

import horizon
from samlad import consent, credit, customers, identity, profile
from samlad.app import FOLLOWERS
from samlad.audiences import segments
from samlad.audiences.conditions import Condition
from samlad.audiences.model import NewSegment
from samlad.carts import CartInput, LineInput, create, wish
from samlad.channels import Resource
from samlad.consent import AnswerInput, Level
from samlad.consent import rules as consent_rules
from samlad.credit import PointsInput, ProgrammeInput
from samlad.customers import NoteInput, PersonInput, TagsInput
from samlad.identity import MergeInput, SplitInput, deciding, ruling
from samlad.identity.model import AuthLevel, Identifier, Kind, Rules, Sighting
from samlad.identity.views import RulesInput
from samlad.kernel import followers
from samlad.kernel.clock import now
from samlad.kernel.context import SYSTEM, Actor, Context
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import Problem
from trade import BUYER, Trade

MINE = ("identity", "order-sums", "order-payments", "credit", "audiences", "audiences.build")
SEGMENTS: dict[str, dict[str, Any]] = {
    "vip": {"kind": "tagged", "tags": ["vip"]},
    "rich": {"kind": "points", "at_least": 60},
    "buyers": {"kind": "orders", "at_least": 2},
    "asked": {"kind": "consent", "purpose": "email_marketing"},
    "refused": {"kind": "consent", "purpose": "email_marketing", "answer": "denied"},
}
PURPOSE = "email_marketing"


class Life(msgspec.Struct):
    """What somebody has, however it is spread over customers: comparable, and it adds up."""

    notes: Counter[str]
    tags: set[str]
    carts: Counter[str]
    put: Counter[str]
    orders: Counter[int]
    timeline: Counter[str]
    identities: Counter[str]
    points: int

    def __add__(self, other: "Life") -> "Life":
        return Life(
            self.notes + other.notes,
            self.tags | other.tags,
            self.carts + other.carts,
            self.put + other.put,
            self.orders + other.orders,
            self.timeline + other.timeline,
            self.identities + other.identities,
            self.points + other.points,
        )


class World:
    """A shop where people live, are merged and are taken apart."""

    def __init__(self, trade: Trade) -> None:
        self.trade, self.db = trade, trade.db
        self.pool: UUID = trade.web.pools[Resource.CUSTOMERS]
        self.numbers = itertools.count(1)
        self.segments: dict[str, UUID] = {}
        self.pairs: list[tuple[UUID, UUID]] = []
        self.decisions: list[UUID] = []
        self.shared: list[str] = []
        self.as_one: list[set[UUID]] = []
        """Who put things into carts while they were one."""

    async def open(self) -> None:
        """What the shop has before anybody comes."""
        plain, part = [await self.trade.kettle(price=10_000, quantity=100_000) for _ in range(2)]
        milk = await self.trade.kettle(price=2_000, quantity=0)
        await self.trade.by_lot(milk, SOON=50, LATE=50_000)
        self.goods = [plain, await self.trade.set_of(15_000, (part, 2), (plain, 1)), milk]
        given = {
            "channel": str(self.trade.web.id),
            "name": "Club",
            "rates": [{"currency": "SEK", "spend": 1_000, "points": 1}],
        }
        await self.db.transaction(lambda tx: credit.set_programme(tx, msgspec.convert(given, ProgrammeInput)))
        # Eight people with an address each are more than a person may have as it comes: their links would be left out.
        rules = RulesInput(channel=self.trade.web.id, rules=Rules(limits={Kind.EMAIL: 1000}))
        drafted = await self.db.transaction(lambda tx: ruling.draft(tx, rules))
        assert drafted.id is not None
        await self.db.transaction(lambda tx: ruling.activate(tx, drafted.id))
        for name, definition in SEGMENTS.items():
            data = NewSegment(
                channel=self.trade.web.id, name=name, definition=msgspec.convert(definition, Condition)
            )
            made = await self.db.transaction(lambda tx, one=data: segments.create(tx, one))
            self.segments[name] = made.id

    async def people(self, count: int) -> None:
        """So many people, each with a twin; nobody has anything yet."""
        self.pairs, self.decisions, self.shared, self.as_one = [], [], [], []
        for _ in range(count):
            both = [await self._person() for _ in range(2)]
            self.pairs.append((both[0], both[1]))
        await self.follow()

    async def _person(self) -> UUID:
        given = PersonInput(email=f"{uuid4().hex}@example.org", name="Kim")
        made = await self.db.transaction(lambda tx: customers.find_or_create(tx, self.pool, given))
        await self.db.transaction(lambda tx: credit.enrol(tx, made.id))
        return made.id

    async def follow(self) -> None:
        """Let followers catch up until there is nothing more to do."""
        chosen = [each for each in FOLLOWERS if each.name in MINE]
        await followers.register(self.db, chosen)
        handled = True
        while handled:
            handled = False
            for follower in chosen:
                await horizon.passed(self.db)
                while await followers.step(self.db, follower):
                    handled = True
        failed = await self.db.rows("SELECT name, last_error FROM follower WHERE last_error IS NOT NULL")
        assert [dict(row) for row in failed] == []

    # -- what people do: always both, a person and their twin ------------------------------------------------------------

    async def both(self, who: int, verb: Any) -> None:
        for customer in self.pairs[who % len(self.pairs)]:
            await self.db.transaction(lambda tx, one=customer: verb(tx, one))

    async def notes(self, who: int) -> None:
        text = f"note {next(self.numbers)}"
        await self.both(who, lambda tx, one: customers.add_note(tx, one, NoteInput(text=text)))

    async def tags(self, who: int, tag: str) -> None:
        await self.both(who, lambda tx, one: customers.tag(tx, one, TagsInput(tags=[tag])))

    async def points(self, who: int, points: int) -> None:
        await self.both(who, lambda tx, one: credit.adjust(tx, one, PointsInput(points=points, reason="x")))

    async def answers(self, who: int, answer: str, level: int, days_ago: float) -> None:
        at, number = now() - timedelta(days=days_ago), next(self.numbers)
        said = AnswerInput(
            purpose=PURPOSE, answer=consent.Answer(answer), answered_at=at, event_id=f"a{number}"
        )
        await self.both(
            who, lambda tx, one: consent.record(tx, one, [said], level=Level(level), source="staff")
        )

    async def browses(self, who: int) -> None:
        number, at = next(self.numbers), now()
        for twin, customer in enumerate(self.pairs[who % len(self.pairs)]):
            told = self._seen(customer, Identifier(Kind.ANONYMOUS, f"browser-{number}-{twin}"), at, number)
            await self.db.transaction(lambda tx, one=told: identity.observe(tx, [one]))

    def _seen(self, customer: UUID, other: Identifier, at: Any, number: int) -> Sighting:
        return Sighting(
            pool=self.pool,
            source="test",
            event_id=f"{number} {customer}",
            observed_at=at,
            received_at=at,
            auth=AuthLevel.AUTHENTICATED,
            identifiers=[Identifier(Kind.CUSTOMER, str(customer)), other],
        )

    async def fills_a_cart(self, who: int, quantity: int, what: int = 0) -> None:
        """A cart of their own: something plain, a set, or something by lot. While they are merged a person has one live cart, and what is put in then is the person's:
        it stays where it was put, so that of those who shopped as one only all together can be told."""
        line = LineInput(variant=self.goods[what], quantity=quantity)
        data = CartInput(channel=self.trade.web.id, lines=[line])
        await self._shops(who, lambda tx: create(tx, data))

    async def wishes(self, who: int, what: int = 0) -> None:
        """Something on the wish list, which is one list while they are one. What is there already stays as it is."""
        line = LineInput(variant=self.goods[what], quantity=1)
        await self._shops(who, lambda tx: wish(tx, self.trade.web.id, line))

    async def _shops(self, who: int, verb: Any) -> None:
        mine = self.pairs[who % len(self.pairs)]
        for customer in mine:
            await self.db.transaction(verb, Context(actor=Actor(kind="customer", id=customer)))
        ours = set(await customers.members(self.db, mine[0])) & {person for person, _ in self.pairs}
        joined = [each for each in self.as_one if each & ours]
        self.as_one = [each for each in self.as_one if each not in joined]
        if len(ours) > 1:
            self.as_one.append(ours.union(*joined))
        else:
            self.as_one.extend(joined)

    async def buys(self, who: int, what: int = 0) -> None:
        for customer in self.pairs[who % len(self.pairs)]:
            email = await self.db.value("SELECT email FROM customer WHERE id = $1", customer)
            cart = await self.trade.cart((self.goods[what], 1), **BUYER | {"email": email})
            await self.trade.place(cart.id)

    # -- who is who: only the people, never their twins --------------------------------------------------------------------

    async def merged_by_hand(self, one: int, other: int) -> None:
        two = [self.pairs[each % len(self.pairs)][0] for each in (one, other)]
        await self._decide(lambda tx: deciding.merge(tx, MergeInput(profiles=two, reason="x")))

    async def merged_by_rules(self, one: int, other: int, days_ago: float) -> None:
        """Both are seen with one e-mail address; which was told first says nothing."""
        number, address = next(self.numbers), f"shared-{uuid4().hex}@example.org"
        at = now() - timedelta(days=days_ago)
        told = [
            self._seen(self.pairs[each % len(self.pairs)][0], Identifier(Kind.EMAIL, address), at, number)
            for each in (one, other)
        ]
        for sighting in random.Random(number).sample(told, 2):
            await self.db.transaction(lambda tx, each=sighting: identity.observe(tx, [each]))
        self.shared.append(address)

    async def taken_apart(self, who: int) -> None:
        """A pin: somebody is another person than those they were merged with."""
        customer = self.pairs[who % len(self.pairs)][0]
        if len(await customers.members(self.db, customer)) < 2:
            return  # what would leave is their own
        given = SplitInput(profile=customer, identifiers=[customer], reason="x")
        await self._decide(lambda tx: identity.split(tx, given))

    async def undone(self, which: int) -> None:
        if self.decisions:
            decision = self.decisions.pop(which % len(self.decisions))
            await self.db.transaction(lambda tx: identity.undo(tx, decision, "x"))

    async def nothing_shared(self) -> None:
        """Block what the rules merged by, and take back what was decided: as if nobody had ever been merged."""
        while self.decisions:
            await self.undone(0)
        rows = await self.db.rows("SELECT id FROM identity_node WHERE value = ANY ($1)", self.shared)
        for row in rows:
            await self.db.transaction(lambda tx, node=row["id"]: deciding.block(tx, node, "x"))
        self.shared.clear()

    async def _decide(self, verb: Any) -> None:
        try:
            made = await self.db.transaction(verb)
        except Problem:
            return
        self.decisions.append(made.id)

    # -- what they have ------------------------------------------------------------------------------------------------------

    async def compare(self) -> None:
        """Each person has what the twins of all who they are have together; nobody has anything else."""
        await self.follow()
        mine = [person for person, _ in self.pairs]
        stands = {person: await customers.resolve(self.db, person) for person in mine}
        twins = dict(self.pairs)
        members = {
            name: {
                row["person"]
                for row in await self.db.rows("SELECT person FROM segment_member WHERE segment = $1", each)
            }
            for name, each in self.segments.items()
        }
        purpose = next(each for each in await consent.purposes(self.db) if each.code == PURPOSE)
        lives = {twin: await self.life(twin) for _, twin in self.pairs}
        said = {twin: (await consent.given(self.db, twin)).entries for _, twin in self.pairs}
        for head in sorted(set(stands.values())):
            group = [twins[person] for person in mine if stands[person] == head]
            expected = lives[group[0]]
            for twin in group[1:]:
                expected = expected + lives[twin]
            found = await self.life(head)
            found.identities = Counter(
                {kind: count for kind, count in found.identities.items() if kind != "shared"}
            )
            for part in set(Life.__struct_fields__) - {"carts", "put"}:
                one, other = getattr(found, part), getattr(expected, part)
                assert one == other, (part, head, len(group), one, other)
            entries = [entry for twin in group for entry in said[twin]]
            holds = consent_rules.standing(entries, purpose, now()).is_allowed
            standing = (await consent.given(self.db, head)).standing
            assert next(each for each in standing if each.purpose == PURPOSE).is_allowed == holds
            denied = any(entry.answer == consent.Answer.DENIED for entry in entries)
            should = {
                "vip": "vip" in expected.tags,
                "rich": expected.points >= 60,
                "buyers": expected.orders.total() >= 2,
                "asked": holds,
                "refused": denied and not holds,
            }
            assert {name: head in people for name, people in members.items()} == should
        await self._compare_carts(stands, twins, lives)

    async def _compare_carts(
        self, stands: dict[UUID, UUID | None], twins: dict[UUID, UUID], lives: dict[UUID, Life]
    ) -> None:
        """What is in carts and on lists, of those together who were or are one."""
        groups: list[set[UUID]] = [{p for p in stands if stands[p] == head} for head in set(stands.values())]
        for mixed in self.as_one:
            touched = [group for group in groups if group & mixed]
            groups = [group for group in groups if group not in touched] + [set().union(*touched)]
        for group in groups:
            found = [
                await self.life(head) for head in {stands[person] for person in group} if head is not None
            ]
            held, put = _together(found)
            expected, expected_put = _together([lives[twins[person]] for person in group])
            # Of a wish list that was one while they were, a thing is wished once by all of them; what the log tells of it
            # is what is on it.
            if any(group & mixed for mixed in self.as_one):
                expected["wish"] = expected_put["wish"] = held["wish"]
            assert (held, put) == (expected, expected_put), ("units, and those by the events of carts", group)

    async def life(self, customer: UUID) -> Life:
        found = await profile.read(self.db, SYSTEM, customer)
        scope = await profile.scope_of(self.db, SYSTEM, customer)
        rows: list[profile.TimelineRow] = []
        cursor: str | None = None
        while cursor is not None or not rows:
            page = await profile.TIMELINE.page(self.db, ListQuery(limit=200, cursor=cursor), *scope)
            rows, cursor = [*rows, *page.items], page.next_cursor
            if cursor is None:
                break
        # The profile shows the newest twenty of each; all of them count here.
        members = found.customers
        carts = await self.db.rows(
            """SELECT id, kind, (SELECT coalesce(sum(quantity), 0) FROM cart_line WHERE cart = cart.id) AS units
               FROM cart WHERE customer = ANY ($1) AND status IN ('open', 'checkout', 'parked')""",
            members,
        )
        orders = await self.db.rows("SELECT total FROM orders WHERE customer = ANY ($1)", members)
        assert len(found.carts) == min(20, len(carts))
        assert len(found.orders) == min(20, len(orders))
        known = await identity.read(self.db, customer)
        loyalty = await credit.view(self.db, customer)
        return Life(
            notes=Counter(note.text for note in found.notes),
            tags=set(found.tags),
            carts=_sums(carts),
            put=await self._put(rows),
            orders=Counter(row["total"] for row in orders),
            timeline=Counter(row.type for row in rows if self._is_theirs(row.type)),
            identities=Counter(
                "shared" if each.value.startswith("shared-") else str(each.kind) for each in known.identifiers
            ),
            points=loyalty.points if loyalty is not None else 0,
        )

    async def _put(self, rows: list[profile.TimelineRow]) -> Counter[str]:
        """Units by kind of cart, as the log tells them."""
        told = [row for row in rows if row.type == "cart.line_changed"]
        found = await self.db.rows(
            "SELECT id, kind FROM cart WHERE id = ANY ($1)", [row.subject for row in told]
        )
        kinds = {row["id"]: row["kind"] for row in found}
        put: Counter[str] = Counter()
        for row in told:
            assert row.facts is not None
            put[kinds[row.subject]] += row.facts["quantity"] - row.facts["quantity_before"]
        return put

    def _is_theirs(self, kind: str) -> bool:
        """Who shopped as one has one list, which one of them began: then only what is in carts is compared."""
        return not (_of_identity(kind) or (self.as_one and kind.startswith("cart.")))


def _together(lives: list[Life]) -> tuple[Counter[str], Counter[str]]:
    """Units in the carts of all of these by kind, and those that the log tells of."""
    return (
        sum((life.carts for life in lives), Counter[str]()),
        sum((life.put for life in lives), Counter[str]()),
    )


def _sums(carts: list[Any]) -> Counter[str]:
    found: Counter[str] = Counter()
    for row in carts:
        found[row["kind"]] += int(row["units"])
    return found


def _of_identity(kind: str) -> bool:
    """What the merging itself tells, and who comes into and leaves segments by it."""
    return kind.split(".")[0] in ("identity", "profile", "segment", "duplicates")
