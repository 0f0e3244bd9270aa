"""QR codes for pages. The library is loaded at the first one: it is slow, and most processes draw none."""


def svg(text: str, *, scale: int = 4, border: int = 4) -> str:
    """A QR code as an inline SVG without inline style: black on white also on a dark page, as scanners need it."""
    import segno

    code = segno.make(text, error="m", micro=False)
    return str(code.svg_inline(scale=scale, border=border, dark="#000", light="#fff", omitsize=True))
