"""The verbs of loyalty. A programme belongs to a pool of customers, so that points and tier are the same everywhere in it."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from samlad import channels, customers
from samlad.access import audit
from samlad.channels import Resource
from samlad.credit import book, codes, earning, events, gift_cards, loyalty_store, rules, store_credit
from samlad.credit.book import Leg
from samlad.credit.model import (
    POINTS_UNIT,
    AccountKind,
    CardStatus,
    Member,
    MemberView,
    NoProgramme,
    NotEnoughPoints,
    Origin,
    PointsInput,
    Programme,
    ProgrammeInput,
    RedeemInput,
    Reward,
    Rewarded,
    RewardKind,
)
from samlad.credit.permissions import GRANT, ISSUE, PAY, PROGRAMME
from samlad.kernel import cards, log
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.money import currencies
from samlad.kernel.problems import Conflict, FieldError, InvalidInput, NotFound
from samlad.stock import reach


async def set_programme(tx: Tx, data: ProgrammeInput, *, version: int | None = None) -> Programme:
    """Set the programme of a channel's pool of customers. New rules hold for what is earned from now on.

    Raises:
        InvalidInput: something twice, or an unknown currency. Outdated: somebody changed it since ``version``.
    """
    tx.actor.require(PROGRAMME)
    try:
        channel = await channels.cached(tx, data.channel)
    except NotFound:
        raise InvalidInput.at("channel", "there is no such channel") from None
    _check(data)
    pool = channel.pools[Resource.CUSTOMERS]
    before = await loyalty_store.lock_programme(tx, pool)
    check_version(version, before.version if before else 0)
    values = {name: value for name, value in msgspec.to_builtins(data).items() if name != "channel"}
    programme = await loyalty_store.put_programme(
        tx, {"id": before.id if before else new_id(), "pool": pool, **values}
    )
    assert programme is not None
    fact = events.ProgrammeChanged(pool=pool, version=programme.version)
    log.append(tx, fact, subject=programme.id, channel=channel.id)
    audit.record(
        tx, "loyalty.programme-changed", "loyalty-programme", programme.id, before=before, after=programme
    )
    return programme


def _check(data: ProgrammeInput) -> None:
    faults = []
    for field, names in (
        ("rates", [rate.currency for rate in data.rates]),
        ("tiers", [tier.code for tier in data.tiers]),
        ("rewards", [reward.code for reward in data.rewards]),
    ):
        faults += [
            FieldError(f"{field}/{index}", f"“{name}” is there twice")
            for index, name in enumerate(names)
            if name in names[:index]
        ]
    used = [("rates", index, rate.currency) for index, rate in enumerate(data.rates)]
    used += [("rewards", index, reward.currency) for index, reward in enumerate(data.rewards)]
    faults += [
        FieldError(f"{field}/{index}/currency", "not an ISO 4217 currency code such as EUR")
        for field, index, currency in used
        if currency not in currencies()
    ]
    if faults:
        raise InvalidInput("Some of the input is not right.", errors=tuple(faults))


async def programme_of(reader: Reader, pool: UUID) -> Programme:
    """The programme of a pool.

    Raises:
        NoProgramme: there is none, or it is not active.
    """
    found = await loyalty_store.programme(reader, pool)
    if found is None or not found.is_active:
        raise NoProgramme("Make one first, or make it active.")
    return found


async def enrol(tx: Tx, customer: UUID) -> Member:
    """Make a customer a member, with a code that tills can scan. Twice is once.

    Raises:
        NotFound: no such customer. NoProgramme: there is nothing to be a member of.
    """
    if not (tx.actor.kind == "customer" and tx.actor.id == customer):
        tx.actor.require(ISSUE)
    found = await customers.get(tx, customer)
    if found is None:
        raise NotFound("There is no such customer.")
    await reach.require(tx, channels.Resource.CUSTOMERS, found.pool)
    await programme_of(tx, found.pool)
    return await loyalty_store.member_of(tx, customer) or await earning.join(tx, customer, found.pool)


async def by_code(reader: Reader, text: str, pool: UUID | None = None) -> Member | None:
    """The member whose code was scanned, in a pool if one is given; None if it is nobody's."""
    code = codes.read_member_code(text)
    found = None if code is None else await loyalty_store.member_by_code(reader, code)
    return None if found is not None and pool is not None and found.pool != pool else found


