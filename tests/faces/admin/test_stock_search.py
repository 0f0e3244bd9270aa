"""Stock is found as products are: by words of the title, by parts of the SKU, in any case."""

import re
from typing import Any


async def found(api: Any, words: str, **more: str) -> set[str]:
    answer = await api.get("/api/stock/levels", params={"q": words, **more})
    assert answer.status_code == 200, answer.text
    return {row["sku"] for row in answer.json()["items"]}


async def test_levels_are_found_by_words_and_parts_of_skus(api, shop) -> None:
    everything = await found(api, " ")
    assert {"KTL-150", "LIN-TT2", "MUG-032"} <= everything
    assert await found(api, "linen") == await found(api, "tOWEL lin") == {"LIN-TT2"}
    assert await found(api, "tl-15") == {"KTL-150"}
    assert await found(api, "towel ktl") == set(), "all words are asked for"
    assert await found(api, "100% _") == set()
    assert await found(api, "linen", location="nowhere") == set()
    page = (await api.get("/admin/stock?q=linen")).text
    assert "LIN-TT2" in page
    assert "KTL-150" not in page
    box = re.search(r'<input class="input" type="search" name="q" value="linen"', page)
    assert box, "what was searched for stays in the box"
    file = await api.get("/api/stock/levels?q=linen&format=csv")
    assert "LIN-TT2" in file.text
    assert "KTL-150" not in file.text
