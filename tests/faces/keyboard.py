"""The keyboard alone: on with Tab until something has the focus, which is seen wherever it goes."""

from playwright.async_api import Page

_SEEN = """() => {
  const at = document.activeElement, box = at.getBoundingClientRect();
  const drawn = (style) => style.outlineStyle !== "none" || style.boxShadow !== "none";
  const ring = [null, "::after", "::before"].some((part) => drawn(getComputedStyle(at, part))) || drawn(getComputedStyle(at.parentElement));
  const shown = box.width > 0 && box.bottom > 0 && box.top < innerHeight;
  const over = document.elementFromPoint(Math.max(1, box.left + box.width / 2), Math.min(innerHeight - 2, Math.max(1, box.top + box.height / 2)));
  const bar = over?.closest("[data-buy-bar]");
  return { ring, shown, hidden: Boolean(bar && !bar.contains(at)) };
}"""


async def tab_to(page: Page, selector: str, most: int = 80) -> None:
    """Press Tab until this has the focus. Wherever it goes on the way it is seen."""
    for _ in range(most):
        await page.keyboard.press("Tab")
        if await page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            seen = await page.evaluate(_SEEN)
            assert seen == {"ring": True, "shown": True, "hidden": False}, (selector, seen)
            return
    raise AssertionError(f"{selector} cannot be reached by the keyboard")
