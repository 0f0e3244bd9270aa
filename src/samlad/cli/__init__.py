"""The command line: ``samlad``. Each command is a module here; all follow the same manners.

Exit codes: 0 done, 1 failed, 2 wrong use (one line says what and how). ``--json`` where a script would want it.
Modules import what is heavy inside their functions, so that help and mistakes are answered at once.
"""

import gc
import sys

import typer

from samlad.kernel.problems import InvalidInput, NotFound, Problem

app = typer.Typer(
    name="samlad",
    help="The open omnichannel commerce engine: many channels, one shop.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def root() -> None:
    """The open omnichannel commerce engine: many channels, one shop.

    Every command reads its settings from the environment (`SAMLAD_…`) and `samlad.toml`.
    """


def main() -> None:
    """Run a command; problems become one line on standard error."""
    # Looking for garbage after every 700 objects took a quarter of an import's time: what it reads it keeps.
    gc.set_threshold(50_000, 20, 100)
    try:
        app()
    except Problem as problem:
        lines = [f"{each.field}: {each.message}" for each in problem.errors]
        if problem.detail not in {each.message for each in problem.errors}:
            lines.insert(0, problem.detail or problem.title)
        print("\n".join(f"samlad: {line}" for line in dict.fromkeys(lines)), file=sys.stderr)
        # A name that nobody has is wrong use: a script must not take it for what stands in the way (1).
        sys.exit(2 if isinstance(problem, InvalidInput | NotFound) else 1)


# Each command registers itself with `app`; the order is the order of the help.
from samlad.cli import serve  # noqa: E402, F401, I001
from samlad.cli import worker  # noqa: E402, F401
from samlad.cli import migrate  # noqa: E402, F401
from samlad.cli import imports  # noqa: E402, F401
from samlad.cli import import_orders  # noqa: E402, F401
from samlad.cli import exports  # noqa: E402, F401
from samlad.cli import pool  # noqa: E402, F401
from samlad.cli import routing  # noqa: E402, F401
from samlad.cli import followers  # noqa: E402, F401
from samlad.cli import user  # noqa: E402, F401
from samlad.cli import key  # noqa: E402, F401
from samlad.cli import secret  # noqa: E402, F401
from samlad.cli import payments  # noqa: E402, F401
from samlad.cli import mail  # noqa: E402, F401
from samlad.cli import doctor  # noqa: E402, F401
from samlad.cli import openapi  # noqa: E402, F401
from samlad.cli import reindex  # noqa: E402, F401
from samlad.cli import bench  # noqa: E402, F401
from samlad.cli import demo  # noqa: E402, F401
