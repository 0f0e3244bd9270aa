"""Whatever is sent to the catalogue's addresses, the answer is one of ours: never an error of the server."""

import asyncio
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from described import drawable

from .conftest import Shop

PATHS = (
    "/api/products",
    "/api/variants",
    "/api/categories",
    "/api/collections",
    "/api/attributes",
    "/api/size-charts",
    "/api/price-lists",
    "/api/prices",
    "/api/listings",
    "/api/tax-",
    "/api/search",
)
DOCUMENT = drawable()
DOCUMENT["paths"] = {path: item for path, item in DOCUMENT["paths"].items() if path.startswith(PATHS)}
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = {f"{r.ok().method.upper()} {r.ok().path}": r.ok() for r in SCHEMA.get_all_operations()}


@pytest.mark.parametrize("label", OPERATIONS)
async def test_no_input_breaks_it(shop: Shop, api: httpx.AsyncClient, label: str) -> None:
    product = await shop.product(sku="K", price=100, brand="Acme")
    ids = [str(product.id), str(product.variants[0].id), str(shop.base.id), str(shop.channel.id)]
    operation = OPERATIONS[label]

    @given(case=operation.as_strategy(), chosen=st.sampled_from(ids))
    @settings(
        max_examples=10,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    def send(case: Any, chosen: str) -> None:
        path = case.path
        for name, value in (case.path_parameters or {}).items():
            path = path.replace(f"{{{name}}}", chosen if "id" in name else str(value))
        body = None if isinstance(case.body, schemathesis.core.NotSet) else case.body
        answer = asyncio.run_coroutine_threadsafe(
            api.request(case.method, path, params=_flat(case.query), json=body, headers=_plain(case.headers)),
            loop,
        ).result(60)
        assert answer.status_code < 500, (path, case.query, body, answer.text)

    loop = asyncio.get_running_loop()
    await asyncio.to_thread(send)  # Hypothesis runs no coroutines


def _flat(query: Any) -> list[tuple[str, str]]:
    pairs = []
    for name, value in (query or {}).items():
        pairs += [
            (name, str(each)) for each in (value if isinstance(value, list) else [value]) if each is not None
        ]
    return pairs


def _plain(headers: Any) -> dict[str, str]:
    return {k: str(v) for k, v in (headers or {}).items() if str(v).isascii() and str(v).isprintable()}
