"""``samlad reindex``: make the search index anew from the products."""

from samlad.cli import app
from samlad.cli.terminal import say, with_runtime


@app.command()
def reindex() -> None:
    """Make the search index anew. Only needed when `samlad doctor` says so.

    Example: `samlad reindex`
    """
    from samlad.catalog.search.index import rebuild

    count = with_runtime(lambda runtime: rebuild(runtime.database))
    say(f"{count:,} products can be found.")
