"""Merge then unmerge is never merged: for profile, timeline, carts, loyalty, consent and segments, in any order.

Whoever lives here has a twin who does the same and is never merged. At every comparison each person has what the twins of all
who they are have together; after everything was taken back, each has exactly what their own twin has.
"""

import asyncio
import os
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from never_merged import World

from trade import Trade

WHO = st.integers(0, 3)
WHAT = st.integers(0, 2)
DAYS = st.sampled_from([0.0, 0.5, 3.0, 40.0])


class Lives(RuleBasedStateMachine):
    """Four people and their twins."""

    world: World
    run: Callable[[Coroutine[Any, Any, Any]], Any]

    @initialize()
    def begin(self) -> None:
        self.run(self.world.people(4))

    @rule(who=WHO)
    def notes(self, who: int) -> None:
        self.run(self.world.notes(who))

    @rule(who=WHO, tag=st.sampled_from(["vip", "press"]))
    def tags(self, who: int, tag: str) -> None:
        self.run(self.world.tags(who, tag))

    @rule(who=WHO, points=st.integers(1, 40))
    def points(self, who: int, points: int) -> None:
        self.run(self.world.points(who, points))

    @rule(who=WHO, answer=st.sampled_from(["granted", "denied"]), level=st.integers(0, 2), days=DAYS)
    def answers(self, who: int, answer: str, level: int, days: float) -> None:
        self.run(self.world.answers(who, answer, level, days))

    @rule(who=WHO)
    def browses(self, who: int) -> None:
        self.run(self.world.browses(who))

    @rule(who=WHO, quantity=st.integers(1, 3), what=WHAT)
    def fills_a_cart(self, who: int, quantity: int, what: int) -> None:
        self.run(self.world.fills_a_cart(who, quantity, what))

    @rule(who=WHO, what=WHAT)
    def wishes(self, who: int, what: int) -> None:
        self.run(self.world.wishes(who, what))

    @rule(who=WHO, what=WHAT)
    def buys(self, who: int, what: int) -> None:
        self.run(self.world.buys(who, what))

    @rule(one=WHO, other=WHO)
    def merged_by_hand(self, one: int, other: int) -> None:
        self.run(self.world.merged_by_hand(one, other))

    @rule(one=WHO, other=WHO, days=DAYS)
    def merged_by_rules(self, one: int, other: int, days: float) -> None:
        self.run(self.world.merged_by_rules(one, other, days))

    @rule(who=WHO)
    def taken_apart(self, who: int) -> None:
        self.run(self.world.taken_apart(who))

    @rule(which=st.integers(0, 9))
    def undone(self, which: int) -> None:
        self.run(self.world.undone(which))

    @rule()
    def follow(self) -> None:
        self.run(self.world.follow())

    @rule()
    def compare(self) -> None:
        self.run(self.world.compare())

    def teardown(self) -> None:
        if self.world.pairs:
            self.run(self._end())

    async def _end(self) -> None:
        await self.world.compare()
        await self.world.nothing_shared()
        await self.world.compare()


async def live(trade: Trade, examples: int, steps: int) -> None:
    world = World(trade)
    await world.open()
    loop = asyncio.get_running_loop()

    def run(work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(120)

    machine = type("OurLives", (Lives,), {"world": world, "run": staticmethod(run)})
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=chosen)


@pytest.mark.slow
async def test_merged_and_taken_apart_everybody_has_their_own(trade: Trade) -> None:
    await live(trade, examples=3, steps=20)


@pytest.mark.soak
async def test_after_fifty_merges_among_a_long_life_everybody_has_their_own(trade: Trade) -> None:
    """Fifty merges by hand and by rules, in between everything else that people do and unmerging."""
    world = World(trade)
    await world.open()
    await world.people(8)
    draw = random.Random(int(os.environ.get("SAMLAD_UNMERGE_SEED", "5")))
    for number in range(50):
        for _ in range(3):
            await does_something(world, draw)
        one, other = draw.sample(range(8), 2)
        if draw.random() < 0.4:
            await world.merged_by_rules(one, other, draw.random())
        else:
            await world.merged_by_hand(one, other)
        if draw.random() < 0.5:
            await (world.taken_apart(one) if draw.random() < 0.4 else world.undone(number))
        if number % 10 == 9:
            await world.compare()
    await world.nothing_shared()
    await world.compare()


async def does_something(world: World, draw: random.Random) -> None:
    who, what = draw.randrange(8), draw.randrange(8)
    if what == 0:
        await world.notes(who)
    elif what == 1:
        await world.tags(who, "vip")
    elif what == 2:
        await world.points(who, 10)
    elif what == 3:
        await world.answers(who, draw.choice(["granted", "denied"]), draw.randrange(3), draw.random())
    elif what == 4:
        await world.browses(who)
    elif what == 5:
        await world.fills_a_cart(who, 1, draw.randrange(3))
    elif what == 6:
        await world.wishes(who, draw.randrange(3))
    else:
        await world.buys(who, draw.randrange(3))


async def test_tagged_while_they_were_one_each_keeps_the_tag(trade: Trade) -> None:
    """Found by the lives above: a tag that another customer of the person had was not given to the one who was tagged."""
    world = World(trade)
    await world.open()
    await world.people(2)
    await world.tags(0, "vip")
    await world.merged_by_hand(0, 1)
    await world.tags(1, "vip")
    await world.compare()
    await world.nothing_shared()
    await world.compare()


async def test_what_two_wish_while_they_are_one_is_wished_once(trade: Trade) -> None:
    """Found by the lives above, which counted the units on wish lists twice: one list has a thing once, and the log tells so."""
    world = World(trade)
    await world.open()
    await world.people(2)
    await world.merged_by_hand(0, 1)
    await world.wishes(0)
    await world.wishes(1)
    await world.compare()
    assert (await world.life(world.pairs[0][0])).put == {"wish": 1}
    await world.nothing_shared()
    await world.compare()
    assert [(await world.life(person)).put.total() for person, _ in world.pairs] == [1, 0]
