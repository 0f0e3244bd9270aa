"""PDFs one after the other as one."""

import io
from collections.abc import Sequence


def join(files: Sequence[bytes]) -> bytes:
    """The pages of all of them, in order; fonts and pictures that they share are in it once. One file stays as it is."""
    import pypdf  # loaded where it is needed

    if len(files) == 1:
        return files[0]
    writer = pypdf.PdfWriter()
    for file in files:
        writer.append(io.BytesIO(file), import_outline=False)
    writer.compress_identical_objects(remove_duplicates=True, remove_unreferenced=True)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
