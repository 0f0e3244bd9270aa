"""Markdown as HTML that can do no harm.

Two nets: the parser does not let HTML of the author through (`html=False`), and what it made is cleaned once more
by a list of what may be in it, as descriptions of products are.
"""

from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

_TAGS = {"p", "h2", "h3", "h4", "strong", "em", "ul", "ol", "li", "a", "blockquote", "br", "hr", "code"}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"https", "http", "mailto", "tel"}
_HEADINGS = {"h1": "h2", "h2": "h2", "h3": "h3", "h4": "h4", "h5": "h4", "h6": "h4"}
_PARSER = MarkdownIt("commonmark", {"html": False, "typographer": False}).disable(
    ["image", "fence", "code", "html_block", "html_inline"]
)


@lru_cache(maxsize=2048)
def html(text: str) -> Markup:
    """A text as HTML. Headings begin at the second level: the first is the page's own."""
    tokens = _PARSER.parse(text)
    for token in tokens:
        _lower(token)
    made = _PARSER.renderer.render(tokens, _PARSER.options, {})
    cleaned = nh3.clean(
        made, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES, link_rel="noopener noreferrer"
    )
    return Markup(cleaned)  # noqa: S704 - cleaned above


def _lower(token: Token) -> None:
    token.tag = _HEADINGS.get(token.tag, token.tag)


def plain(text: str, most: int) -> str:
    """The first words of a text without marks, for search engines."""
    words = nh3.clean(str(html(text)), tags=set()).split()
    said = " ".join(words)
    return said if len(said) <= most else said[:most].rsplit(" ", 1)[0] + "…"
