"""``samlad import orders``: a history of orders."""

from pathlib import Path
from typing import Annotated

import typer

from samlad.cli.imports import imports
from samlad.cli.terminal import AsJson, print_json, print_table, progress, say, with_runtime


@imports.command("orders")
def import_orders(
    file: Annotated[Path, typer.Argument(help="A .jsonl or .csv file", exists=True, dir_okay=False)],
    channel: Annotated[str, typer.Option(help="Code of the channel that they were placed in")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and count; write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring in orders of the past. They move no stock; buyers become customers of the channel.

    The whole file is checked first: each order's lines must come to its total. Orders that are there already (by
    number) are skipped, so an import that was stopped is finished by running it again.

    Example: `samlad import orders orders.jsonl --channel web --dry-run`
    """
    from samlad import channels
    from samlad.kernel.money import format_money
    from samlad.kernel.runtime import Runtime
    from samlad.orders import import_files
    from samlad.orders.import_model import Report

    with progress("Orders", quiet=as_json) as step:

        async def work(runtime: Runtime) -> Report:
            into = await channels.by_code(runtime.database, channel)
            return await import_files.import_file(
                runtime.database, into, file, dry_run=dry_run, progress=step.advance
            )

        try:
            report = with_runtime(work)
        except import_files.BrokenFile as broken:
            if as_json:
                print_json(Report(dry_run=dry_run, faults=broken.faults))
            else:
                print_table(
                    ["line", "order", "fault"], [[f.line, f.number, f.message] for f in broken.faults]
                )
                say(f"{len(broken.faults)} faults; nothing was imported.")
            raise typer.Exit(2) from None
    if as_json:
        print_json(report)
        return
    totals = (
        ", ".join(format_money(total, currency) for currency, total in report.totals.items()) or "nothing"
    )
    verb = "Would import" if dry_run else "Imported"
    say(
        f"{verb} {report.orders:,} orders with {report.lines:,} lines of {report.customers:,} customers: {totals}"
    )
    say(f"Skipped {report.skipped:,} that were there already.")
    if report.unknown_skus:
        some = ", ".join(report.unknown_skus[:10])
        say(f"{len(report.unknown_skus):,} SKUs are not in the catalogue: {some}")
