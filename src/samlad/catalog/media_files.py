"""Our own copies of pictures: recognised by their bytes, named by their hash, each stored once."""

import hashlib
import os
import re
import tempfile
import time
from pathlib import Path

TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
}
"""What is stored, and how it is sent. Not SVG: it can hold script."""

_KEY = re.compile(r"[0-9a-f]{64}\.(?:" + "|".join(TYPES) + ")")
_ABANDONED_SECONDS = 3600


def kind_of(content: bytes) -> str | None:
    """The ending of a picture's kind by its first bytes, whatever its sender calls it; None: no kind that we store."""
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    if content[4:8] == b"ftyp":
        return "avif" if _is_avif(content) else None
    return None


def _is_avif(content: bytes) -> bool:
    """Whether an ISO base media file names AVIF among its brands (box: size, type, major, minor version, others)."""
    size = min(int.from_bytes(content[:4], "big"), 256)
    brands = [content[8:12], *(content[at : at + 4] for at in range(16, size, 4))]
    return b"avif" in brands or b"avis" in brands


def path_of(home: Path, key: str) -> Path:
    """Where a copy is.

    Raises:
        ValueError: that is no key of ours.
    """
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} is no key of a stored picture")
    return home / "media" / key[:2] / key[2:4] / key


def key_of(content: bytes, kind: str) -> str:
    """The key under which a picture is stored."""
    return f"{hashlib.sha256(content).hexdigest()}.{kind}"


def store(home: Path, content: bytes, kind: str) -> str:
    """Keep a picture, whole or not at all; its key. The same bytes again change nothing."""
    key = key_of(content, kind)
    path = path_of(home, key)
    if path.exists():
        return key
    write(home, path, content)
    return key


def write(home: Path, path: Path, content: bytes) -> None:
    """Write a file below the pictures, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = _unfinished(home)
    unfinished.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=unfinished, delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)


def forget_unfinished(home: Path) -> None:
    """Remove what writers that were killed left behind."""
    oldest = time.time() - _ABANDONED_SECONDS
    for path in _unfinished(home).glob("*"):
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def _unfinished(home: Path) -> Path:
    """On the same file system, so that moving is atomic."""
    return home / "media" / "unfinished"
