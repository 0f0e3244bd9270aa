"""``samlad worker``: the work in the background."""

import gc
import os

from samlad.cli import app


@app.command()
def worker() -> None:
    """Run followers of the log, jobs and sweepers until Ctrl-C.

    `samlad serve` brings one along; run more of them, here or on other machines, when there is more to do.

    Example: `SAMLAD_DATABASE_URL=postgresql://… samlad worker`
    """
    import asyncio

    from samlad.app import FOLLOWERS, SWEEPERS
    from samlad.kernel.parent import follow_parent
    from samlad.kernel.priority import GIVES_WAY, give_way
    from samlad.kernel.settings import load
    from samlad.kernel.telemetry import configure_logging
    from samlad.kernel.worker import Work, run_until_stopped
    from samlad.packages import PACKAGES

    settings = load()
    configure_logging(settings)
    follow_parent(os.environ)
    give_way(os.getpid(), GIVES_WAY)  # where both want the processor, who waits for a page goes first
    gc.freeze()  # the program itself is never garbage: looking through it again and again would hold followers up
    asyncio.run(run_until_stopped(settings, Work(PACKAGES, FOLLOWERS, SWEEPERS)))
