"""A body that lies hundreds or thousands deep in itself is refused like any other that does not fit."""

import httpx


async def test_a_body_that_lies_too_deep_is_refused(api: httpx.AsyncClient) -> None:
    for deep, statuses in ((900, (400, 422)), (100_000, (400,))):
        condition = '{"of":' * deep + "1" + "}" * deep
        given = (
            f'{{"name": "Deep", "channel": "01a21f39-6a53-7000-87a5-8fcdf803eb31", "condition": {condition}}}'
        )
        for path in ("/api/segments", "/api/carts", "/api/customers"):
            answer = await api.post(path, content=given, headers={"content-type": "application/json"})
            assert answer.status_code in statuses, (path, deep, answer.text[:200])
            assert answer.headers["content-type"] == "application/problem+json"
