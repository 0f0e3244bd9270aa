"""``samlad mail …``: what mail servers hand to us."""

import sys

import typer

from samlad.cli import app
from samlad.cli.terminal import AsJson, print_json, say, with_runtime

group = typer.Typer(help="Mails that come in.", no_args_is_help=True)
app.add_typer(group, name="mail")
TRY_LATER = 75
"""EX_TEMPFAIL of sysexits.h: a mail server keeps the message and tries again."""
MOST_BYTES = 25 * 1024 * 1024
"""What is longer is cut off: words and reports stand before files and before the mail that is sent back. The file that is
cut is only named."""


@group.command("receive")
def receive(as_json: AsJson = False) -> None:
    """Take a mail from standard input: an answer to a mail of a conversation, or one that says that a mail did not arrive.

    A mail server pipes into it what comes to the addresses `SAMLAD_MAIL_REPLIES` and `SAMLAD_MAIL_BOUNCES`. Answers land in
    their conversation, what is in doubt waits for staff, addresses at which mails do not arrive are marked (RFC 3464), and
    what programs write is passed over. While it cannot be taken the command ends with 75, and the mail server tries again.

    Example: `samlad mail receive < message`
    """
    from samlad.conversations import receiving
    from samlad.kernel.problems import InvalidInput

    raw = sys.stdin.buffer.read(MOST_BYTES)
    if not raw.strip():
        raise InvalidInput("There is no mail on standard input.")
    try:
        found = with_runtime(
            lambda runtime: runtime.database.transaction(lambda tx: receiving.receive(tx, raw))
        )
    except Exception as error:  # noqa: BLE001 - whatever it is, the message must not be lost
        print(f"samlad: {error}", file=sys.stderr)
        raise typer.Exit(TRY_LATER) from None
    if as_json:
        print_json(found)
        return
    told = {
        "taken": "It is in its conversation.",
        "waiting": "It waits for staff: it is not certain which conversation it belongs to.",
        "again": "It came before.",
        "passed": "It was passed over: a program wrote it.",
    }
    if found.what == "bounced":
        addresses = ", ".join(found.addresses)
        say(
            f"Mails do not arrive at {addresses}."
            if addresses
            else "Nothing was marked: no mail of ours came back."
        )
    else:
        say(told[found.what])
