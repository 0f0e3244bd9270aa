"""What a file that came with a mail is, by its bytes and never by what its sender says; and which files are kept. Pure."""

import unicodedata
from collections.abc import Sequence
from urllib.parse import quote
from uuid import uuid4

import msgspec

from samlad.catalog import media_files
from samlad.conversations.model import Attached

MOST_FILES, LARGEST, MOST_OF_MAIL = 10, 12_000_000, 18_000_000
"""Files of one mail, bytes of a file, and bytes of all files of a mail that are kept."""
MOST_OF_THREAD, MOST_WAITING = 100_000_000, 300_000_000
"""Bytes of all files of a conversation, and of all mails that wait for staff."""
UNKNOWN = "application/octet-stream"
_PICTURES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
}
_BEGINNINGS = (
    (b"%PDF-", "application/pdf", "pdf"),
    (b"PK\x03\x04", "application/zip", "zip"),  # also what offices write
)
_PROGRAMS = (
    b"MZ",
    b"\x7fELF",
    b"#!",
    b"\xca\xfe\xba\xbe",
    b"\xcf\xfa\xed\xfe",
    b"\xfe\xed\xfa\xcf",
    b"L\x00\x00\x00\x01\x14\x02\x00",
)
_RUNS = frozenset(
    [
        "apk",
        "app",
        "appx",
        "bat",
        "chm",
        "cmd",
        "com",
        "cpl",
        "dll",
        "dmg",
        "exe",
        "gadget",
        "hta",
        "img",
        "iso",
        "jar",
        "jnlp",
        "js",
        "jse",
        "lnk",
        "msc",
        "msi",
        "msix",
        "ps1",
        "reg",
        "scf",
        "scr",
        "sh",
        "url",
        "vb",
        "vbe",
        "vbs",
        "vhd",
        "wsf",
        "wsh",
        "xll",
    ]
)


class Enclosed(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it came with a mail. ``content`` None: its end did not come."""

    name: str
    type: str
    size: int
    content: bytes | None


class KeptFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is kept."""

    told: Attached
    stored_as: str
    content: bytes


def kind_of(content: bytes) -> tuple[str, str]:
    """The media type of a file and how its name ends, by its bytes."""
    picture = media_files.kind_of(content)
    if picture is not None:
        return _PICTURES[picture], picture
    for beginning, kind, ending in _BEGINNINGS:
        if content.startswith(beginning):
            return kind, ending
    return UNKNOWN, "bin"


def is_program(name: str, content: bytes) -> bool:
    """Whether opening it may run it."""
    ending = name.rstrip(". ").rpartition(".")[2].lower()
    return ending in _RUNS or content.startswith(_PROGRAMS)


def name_of(text: str) -> str:
    """A file's name without a path and without signs that nobody sees: some of them turn what follows around."""
    plain = "".join(char for char in text if unicodedata.category(char) not in ("Cf", "Cc", "Zl", "Zp"))
    return plain.replace("\\", "/").rpartition("/")[2].strip()[:100] or "?"


def choose(files: Sequence[Enclosed], room: int) -> tuple[list[Attached], list[KeptFile]]:
    """What is told of files, in their order, and which of them are kept: no programs, and only while there is room (bytes)."""
    told: list[Attached] = []
    kept: list[KeptFile] = []
    left = min(room, MOST_OF_MAIL)
    for each in files:
        content = each.content
        if (
            content is None
            or len(kept) == MOST_FILES
            or each.size > min(left, LARGEST)
            or is_program(each.name, content)
        ):
            told.append(Attached(name=each.name, type=each.type, size=each.size))
            continue
        kind, ending = kind_of(content)
        number = uuid4()  # random: nothing is to be learned from a neighbour's
        one = Attached(name=each.name, type=kind, size=each.size, id=number)
        told.append(one)
        kept.append(KeptFile(told=one, stored_as=f"{number}.{ending}", content=content))
        left -= each.size
    return told, kept


def headers(name: str) -> dict[str, str]:
    """How a stranger's file is handed out: to be saved, never shown, whatever is in it (RFC 6266, RFC 8187)."""
    plain = "".join(
        char if char.isascii() and char.isprintable() and char not in '"\\%' else "_" for char in name
    )
    return {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, no-store",
    }
