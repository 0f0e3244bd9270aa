"""``samlad import …``: bring in what another system exported."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from samlad.cli import app
from samlad.cli.terminal import AsJson, print_json, progress, say, with_runtime

if TYPE_CHECKING:
    from samlad.catalog.imports import ImportReport
    from samlad.kernel.runtime import Runtime

imports = typer.Typer(
    help="Bring in what another system exported: products, orders, … Each takes `--dry-run` and reports per line.",
    no_args_is_help=True,
)
app.add_typer(imports, name="import")

SHOWN_LINES = 20


@imports.command("products")
def import_products(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            readable=True,
            help="Shopify's product CSV, our CSV or our JSON Lines.",
        ),
    ],
    channel: Annotated[
        str | None,
        typer.Option(help="Code of a channel whose catalogue takes them; not needed for the only one."),
    ] = None,
    price_list: Annotated[
        str, typer.Option(help="Where prices without a list go; it is made if it is missing.")
    ] = "base",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    skip_refused: Annotated[
        bool, typer.Option("--skip-refused", help="Import the rest when some lines are refused.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write what became of every line to this CSV file.", dir_okay=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import products with variants, prices and images; what is there already is updated by handle and SKU.

    The whole file is looked at before anything is written. Exit code 1 when lines were refused.

    Example: `samlad import products products_export.csv --dry-run`
    """
    from samlad.catalog import imports as verbs

    async def work(runtime: "Runtime") -> "ImportReport":
        from samlad.catalog.shops import choose

        chosen = await choose(runtime.database, channel)
        options = verbs.ImportOptions(
            channel=chosen, price_list=price_list, dry_run=dry_run, skip_refused=skip_refused
        )
        with progress("Reading", quiet=as_json) as step:

            def shown(phase: str, done: int, total: int | None) -> None:
                if total is not None and (step.total != total or phase == "write"):
                    step.set_total(total)
                step.advance(done - step.done)

            return await verbs.run_file(runtime.database, file, options, progress=shown)

    done = with_runtime(work)
    if report is not None:
        from samlad.catalog.imports.report import write_csv

        with report.open("w", encoding="utf-8", newline="") as out:
            write_csv(done, out)
    if as_json:
        print_json(done.short())
    else:
        _tell(done)
    if done.refused:
        raise typer.Exit(1)


def _tell(done: "ImportReport") -> None:
    """The report for people: counts, then the lines that somebody should look at."""
    verb = "would be" if done.is_dry_run or not done.is_done else "were"
    say(
        f"{done.format}, {done.encoding}: {done.products} products, {len(done.lines)} lines in {done.seconds:.1f} s"
    )
    say(f"{done.created} {verb} created, {done.updated} updated, {done.unchanged} are as they were")
    if done.images:
        say(f"{done.images} images are noted, to be fetched later")
    if done.unknown_columns:
        say(f"Columns that were not read: {', '.join(done.unknown_columns)}")
    short = done.short(SHOWN_LINES)
    for line in short.lines:
        for text in (*line.problems, *line.notes):
            say(f"  line {line.line} ({line.outcome}): {text}")
    if done.refused:
        say(f"{done.refused} lines were refused." + ("" if done.is_done else " Nothing was written."))
        if not done.is_done and not done.is_dry_run:
            say("Mend them, or leave them out with --skip-refused.")