async def view(reader: Reader, customer: UUID) -> MemberView | None:
    """A member with points and tier, over all customers that are the same person; None for who is no member."""
    member = await loyalty_store.member_of(reader, customer)
    if member is None:
        return None
    programme = await loyalty_store.programme(reader, member.pool)
    person = await customers.get(reader, customer)
    has = {
        kind: sum(one.balance for one in await book.balances(reader, customer, kind))
        for kind in (AccountKind.POINTS, AccountKind.PENDING)
    }
    qualifying, tiers = 0, programme.tiers if programme else []
    if programme is not None:
        since = earning.period_start(programme, now())
        qualifying = await loyalty_store.qualifying(reader, customer, since)
    soon = await loyalty_store.expiring(reader, customer)
    points = has[AccountKind.POINTS]
    offered = programme.rewards if programme and programme.is_active else []
    return MemberView(
        customer=customer,
        name=person.name if person else None,
        code=member.code,
        joined_at=member.joined_at,
        points=points,
        pending=has[AccountKind.PENDING],
        qualifying=qualifying,
        tier=rules.tier_of(qualifying, tiers),
        next_tier=rules.next_tier(qualifying, tiers),
        expiring=soon.points if soon else 0,
        expires_at=soon.at if soon else None,
        rewards=[reward for reward in offered if reward.points <= points],
    )


async def adjust(tx: Tx, customer: UUID, data: PointsInput) -> MemberView:
    """Give points by hand, or take some, with a reason; by hand nobody comes below zero. The same key twice: once.

    Raises:
        NotFound: not a member. NotEnoughPoints: more are to go than there are.
    """
    tx.actor.require(GRANT)
    cards.refuse(data.reason, "reason")
    if data.points == 0:
        raise InvalidInput.at("points", "how many, with a minus to take them")
    member = await _member(tx, customer)
    programme = await programme_of(tx, member.pool)
    key = f"points:{data.key or new_id()}"
    if data.points > 0:
        changed = await _give_points(tx, member, programme, data, key)
    else:
        changed = await _take_points(tx, member, data, key)
    if changed is not None:
        log.append(tx, changed, subject=customer, profile=customer)
        after = {"points": data.points, "reason": data.reason}
        audit.record(tx, "loyalty.points-adjusted", "customer", customer, after=after)
    return await _view(tx, customer)


async def _give_points(
    tx: Tx, member: Member, programme: Programme, data: PointsInput, key: str
) -> events.PointsFact | None:
    before = await book.lock(tx, member.pool, AccountKind.POINTS, POINTS_UNIT, member.customer)
    legs = [
        Leg(AccountKind.POINTS, data.points, POINTS_UNIT, member.customer),
        Leg(AccountKind.GIVEN, -data.points, POINTS_UNIT),
    ]
    if not await book.post(tx, member.pool, "grant", key, legs, reason=data.reason):
        return None
    await earning.keep_lot(tx, programme, member.customer, data.points, before, None)
    return events.PointsEarned(points=data.points, balance=before + data.points)


async def _take_points(tx: Tx, member: Member, data: PointsInput, key: str) -> events.PointsFact | None:
    before = await book.lock_person(tx, AccountKind.POINTS, POINTS_UNIT, member.customer)
    if await book.is_booked(tx, key):
        return None
    if before + data.points < 0:
        raise NotEnoughPoints(f"There are {before}.", points=before)
    legs = await used(tx, member, -data.points, AccountKind.GIVEN)
    await book.post(tx, member.pool, "grant", key, legs, reason=data.reason)
    return events.PointsTakenBack(points=-data.points, balance=before + data.points)


