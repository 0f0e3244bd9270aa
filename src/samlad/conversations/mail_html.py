"""A mail of a conversation as HTML: one column that every mail program can lay out, in the colours of the brand.

Mail programs know neither style sheets from elsewhere nor scripts, and many no ``<style>``: so each element has its own style,
and nothing is fetched. Colours of a dark screen are left to the program. Words are escaped; only they change.
"""

from collections.abc import Sequence
from html import escape

import msgspec

from samlad.content.theme import Colours


class Quote(msgspec.Struct, frozen=True):
    """What was said before: who (``Kim wrote:``) and what."""

    head: str
    body: str


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a mail. ``line`` stands over it, where an answer is written above; empty: nobody can answer by mail."""

    language: str
    direction: str
    line: str
    shop: str
    body: str
    signed: str
    quotes: Sequence[Quote]
    invitation: str
    link: str
    button: str


_FONT = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif"


def render(page: Page, colours: Colours) -> str:
    """The document."""
    text = f"color:{colours.text}"  # on canvas and surface it can be read: brands are held to that
    signed = "<br>".join(escape(part) for part in (page.signed, page.shop) if part)
    quotes = "".join(
        f'<p style="margin:24px 0 4px;font-size:14px">{escape(quote.head)}</p>'
        f'<blockquote type="cite" dir="auto" style="margin:0;padding:0 12px;border:solid #c8cecb;border-width:0 0 0 3px;font-size:14px">'
        f"{_paragraphs(quote.body)}</blockquote>"
        for quote in page.quotes
    )
    line = f'<p style="margin:0 0 16px;font-size:12px">{escape(page.line)}</p>' if page.line else ""
    return (
        f'<!doctype html><html lang="{escape(page.language)}" dir="{page.direction}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
        f"<title>{escape(page.shop)}</title></head>"
        f'<body style="margin:0;padding:16px;background:{colours.canvas}">'
        f'<div style="max-width:600px;margin:0 auto;{_FONT};font-size:16px;line-height:1.5;{text}">{line}'
        f'<div style="padding:24px;background:{colours.surface};border-top:4px solid {colours.accent};border-radius:4px">'
        f'<div dir="auto">{_paragraphs(page.body)}</div><p style="margin:16px 0">{signed}</p>'
        f'<p style="margin:24px 0 8px">{escape(page.invitation)}</p>'
        f'<p style="margin:0 0 8px"><a href="{escape(page.link)}" style="display:inline-block;padding:12px 20px;border-radius:4px;'
        f'background:{colours.accent};color:{colours.on_accent};text-decoration:none;font-weight:600">{escape(page.button)}</a></p>'
        f"{quotes}</div></div></body></html>"
    )


def _paragraphs(body: str) -> str:
    return "".join(
        f'<p style="margin:0 0 12px">{escape(part).replace(chr(10), "<br>")}</p>'
        for part in body.split("\n\n")
        if part.strip()
    )
