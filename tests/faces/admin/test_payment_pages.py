"""Ways to pay in the admin: the keys of Stripe are tried, kept sealed and never shown; fees; the simulated terminal."""

import httpx

from samlad.kernel.ids import new_id
from samlad.payments import stripe

PEOPLE = {"accept": "text/html", "accept-language": "en"}
KEYS = {
    "secret_key": "sk_test_0123456789abcdef",
    "publishable_key": "pk_test_0123456789abcdef",
    "webhook_secret": "whsec_0123456789abcdef",
}


async def told(api: httpx.AsyncClient, path: str, **sent: str) -> str:
    """What a form answers, or the page that it leads to."""
    answer = await api.post(path, data=sent, headers=PEOPLE)
    if answer.status_code == 303:
        answer = await api.get(answer.headers["location"], headers=PEOPLE)
    return answer.text


async def test_keys_are_tried_then_sealed_and_never_shown(api, shop, monkeypatch) -> None:
    answers: list[int] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == f"Bearer {KEYS['secret_key']}"
        status = answers.pop(0)
        if status == 0:
            raise httpx.ReadTimeout("silence", request=request)
        return httpx.Response(
            status, json={"data": []} if status == 200 else {"error": {"code": "api_key_expired"}}
        )

    monkeypatch.setattr(
        stripe,
        "connect",
        lambda keys: httpx.AsyncClient(base_url=keys.base_url, transport=httpx.MockTransport(answer)),
    )
    here = "/admin/payments/stripe"
    page = (await api.get(here, headers=PEOPLE)).text
    assert "No keys yet" in page
    assert "/webhooks/in/stripe" in page
    answers[:] = [401]
    refused = await told(api, here, act="save", **KEYS)
    assert "Stripe does not know the secret key" in refused
    answers[:] = [200]
    saved = await told(api, here, act="save", **KEYS)
    assert "Keys are set" in saved
    for text in (page, refused, saved):
        for key in KEYS.values():
            assert key not in text
    sealed = b"".join(bytes(row["sealed"]) for row in await shop.db.rows("SELECT sealed FROM secret"))
    assert sealed
    assert not any(key.encode() in sealed for key in KEYS.values())
    audited = await shop.db.value(
        "SELECT string_agg(after::text || difference, ' ') FROM audit_entry WHERE verb LIKE 'payment-provider%'"
    )
    assert KEYS["secret_key"] not in audited
    answers[:] = [0]
    assert "Stripe did not answer" in await told(api, here, act="try")
    assert "The keys are forgotten" in await told(api, here, act="forget")
    assert "There are no keys yet" in await told(api, here, act="try")
    card = await told(api, here, act="save", **{**KEYS, "secret_key": "4242424242424242"})
    assert "4242424242424242" not in card


async def test_ways_fees_and_the_terminal(api, shop) -> None:
    ways = (await api.get("/admin/payments", headers=PEOPLE)).text
    assert "needs keys" in ways
    assert "Card terminal (simulated)" in ways
    entry = {
        "reference": "txn_1", "kind": "payout", "amount": -12_000, "currency": "SEK",
        "happened_at": "2026-11-25T10:00:00+01:00",
    }  # fmt: skip
    sent = await api.post("/api/payment-settlements", json={"provider": "stripe", "entries": [entry]})
    assert sent.json() == {"recorded": 1, "known": 0}
    page = (await api.get("/admin/payments/settlements", headers=PEOPLE)).text
    assert "Paid out" in page
    assert "txn_1" in page
    payment = new_id()
    await shop.db.rows(
        "INSERT INTO terminal_simulation (id, amount, currency, status) VALUES ($1, 14500, 'SEK', 'waiting') RETURNING 1",
        payment,
    )
    here = "/admin/payments/terminal"
    assert "145.00" in (await api.get(here, headers=PEOPLE)).text
    assert "The card was accepted." in await told(api, f"{here}/{payment}", button="approve")
    assert "does not wait for a card" in await told(api, f"{here}/{payment}", button="decline")
    assert await shop.db.value("SELECT status FROM terminal_simulation WHERE id = $1", payment) == "approved"
