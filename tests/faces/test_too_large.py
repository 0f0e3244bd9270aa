"""A body that is larger than an address takes: what is said, how large it may be, and how to go back."""

from collections.abc import AsyncIterator

import httpx
from market import text_of

from samlad.kernel.settings import Settings

PEOPLE = {"accept": "text/html", "accept-language": "en"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
LIMIT = 4 * 1024 * 1024


async def parts(size: int) -> AsyncIterator[bytes]:
    """A body whose length nobody is told beforehand."""
    yield b"title="
    for _ in range(0, size, 65_536):
        yield b"x" * 65_536


async def test_a_page_says_how_much_may_be_sent_and_leads_back(api: httpx.AsyncClient) -> None:
    for body in ({"data": {"title": "x" * LIMIT}}, {"content": parts(LIMIT), "headers": FORM}):
        headers = PEOPLE | body.pop("headers", {})
        answer = await api.post("/admin/products/new", headers=headers, **body)
        assert answer.status_code == 413
        said = text_of(answer.text)
        for part in ("That is too large", "At most 4.2 MB can be sent here at once.", "Back to the form"):
            assert part in said, part
    answer = await api.post("/admin/products/new", headers=PEOPLE | FORM, content=parts(LIMIT))
    dutch = await api.post(
        "/admin/products/new", headers=PEOPLE | FORM | {"accept-language": "nl"}, content=parts(LIMIT)
    )
    assert "hoogstens 4,2 MB" in text_of(dutch.text)


async def test_every_address_says_its_own_measure(api: httpx.AsyncClient, settings: Settings) -> None:
    file = {"file": ("goods.csv", b"x" * (settings.upload_limit + 1), "text/csv")}
    answer = await api.post("/admin/products/import", headers=PEOPLE, files=file)
    assert (answer.status_code, "At most 67.1 MB" in text_of(answer.text)) == (413, True)


async def test_programs_get_a_problem_with_the_number_of_bytes(api: httpx.AsyncClient) -> None:
    for body in ({"json": {"title": "x" * LIMIT}}, {"content": parts(LIMIT)}):
        answer = await api.post("/api/products", **body)
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["type"] == "/problems/too-large"
        assert problem["detail"] == "A request to this address may have 4,194,304 bytes."
        assert problem["max_bytes"] == LIMIT
