"""``samlad key …``: API keys for machines."""

from typing import Annotated
from uuid import UUID

import typer

from samlad.cli import app
from samlad.cli.terminal import AsJson, print_json, print_table, say, with_runtime

group = typer.Typer(help="API keys: create, list, revoke.", no_args_is_help=True)
app.add_typer(group, name="key")


@group.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[
        list[str],
        typer.Option(
            "--scope", help="A permission, see `/api/permissions`; may be repeated. `all`: every one."
        ),
    ],
    days: Annotated[int, typer.Option(help="Days until it expires; 0: never.", min=0, max=3650)] = 365,
    as_json: AsJson = False,
) -> None:
    """Make a key and print its secret, this one time.

    Example: `samlad key create "Warehouse sync" --scope stock.read --scope stock.adjust`
    """
    import samlad.app  # noqa: F401 - every package must have declared its permissions
    from samlad.access import keys
    from samlad.access.keys import KeyInput
    from samlad.access.permissions import permissions

    scopes = list(permissions()) if scope == ["all"] else scope
    given = KeyInput(name=name, scopes=scopes, expires_in_days=days or None)
    made = with_runtime(lambda runtime: runtime.database.transaction(lambda tx: keys.create(tx, given)))
    if as_json:
        print_json(made)
    else:
        say(made.secret)


@group.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """All keys, without their secrets.

    Example: `samlad key list --json`
    """
    from samlad.access import keys

    found = with_runtime(lambda runtime: keys.everything(runtime.database))
    if as_json:
        print_json(found)
        return
    rows = [
        [
            key.id,
            key.name,
            key.hint,
            "revoked" if key.revoked_at else f"until {key.expires_at:%F}" if key.expires_at else "for ever",
            key.last_used and f"{key.last_used:%F %H:%M}",
            ", ".join(key.scopes),
        ]
        for key in found
    ]
    print_table(["id", "name", "begins", "valid", "last used", "scopes"], rows)


@group.command()
def revoke(
    key: Annotated[UUID, typer.Argument(help="Its id, from `samlad key list`.")], as_json: AsJson = False
) -> None:
    """Make a key worthless at once.

    Example: `samlad key revoke 0199c0de-…`
    """
    from samlad.access import keys

    revoked = with_runtime(lambda runtime: runtime.database.transaction(lambda tx: keys.revoke(tx, key)))
    if as_json:
        print_json(revoked)
    else:
        say(f"{revoked.name} ({revoked.hint}) is revoked.")
