"""The gate before the pool: few at once, one more when those inside are stuck, and nobody is forgotten."""

import asyncio

import pytest

from samlad.kernel import gate
from samlad.kernel.gate import Gate


async def test_a_crowd_goes_through_few_at_a_time_first_come_first_in() -> None:
    door, inside, most, order = Gate(16), 0, 0, []

    async def visit(number: int) -> None:
        nonlocal inside, most
        await door.enter()
        inside += 1
        most = max(most, inside)
        order.append(number)
        await asyncio.sleep(0)
        inside -= 1
        door.leave()

    await asyncio.gather(*map(visit, range(100)))
    assert most == gate.EAGER
    assert order == list(range(100))


async def test_whoever_waits_behind_stuck_ones_gets_in_up_to_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gate, "STUCK_SECONDS", 0.001)
    door, released = Gate(gate.EAGER + 2), asyncio.Event()
    entered = 0

    async def visit() -> None:
        nonlocal entered
        await door.enter()
        entered += 1
        await released.wait()
        door.leave()

    visits = [asyncio.create_task(visit()) for _ in range(gate.EAGER + 3)]
    async with asyncio.timeout(60):
        while entered < gate.EAGER + 2:
            await asyncio.sleep(0.001)
    assert entered == gate.EAGER + 2
    released.set()
    await asyncio.gather(*visits)
    assert entered == gate.EAGER + 3


async def test_who_gives_up_takes_nobodys_turn() -> None:
    door = Gate(1)
    await door.enter()
    gone, next_one = asyncio.create_task(door.enter()), asyncio.create_task(door.enter())
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    door.leave()
    await asyncio.wait_for(next_one, 60)
    late = asyncio.create_task(door.enter())
    await asyncio.sleep(0)
    door.leave()  # it has its turn, and is called off before it knows
    late.cancel()
    with pytest.raises(asyncio.CancelledError):
        await late
    await asyncio.wait_for(door.enter(), 60)
