"""An export as one file: a ZIP of ``export.json`` and, beside it, the photographs and other files that it names."""

import io
import zipfile
from collections.abc import Sequence

import msgspec

from samlad.kernel.problems import NotFound
from samlad.privacy.model import Export

JSON = "export.json"
MOST_BYTES = 300_000_000
"""Of all files of one export together; more than that are named, and left out."""


def pack(export: Export, files: Sequence[tuple[str, bytes]]) -> bytes:
    """The archive. Photographs are packed already: they are stored as they are."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        _write(archive, export, JSON, msgspec.json.format(msgspec.json.encode(export)), zipfile.ZIP_DEFLATED)
        for name, content in files:
            _write(archive, export, name, content, zipfile.ZIP_STORED)
    return out.getvalue()


def _write(archive: zipfile.ZipFile, export: Export, name: str, content: bytes, how: int) -> None:
    entry = zipfile.ZipInfo(name, export.made_at.timetuple()[:6])
    entry.compress_type = how
    archive.writestr(entry, content)


def export_of(packed: bytes) -> Export:
    """What the archive's JSON says. Exports of before there were archives are JSON alone."""
    return msgspec.json.decode(packed if packed[:1] == b"{" else file_of(packed, JSON), type=Export)


def file_of(packed: bytes, name: str) -> bytes:
    """One file of an archive.

    Raises:
        NotFound: there is none of this name.
    """
    if packed[:1] != b"{":
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            if name in archive.namelist():
                return archive.read(name)
    raise NotFound("There is no such file in this export.")
