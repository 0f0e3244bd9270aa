"""Somebody who looks at the shop."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
from market import Market

from samlad.kernel.context import GUEST


@pytest.fixture
async def guest(
    market: Market, api_as: Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without scripts in the hands of somebody who reads English."""
    async with api_as(GUEST, accept="text/html", **{"accept-language": "en"}) as client:
        yield client
