"""``samlad user …``: who works here. For the first owner, for scripts, and for when nobody gets in any more."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from samlad.cli import app
from samlad.cli.terminal import AsJson, print_json, print_table, say, with_runtime

if TYPE_CHECKING:
    from samlad.access.permissions import Role

group = typer.Typer(
    help="Staff: invite, list, disable, hand out one-time links, change roles.", no_args_is_help=True
)
app.add_typer(group, name="user")

EmailArgument = Annotated[str, typer.Argument(help="E-mail address.", metavar="EMAIL")]
RolesOption = Annotated[
    list[str],
    typer.Option("--role", help="owner, manager, store, support, marketing or developer; may be repeated."),
]
LocationsOption = Annotated[
    list[str] | None,
    typer.Option("--location", help="Id of a location to be bound to; may be repeated. None: everywhere."),
]


@group.command()
def add(
    email: EmailArgument,
    role: RolesOption,
    name: Annotated[str, typer.Option(help="As colleagues call them.")],
    location: LocationsOption = None,
    as_json: AsJson = False,
) -> None:
    """Add somebody and print the one-time link by which they set their password.

    Example: `samlad user add kim@example.com --name "Kim Berg" --role manager`
    """
    from samlad.access import staff
    from samlad.access.staff import StaffInput

    given = StaffInput(
        email=staff.require_address(email), name=name, roles=_roles(role), locations=_locations(location)
    )
    invited = with_runtime(
        lambda runtime: runtime.database.transaction(
            lambda tx: staff.invite(tx, given, runtime.settings.socket_url)
        )
    )
    if as_json:
        print_json(invited)
    else:
        say(
            f"{invited.staff.name} is invited. Hand them this link; it works once, until {invited.link.expires_at:%F}:"
        )
        say(invited.link.url)


@group.command()
def invite(
    email: Annotated[
        str | None, typer.Argument(help="E-mail address; with --owner it may be left out.")
    ] = None,
    owner: Annotated[
        bool, typer.Option("--owner", help="For the very first owner, or when none is left.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print a new one-time link: for somebody who was added and has not come yet, or for the first owner.

    Examples: `samlad user invite --owner`, `samlad user invite kim@example.com`
    """
    if not owner:
        _link(_required(email), as_json)
        return
    from samlad.access.welcome import first_start
    from samlad.kernel.problems import Conflict

    url = with_runtime(
        lambda runtime: runtime.database.transaction(lambda tx: first_start(tx, runtime.settings.socket_url))
    )
    if url is None:
        raise Conflict("There is an owner already. They invite others: samlad user add … --role owner")
    if as_json:
        print_json({"url": url})
    else:
        say(f"Open this once to become the owner:\n{url}")


@group.command("list")
def list_staff(as_json: AsJson = False) -> None:
    """Everybody who works here.

    Example: `samlad user list --json`
    """
    from samlad.access import staff

    found = with_runtime(lambda runtime: staff.everybody(runtime.database))
    if as_json:
        print_json(found)
        return
    columns = ["email", "name", "status", "roles", "locations", "second factor", "signed in"]
    print_table(
        columns,
        [
            [
                person.email,
                person.name,
                person.status,
                ", ".join(person.roles),
                len(person.locations) or "everywhere",
                ", ".join(["codes"] * person.has_totp + ["passkey"] * bool(person.passkeys)),
                person.signed_in_at and f"{person.signed_in_at:%F %H:%M}",
            ]
            for person in found
        ],
    )


@group.command()
def disable(email: EmailArgument, as_json: AsJson = False) -> None:
    """Shut somebody out at once. The last owner cannot be disabled.

    Example: `samlad user disable kim@example.com`
    """
    from samlad.access import staff
    from samlad.access.staff import Staff
    from samlad.kernel.database import Tx

    async def work(tx: Tx) -> Staff:
        return await staff.disable(tx, (await staff.by_email(tx, email)).id)

    person = with_runtime(lambda runtime: runtime.database.transaction(work))
    if as_json:
        print_json(person)
    else:
        say(f"{person.name} cannot sign in any more.")


@group.command("reset-link")
def reset_link(email: EmailArgument, as_json: AsJson = False) -> None:
    """Print a one-time link by which somebody sets a new password.

    Example: `samlad user reset-link kim@example.com`
    """
    _link(email, as_json)


@group.command()
def roles(
    email: EmailArgument, role: RolesOption, location: LocationsOption = None, as_json: AsJson = False
) -> None:
    """Give somebody these roles (and locations) in place of what they have.

    Example: `samlad user roles kim@example.com --role store --location 0199…`
    """
    from samlad.access import staff
    from samlad.access.staff import Staff, StaffChange
    from samlad.kernel.database import Tx

    change = StaffChange(roles=_roles(role), locations=_locations(location))

    async def work(tx: Tx) -> Staff:
        return await staff.change(tx, (await staff.by_email(tx, email)).id, change)

    person = with_runtime(lambda runtime: runtime.database.transaction(work))
    if as_json:
        print_json(person)
    else:
        say(f"{person.name}: {', '.join(person.roles)}")


def _link(email: str, as_json: bool) -> None:
    from samlad.access import staff
    from samlad.access.links import NewLink
    from samlad.kernel.database import Tx

    async def work(tx: Tx, base_url: str) -> NewLink:
        return await staff.make_link(tx, (await staff.by_email(tx, email)).id, base_url)

    link = with_runtime(
        lambda runtime: runtime.database.transaction(lambda tx: work(tx, runtime.settings.socket_url))
    )
    if as_json:
        print_json(link)
    else:
        say(f"It works once, until {link.expires_at:%F %H:%M} UTC:\n{link.url}")


def _required(email: str | None) -> str:
    from samlad.kernel.problems import InvalidInput

    if email is None:
        raise InvalidInput("Say whom: samlad user invite EMAIL, or samlad user invite --owner")
    return email


def _roles(texts: list[str]) -> "list[Role]":
    from samlad.access.permissions import Role
    from samlad.kernel.problems import InvalidInput

    try:
        return [Role(text) for text in texts]
    except ValueError:
        raise InvalidInput.at("--role", f"one of {', '.join(Role)}") from None


def _locations(texts: list[str] | None) -> list[UUID]:
    from samlad.kernel.problems import InvalidInput

    try:
        return [UUID(text) for text in texts or []]
    except ValueError:
        raise InvalidInput.at("--location", "the id of a location, a UUID") from None
