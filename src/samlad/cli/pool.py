"""``samlad pool``: let channels join and leave pools."""

from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from samlad.cli import app
from samlad.cli.terminal import AsJson, print_json, print_table, progress, say, with_runtime

if TYPE_CHECKING:
    from samlad.channels import Resource
    from samlad.pools import MoveRow, Plan

pool = typer.Typer(no_args_is_help=True, help="Let channels join the pools of others, and leave them.")
app.add_typer(pool, name="pool")

OfChannel = Annotated[str, typer.Argument(help="Code of the channel")]
OfResource = Annotated[
    str, typer.Argument(help="What is shared: stock, orders, customers, carts, prices, catalogue …")
]
To = Annotated[str | None, typer.Option(help="Code of a channel whose pool is joined")]
KeepOwn = Annotated[
    bool,
    typer.Option(
        "--keep-own",
        help="Where prices (or texts) differ, the channel keeps its own; leaving, the prices (or collections) that it shows now",
    ),
]


@pool.command("plan")
def plan(
    channel: OfChannel,
    resource: OfResource,
    to: To = None,
    keep_own: KeepOwn = False,
    as_json: AsJson = False,
) -> None:
    """Say what joining (or, if it shares already, leaving) would do. Changes nothing. Exit code 1: something is in the way.

    Example: `samlad pool plan bazaar customers --to web`
    """
    from samlad import channels, pools
    from samlad.kernel.runtime import Runtime

    async def work(runtime: Runtime) -> "Plan":
        found = await channels.by_code(runtime.database, channel)
        return await pools.plan(runtime.database, found, _resource(resource), to, keeps_own=keep_own)

    planned = with_runtime(work)
    if as_json:
        print_json(planned)
    else:
        _show(planned)
    raise typer.Exit(0 if planned.is_ready else 1)


def _resource(text: str) -> "Resource":
    from samlad.channels import Resource
    from samlad.kernel.problems import InvalidInput

    try:
        return Resource(text)
    except ValueError:
        raise InvalidInput.at("resource", f"“{text}” is none of {', '.join(Resource)}") from None


def _text(path: Path) -> str:
    from samlad.kernel.problems import InvalidInput

    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInput.at("read", f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InvalidInput.at("read", f"{path} is not UTF-8 at byte {error.start}") from None


def _writable(path: Path) -> IO[bytes]:
    from samlad.kernel.problems import InvalidInput

    try:
        return path.open("wb")
    except OSError as error:
        raise InvalidInput.at("save", f"{path}: {error.strerror}") from None


def _rows(count: int) -> str:
    return f"{count:,} row" if count == 1 else f"{count:,} rows"


def _show(planned: "Plan") -> None:
    from samlad.kernel.money import format_money

    others = ", ".join(planned.to[:8]) + (" …" if len(planned.to) > 8 else "")
    verb = "would join" if planned.kind == "join" else "would leave"
    say(f"{planned.channel} {verb} the {planned.resource} of {others}; {_rows(planned.rows)} to carry over.")
    rows = []
    for finding in planned.findings:
        rows.append([finding.level, f"{finding.count:,}", finding.text])
        if finding.advice:
            rows.append(["", "", f"→ {finding.advice}"])
        for each in finding.examples:
            both = [part for part in (each.here, each.there) if part]
            if each.currency:
                both = [format_money(int(part), each.currency) for part in both]
            beside = " | ".join(both)
            units = "" if each.units is None else f"{each.units} units"
            rows.append(["", "", "  ".join(part for part in (each.label, beside, units, each.why) if part)])
    if rows:
        print_table(["", "how many", "what"], rows)
    say("Ready." if planned.is_ready else "Not ready: what is blocking comes first.")


@pool.command("join")
def join(
    channel: OfChannel,
    resource: OfResource,
    to: To = None,
    keep_own: KeepOwn = False,
    as_json: AsJson = False,
) -> None:
    """Let a channel join, and see it through. A worker goes on with it if this is interrupted.

    Example: `samlad pool join bazaar customers --to web`
    """
    _move(channel, resource, "join", to, keep_own=keep_own, as_json=as_json)


@pool.command("leave")
def leave(
    channel: OfChannel, resource: OfResource, keep_own: KeepOwn = False, as_json: AsJson = False
) -> None:
    """Let a channel leave, back into its own pool, and see it through.

    Example: `samlad pool leave bazaar customers`
    """
    _move(channel, resource, "leave", None, keep_own=keep_own, as_json=as_json)


@pool.command("pairs")
def pairs(
    channel: OfChannel,
    to: To = None,
    save: Annotated[Path | None, typer.Option(help="Write the whole work list into this file (CSV)")] = None,
    read: Annotated[
        Path | None, typer.Option(help="Keep what this file says: sku, decision, twin_sku (CSV)")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what the channel's goods are in the catalogue that it would join, or say it.

    Example: `samlad pool pairs bazaar --save pairs.csv`
    """
    import samlad.app  # noqa: F401 - every package must have declared its events
    from samlad import pools
    from samlad.catalog import pairing
    from samlad.channels import by_code
    from samlad.kernel.listing import ListQuery
    from samlad.kernel.runtime import Runtime

    decisions = None if read is None else pairing.read_csv(_text(read))

    async def work(runtime: Runtime) -> tuple[dict[str, int], list[pairing.Pair]]:
        database = runtime.database
        found = await by_code(database, channel)
        if decisions is not None:
            await database.transaction(lambda tx: pools.decide(tx, found.id, decisions, to))
        here = await pools.between(database, found.id, to)
        if save is not None:
            with _writable(save) as file:
                async for piece in pairing.PAIRS.csv(database, ListQuery(), *here.scope):
                    file.write(piece)
        first = await pairing.PAIRS.page(database, ListQuery(limit=20), *here.scope)
        return await pairing.states(database, here.home, here.shared), first.items

    counts, lines = with_runtime(work)
    if as_json:
        print_json(counts)
        return
    say(", ".join(f"{count:,} {state}" for state, count in counts.items()) or "The channel has no goods.")
    print_table(
        ["sku", "what", "there", "why"],
        [[each.sku, each.state, each.twin_sku or "", each.why or ""] for each in lines],
    )


def _move(channel: str, resource: str, kind: str, to: str | None, *, keep_own: bool, as_json: bool) -> None:
    import samlad.app  # noqa: F401 - every package must have declared its events and jobs
    from samlad import channels, pools
    from samlad.kernel.database import Tx
    from samlad.kernel.runtime import Runtime
    from samlad.pools import moving, store

    async def work(runtime: Runtime) -> "MoveRow":
        found = await channels.by_code(runtime.database, channel)

        async def begin(tx: Tx) -> "MoveRow":
            if kind == "join":
                return await pools.join(tx, found.id, _resource(resource), to=to, keeps_own=keep_own)
            return await pools.leave(tx, found.id, _resource(resource), keeps_own=keep_own)

        begun = await runtime.database.transaction(begin)
        with progress(f"{kind.title()} {resource}", begun.expected, quiet=as_json) as step:
            await moving.carry_on(runtime.database, begun.id, lambda rows: step.advance(rows - step.done))
        done = await store.get(runtime.database, begun.id)
        assert done is not None
        return done

    done = with_runtime(work)
    if as_json:
        print_json(done)
    else:
        say(f"{done.channel_code}, {done.resource}: {_rows(done.rows)} in place.")
