"""``samlad payments …``: which ways to pay there are, and their keys."""

import sys

import typer

from samlad.cli import app
from samlad.cli.terminal import AsJson, print_json, print_table, say, with_runtime

group = typer.Typer(
    help="Ways to pay: which there are, and the keys of those that need some.", no_args_is_help=True
)
app.add_typer(group, name="payments")


@group.command("list")
def list_providers(as_json: AsJson = False) -> None:
    """Every payment provider and whether its keys are set. Channels offer them by their setting `payment_providers`.

    Example: `samlad payments list`
    """
    from samlad.payments import accounts

    found = with_runtime(lambda runtime: accounts.infos(runtime.database))
    if as_json:
        print_json(found)
    else:
        rows = [
            [p.name, "set" if p.is_set_up else "missing"] if p.needs_keys else [p.name, "none needed"]
            for p in found
        ]
        print_table(["provider", "keys"], rows)


@group.command("set-stripe")
def set_stripe() -> None:
    """Keep the keys of a Stripe account in the vault; they are read as JSON from standard input, never from arguments.

    The document has `secret_key`, `publishable_key` and `webhook_secret`.

    Example: `samlad payments set-stripe < keys.json`
    """
    import msgspec

    from samlad.kernel.problems import InvalidInput
    from samlad.payments import accounts
    from samlad.payments.accounts import StripeKeys

    try:
        keys = msgspec.json.decode(sys.stdin.buffer.read(), type=StripeKeys)
    except msgspec.MsgspecError as error:
        raise InvalidInput(f"The keys cannot be read: {error}.") from None
    with_runtime(
        lambda runtime: runtime.database.transaction(
            lambda tx: accounts.set_keys(tx, runtime.vault, "stripe", keys)
        )
    )
    say("The keys of Stripe are in the vault. A channel offers it by its setting payment_providers.")
