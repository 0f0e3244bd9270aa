"""Somebody at a till."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
from market import Market

from samlad.access.permissions import Role, permissions_of
from samlad.kernel.context import Actor
from samlad.kernel.ids import new_id

ApiAs = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


def store_clerk(market: Market, place: int = 0) -> Actor:
    """Store staff, bound to one store."""
    return Actor(
        kind="staff",
        id=new_id(),
        name="Sam Säljare",
        permissions=permissions_of(Role.STORE),
        locations=frozenset({market.places[place].id}),
    )


@pytest.fixture
async def clerk(market: Market, api_as: ApiAs) -> AsyncIterator[httpx.AsyncClient]:
    """The browser of a clerk in the first store, as htmx asks from it."""
    async with api_as(store_clerk(market), accept="text/html", **{"accept-language": "en"}) as client:
        yield client


@pytest.fixture
async def other_clerk(market: Market, api_as: ApiAs) -> AsyncIterator[httpx.AsyncClient]:
    """The browser of another till of the same store."""
    async with api_as(store_clerk(market), accept="text/html", **{"accept-language": "en"}) as client:
        yield client
