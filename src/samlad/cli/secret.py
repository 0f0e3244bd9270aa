"""``samlad secret …``: the key of the vault."""

import sys

import typer

from samlad.cli import app
from samlad.cli.terminal import AsJson, print_json, print_table, say, with_runtime

group = typer.Typer(help="The secrets at rest: what is stored, and a new key for them.", no_args_is_help=True)
app.add_typer(group, name="secret")


@group.command("list")
def list_secrets(as_json: AsJson = False) -> None:
    """Names of the stored secrets and the key that each needs; never their values.

    Example: `samlad secret list --json`
    """
    from samlad.kernel import vault

    found = with_runtime(lambda runtime: vault.names(runtime.database))
    if as_json:
        print_json(found)
    else:
        print_table(["name", "key"], [[secret.name, secret.key_id] for secret in found])


@group.command("set")
def set_secret(name: str) -> None:
    """Keep a secret under a name, in place of what was there; its value is asked for, or read from a pipe.

    Example: `pass show mail | samlad secret set smtp`
    """
    from samlad.kernel import vault
    from samlad.kernel.problems import InvalidInput

    value = typer.prompt("Value", hide_input=True) if sys.stdin.isatty() else sys.stdin.read().rstrip("\n")
    if not value:
        raise InvalidInput("There is nothing to keep.")
    with_runtime(
        lambda runtime: runtime.database.transaction(
            lambda tx: vault.put(tx, runtime.vault, name, value.encode())
        )
    )
    say(f"Kept as {name}.")


@group.command()
def rotate() -> None:
    """Put a new key in front of the key file and seal every stored secret with it.

    Old keys stay in the file for cookies and links; restart the servers afterwards.

    Example: `samlad secret rotate`
    """
    from samlad.kernel import sealing, vault
    from samlad.kernel.database import Tx
    from samlad.kernel.problems import InvalidInput
    from samlad.kernel.runtime import Runtime
    from samlad.kernel.settings import load

    settings = load()
    if settings.secret_key:
        raise InvalidInput(
            "The key comes from SAMLAD_SECRET_KEY: put a new one before it there, with a comma."
        )
    new = vault.add_key(settings.home)

    async def reseal(runtime: Runtime) -> int:
        async def work(tx: Tx) -> int:
            return await vault.reseal_all(tx, runtime.vault) + await sealing.reseal_all(tx, runtime.vault)

        return await runtime.database.transaction(work)

    count = with_runtime(reseal)
    say(f"The key is {new} now; {count} secrets were sealed anew. Restart the servers.")
