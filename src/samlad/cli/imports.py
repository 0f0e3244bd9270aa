"""``samlad import …``: bring in what another system exported."""

import typer

from samlad.cli import app

imports = typer.Typer(
    help="Bring in what another system exported: products, orders, … Each takes `--dry-run` and reports per line.",
    no_args_is_help=True,
)
app.add_typer(imports, name="import")