async def used(tx: Tx, member: Member, points: int, taker: AccountKind) -> list[Leg]:
    """Use up points of a person, whose accounts are locked, the oldest first; the entries that this makes."""
    used = await loyalty_store.use_of_person(tx, member.customer, points)
    return [
        *(Leg(AccountKind.POINTS, -each.points, POINTS_UNIT, each.customer) for each in used),
        Leg(taker, points, POINTS_UNIT),
    ]


async def redeem(tx: Tx, customer: UUID, data: RedeemInput) -> Rewarded:
    """Turn points into a reward: store credit, or a gift card whose code the answer tells this once.

    Members do it themselves, staff for them. A hundred at once never use more points than there are: the accounts of
    points of all customers that are the same person are locked first. The oldest points go first, whosever they are.

    Raises:
        NotFound: not a member, or no such reward. NotEnoughPoints: with how many there are.
        Conflict: this key was used before.
    """
    if not (tx.actor.kind == "customer" and tx.actor.id == customer):
        tx.actor.require(PAY)
    member = await _member(tx, customer)
    programme = await programme_of(tx, member.pool)
    reward = next((one for one in programme.rewards if one.code == data.reward), None)
    if reward is None:
        raise InvalidInput.at("reward", "there is no such reward")
    channel = await channels.cached(tx, data.channel)
    if channel.pools[Resource.CUSTOMERS] != member.pool:
        raise InvalidInput.at("channel", "this channel has other customers")
    before = await book.lock_person(tx, AccountKind.POINTS, POINTS_UNIT, customer)
    key = f"reward:{data.key or new_id()}"
    if data.key and await book.is_booked(tx, key):
        raise Conflict("These points were turned into a reward before.")
    if before < reward.points:
        raise NotEnoughPoints(f"It takes {reward.points}, there are {before}.", points=before)
    code = None
    spent = await used(tx, member, reward.points, AccountKind.REWARDED)
    if reward.kind is RewardKind.STORE_CREDIT:
        await store_credit.add(
            tx, member.pool, customer, reward.amount, reward.currency, reward.name, key, spent
        )
    else:
        code = await _give_card(tx, member, reward, channel, key, spent)
    fact = events.PointsRewarded(
        points=reward.points,
        balance=before - reward.points,
        reward=reward.code,
        amount=reward.amount,
        currency=reward.currency,
    )
    log.append(tx, fact, subject=customer, channel=channel.id, profile=customer)
    return Rewarded(
        reward=reward.code, points=reward.points, amount=reward.amount, currency=reward.currency, code=code
    )


async def _give_card(
    tx: Tx, member: Member, reward: Reward, channel: channels.Channel, key: str, used: Sequence[Leg]
) -> str:
    made = await gift_cards.create(
        tx,
        channel,
        card_id=new_id(),
        origin=Origin.REWARD,
        status=CardStatus.ACTIVE,
        customer=member.customer,
        note=reward.name,
        currency=reward.currency,
    )
    legs = [
        *used,
        Leg(AccountKind.GIFT_CARD, reward.amount, reward.currency, made.card.id),
        Leg(AccountKind.GIVEN, -reward.amount, reward.currency),
    ]
    await book.post(tx, member.pool, "reward", key, legs, reason=reward.name)
    fact = events.GiftCardIssued(
        last_four=made.card.last_four,
        currency=reward.currency,
        balance=reward.amount,
        origin=Origin.REWARD,
        amount=reward.amount,
        customer=member.customer,
    )
    log.append(tx, fact, subject=made.card.id, channel=channel.id, profile=member.customer)
    return made.code


async def _member(tx: Tx, customer: UUID) -> Member:
    member = await loyalty_store.member_of(tx, customer)
    if member is None:
        raise NotFound("This customer is not a member.")
    return member


async def _view(tx: Tx, customer: UUID) -> MemberView:
    found = await view(tx, customer)
    assert found is not None
    return found
