"""No door takes a card number in a note or the like: every operation of the API that has such a field, and forms of pages."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import uuid4

import httpx
import pytest

from described import DOCUMENT
from samlad.kernel import cards
from samlad.kernel.database import Database
from trade import build

ApiAs = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
NUMBER = "4111 1111 1111 1111"
ELSEWHERE = {
    "/api/orders/{order_id}/changes/preview": "it only looks; nothing is kept",
    "/api/returns/without-receipt/preview": "it only looks; nothing is kept",
}
"""Doors that may answer otherwise, each with the reason."""


def doors(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any], list[str]]]:
    """Method, path, schema of the body, and its own fields in which people write in their own words."""
    for path, operations in document["paths"].items():
        for method in {"post", "put", "patch"} & operations.keys():
            content = operations[method].get("requestBody", {}).get("content", {}).get("application/json")
            if content is None:
                continue
            schema = _resolved(document, content["schema"])
            fields = schema.get("properties", {})
            found = [name for name in fields if name in cards.WORDS and _is_text(document, fields[name])]
            if found:
                yield method, path, schema, found


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def _is_text(document: dict[str, Any], schema: dict[str, Any]) -> bool:
    schema = _resolved(document, schema)
    parts = schema.get("oneOf", schema.get("anyOf", [schema]))
    kinds = [_resolved(document, part) for part in parts]
    return any(k.get("type") == "string" and "enum" not in k and "format" not in k for k in kinds)


def some(document: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> Any:
    """Something that fits a schema, as far as that is easy."""
    schema = _resolved(document, schema)
    if "default" in schema and depth:
        return schema["default"]
    for choice in ("oneOf", "anyOf", "allOf"):
        if choice in schema:
            return some(document, schema[choice][0], depth + 1)
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = kind[0]
    if schema.get("examples") and kind == "string":
        return schema["examples"][0]
    if kind == "object" or "properties" in schema:
        wanted = schema.get("required", [])
        return {name: some(document, schema["properties"][name], depth + 1) for name in wanted}
    if kind == "array":
        return [some(document, schema["items"], depth + 1) for _ in range(schema.get("minItems", 0))]
    if kind == "integer":
        return max(1, schema.get("minimum", 1))
    if kind == "boolean":
        return False
    formats = {
        "uuid": str(uuid4()),
        "date": "2026-12-01",
        "date-time": "2026-12-01T10:00:00Z",
        "duration": "P1D",
    }
    return formats.get(schema.get("format", ""), "x" * max(3, schema.get("minLength", 1)))


async def test_every_door_of_the_api_refuses_one(db: Database, api_as: ApiAs) -> None:
    await build(db)
    document, wrong, refused = DOCUMENT, [], 0
    async with api_as() as owner:
        for method, path, schema, fields in doors(document):
            here = re.sub(r"\{(\w*id)\}", lambda _: str(uuid4()), path)
            here = re.sub(r"\{\w+\}", "abc", here)
            for field in fields:
                body = {**some(document, schema), field: NUMBER}
                answer = await owner.request(method.upper(), here, json=body)
                told = answer.json() if answer.content else {}
                if told.get("type") == "/problems/card-number":
                    refused += 1
                    assert NUMBER not in answer.text
                elif path not in ELSEWHERE:
                    wrong.append((method, path, field, answer.status_code, json.dumps(told.get("errors"))))
    assert [each for each in wrong if each[3] < 300] == [], "it was taken"
    assert "\n".join(map(str, wrong)) == ""
    assert refused > 60


@pytest.mark.parametrize("field", ["note", "gift_note"])
async def test_a_buyers_note_is_refused_at_its_field(db: Database, api_as: ApiAs, field: str) -> None:
    trade = await build(db)
    cart = await trade.cart((await trade.kettle(), 1))
    async with api_as() as owner:
        answer = await owner.patch(f"/api/carts/{cart.id}", json={field: f"take it from {NUMBER}"})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_clerks_form_says_it_at_the_field(db: Database, api_as: ApiAs) -> None:
    trade = await build(db)
    order = await trade.buy((await trade.kettle(), 1))
    async with api_as(accept="text/html", **{"accept-language": "en"}) as owner:
        given = {"reason": NUMBER, "version": str(order.version)}
        page = await owner.post(f"/admin/orders/{order.id}/cancel", data=given)
    assert page.status_code == 422
    assert "card number" in page.text
    assert (await db.value("SELECT status FROM orders")) == "paid"
