"""How texts are kept, and what is taken for advertising. Pure."""

import re

_ADDRESS = re.compile(r"https?:|www\.|\bhref\b|\[url", re.IGNORECASE)


def tidy(text: str) -> str:
    """A text without blanks at its ends and of its lines, and at most one empty line in a row."""
    lines: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        plain = line.strip()
        if plain or (lines and lines[-1]):
            lines.append(plain)
    return "\n".join(lines).strip()


def advertises(text: str) -> bool:
    """Whether a text names pages elsewhere, which is what programs that fill forms want."""
    return _ADDRESS.search(text) is not None


def shown_name(name: str) -> str:
    """A name as strangers may read it: the first name and an initial, "Kim B."; empty stays empty."""
    parts = name.split()
    if not parts:
        return ""
    first = parts[0][:40]
    return first if len(parts) == 1 else f"{first} {parts[-1][0].upper()}."
