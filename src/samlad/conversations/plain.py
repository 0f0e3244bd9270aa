"""HTML mails as plain text: nothing of them is shown as HTML, run or fetched. What is quoted is left out.

The HTML is made well-formed first (`nh3`, the parser of browsers): only that is read here, in one pass.
"""

import re
from html.parser import HTMLParser

import nh3

_BLOCKS = {
    "p", "div", "li", "tr", "table", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "section", "article", "dt", "dd", "hr",
}  # fmt: skip
_KEPT = _BLOCKS | {"br", "a", "span", "td", "th", "tbody", "b", "i", "em", "strong", "dl", "center", "font"}
_DROPPED = {"script", "style", "title", "head", "template", "svg", "math", "noscript", "iframe", "object"}
_QUOTES = re.compile(
    r"\b(gmail_quote|gmail_quote_container|gmail_attr|yahoo_quoted|moz-cite-prefix|protonmail_quote|tutanota_quote|zmail_extra)\b"
)
"""Classes in which mail programs put what they quote."""
_REST = (
    "divRplyFwdMsg",
    "appendonsend",
    "mail-editor-reference-message-container",
    "ms-outlook-mobile-reference",
)
"""Ids after which everything is quoted (Outlook)."""
_VOID = ("br", "hr")
_SPACE = re.compile(r"[ \t\r\n\f\v]+")


def text_of(html: str, *, quotes: bool = False) -> str:
    """The words of an HTML document, a line for each of its blocks; with ``quotes`` also what mail programs marked as quoted."""
    clean = nh3.clean(
        html,
        tags=_KEPT,
        clean_content_tags=_DROPPED,
        attributes={
            "*": {"class", "id"},
            "a": {"href", "class", "id"},
            "blockquote": {"type", "class", "id"},
        },
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel=None,
        strip_comments=True,
    )
    reader = _Reader(quotes=quotes)
    reader.feed(clean)
    reader.close()
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.strip() for line in reader.text().split("\n"))).strip()


class _Reader(HTMLParser):
    """Reads well-formed HTML."""

    def __init__(self, *, quotes: bool) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._quotes = quotes
        self._depth = 0
        self._left_out_at: int | None = None
        self._is_over = False
        self._href = ""
        self._linked: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        if not self._quotes and of.get("id", "").removeprefix("x_") in _REST:
            self._is_over = True
        if tag not in _VOID:
            self._depth += 1
            is_quote = (tag == "blockquote" and of.get("type") == "cite") or _QUOTES.search(
                of.get("class", "")
            )
            if is_quote and not self._quotes and self._left_out_at is None:
                self._left_out_at = self._depth
        if tag == "br" or tag in _BLOCKS:
            self._say("\n")
        elif tag in ("td", "th"):
            self._say(" ")
        elif tag == "a":
            self._href, self._linked = of.get("href", ""), []

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if tag == "a":
            self._end_link()
        if self._left_out_at == self._depth:
            self._left_out_at = None
        self._depth -= 1
        if tag in _BLOCKS:
            self._say("\n\n" if tag == "p" else "\n")

    def handle_data(self, data: str) -> None:
        told = _SPACE.sub(" ", data)
        if self._parts and self._parts[-1].endswith("\n"):
            told = told.lstrip(" ")
        self._linked.append(told)
        self._say(told)

    def text(self) -> str:
        # Of a paragraph's end and the next one's beginning only one empty line is left.
        return re.sub(r"\n[ \n]*\n[ \n]*", "\n\n", "".join(self._parts))

    def _end_link(self) -> None:
        """Behind what is linked stands where it leads, unless that is what it says."""
        said, href, self._href = "".join(self._linked).strip(), self._href, ""
        if href.startswith(("http://", "https://")) and said.rstrip("/") not in (
            href.rstrip("/"),
            href.partition("//")[2].rstrip("/"),
        ):
            self._say(f" ({href})")

    def _say(self, text: str) -> None:
        if not self._is_over and self._left_out_at is None:
            self._parts.append(text)
