"""``samlad export …``: take everything out again, in formats that ``samlad import`` reads."""

import typer

from samlad.cli import app

exports = typer.Typer(
    help="Take data out as CSV or JSON Lines; `samlad import` reads it back without loss.",
    no_args_is_help=True,
)
app.add_typer(exports, name="export")
