"""``samlad openapi``: what the HTTP API is, for programs that make clients."""

import sys

from samlad.cli import app


@app.command()
def openapi() -> None:
    """Print the OpenAPI 3.1 document of the HTTP API as JSON; it needs no server and no database.

    A running server answers with the same at `/api/docs/openapi.json`.

    Example: `samlad openapi > openapi.json`
    """
    import msgspec

    from samlad.app import create
    from samlad.kernel import openapi as described
    from samlad.kernel.settings import load

    sys.stdout.buffer.write(msgspec.json.encode(described.document(create(load()))))
    sys.stdout.buffer.flush()
