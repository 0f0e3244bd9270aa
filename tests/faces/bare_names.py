"""Finds names in the middle of other words that nothing keeps apart from them: with letters of another direction they turn
their neighbours around."""

from html.parser import HTMLParser

ALONE = {
    "bdi", "h1", "h2", "h3", "h4", "p", "li", "td", "th", "dd", "dt", "div", "option", "title", "textarea", "address", "article",
    "section", "figcaption", "caption", "legend", "label", "form", "main", "header", "footer", "nav", "ul", "ol",
}  # fmt: skip
"""Elements that are a paragraph of their own, where a text that stands alone meets no other words; and `bdi`."""
ISOLATED = {"a", "b", "strong", "em", "code", "output", "summary", "button"}
"""Elements that the style sheet isolates."""
ISOLATED_CLASSES = {"badge", "button", "strong", "sub", "visually-hidden"}
SILENT = {"title", "script", "style", "svg", "template"}
VOID = {"input", "br", "img", "meta", "link", "hr", "source", "wbr", "col", "path", "use", "circle", "rect"}


class _Scan(HTMLParser):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.open: list[tuple[str, str]] = []
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append((tag, dict(attrs).get("class") or ""))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self.name not in data or any(tag in SILENT for tag, _ in self.open):
            return
        tag, classes = self.open[-1] if self.open else ("", "")
        if tag == "bdi" or f"\u2068{self.name}" in data:
            return
        is_alone = data.strip() == self.name
        is_apart = tag in ISOLATED or bool(ISOLATED_CLASSES & set(classes.split()))
        if is_alone and (tag in ALONE or is_apart):
            return
        about = f" class={classes}" if classes else ""
        self.found.append(f"<{tag}{about}> {' '.join(data.split())}")


def bare_names(page: str, name: str) -> list[str]:
    """Where a page has a name that is not kept apart."""
    scan = _Scan(name)
    scan.feed(page)
    return scan.found
