"""``samlad mail …``: what mail servers hand to us."""

import sys

import typer

from samlad.cli import app
from samlad.cli.terminal import AsJson, print_json, say, with_runtime

group = typer.Typer(help="Mails that came back.", no_args_is_help=True)
app.add_typer(group, name="mail")
TRY_LATER = 75
"""EX_TEMPFAIL of sysexits.h: a mail server keeps the message and tries again."""
MOST_BYTES = 8 * 1024 * 1024
"""What is longer is cut off: reports stand before the mail that is sent back."""


@group.command("bounce")
def bounce(as_json: AsJson = False) -> None:
    """Take a message that says that a mail did not arrive (RFC 3464), from standard input, and mark its address.

    A mail server pipes into it what comes to the address `SAMLAD_MAIL_BOUNCES`. What is no such message is passed over.
    While the database cannot be reached it ends with 75, and the mail server tries again.

    Example: `samlad mail bounce < message`
    """
    from samlad.consent import bounces

    raw = sys.stdin.buffer.read(MOST_BYTES)
    try:
        found = with_runtime(lambda runtime: runtime.database.transaction(lambda tx: bounces.take(tx, raw)))
    except Exception as error:  # noqa: BLE001 - whatever it is, the message must not be lost
        print(f"samlad: {error}", file=sys.stderr)
        raise typer.Exit(TRY_LATER) from None
    if as_json:
        print_json({"marked": found})
    else:
        say(
            f"Mails do not arrive at {found[0]}."
            if found
            else "Nothing was marked: no mail of ours came back."
        )
