"""``samlad demo``: a running shop with a year of real trade, in one command."""

import contextlib
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from samlad.cli import app
from samlad.cli.terminal import Step, print_json, progress, say

if TYPE_CHECKING:
    from samlad.demo.build import Built
    from samlad.demo.summary import Summary
    from samlad.kernel.settings import Settings

READY_SECONDS = 60.0


@app.command()
def demo(
    once: Annotated[
        bool,
        typer.Option(
            "--once",
            help="Build, serve, sell one thing on each of two channels, check, say it as JSON, stop.",
        ),
    ] = False,
    host: Annotated[str | None, typer.Option(help="Address to listen on (SAMLAD_HOST).")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on (SAMLAD_PORT).", min=1, max=65535)
    ] = None,
) -> None:
    """Build and serve the demo: a British gift shop's real year as a web shop, a dozen stores that share its stock, and a
    marketplace that stands apart.

    Everything is in `SAMLAD_HOME`, or in `./var` if that is not set. The second start takes seconds.

    Example: `samlad demo --once | tail -1 | jq .revenue`
    """
    for name, value in (("HOST", host), ("PORT", port)):
        if value is not None:
            os.environ[f"SAMLAD_{name}"] = str(value)
    os.environ.setdefault("SAMLAD_HOME", str(Path("var").absolute()))
    if "SAMLAD_SMTP_HOST" not in os.environ:  # links to sign in are in the log: nothing here is anybody's
        os.environ.setdefault("SAMLAD_MAIL_TO_LOG", "true")
    from samlad.cli import processes
    from samlad.kernel.settings import load
    from samlad.kernel.telemetry import configure_logging

    settings = load()
    configure_logging(settings)
    processes.check_port(settings)
    started = time.monotonic()
    with processes.ending_in_order(), contextlib.ExitStack() as outer:
        if once or not _is_there(settings):
            outer.enter_context(processes.postgres(settings))
            built, summary = _build(settings)
        if once:
            raise typer.Exit(_prove(settings, built, summary, started))

        def prepare(stack: contextlib.ExitStack) -> None:
            stack.enter_context(processes.postgres(settings))
            _greet(settings, *_build(settings), time.monotonic() - started)

        processes.serve_all(settings, prepare)


def _is_there(settings: "Settings") -> bool:
    """Whether it was built before, so that it can be looked through while the web processes load."""
    return settings.database_url is None and (settings.home / "demo-sign-in.json").exists()


def _build(settings: "Settings") -> "tuple[Built, Summary]":
    """Build what is missing and check the totals against the file."""
    import asyncio

    if not _is_there(settings):  # to look through what is there this is not needed, and takes a second
        import samlad.app  # noqa: F401 - so that every package has declared its events, permissions and jobs
    from samlad.demo import build, summary
    from samlad.kernel.runtime import open_runtime
    from samlad.packages import PACKAGES

    async def work() -> "tuple[Built, Summary]":
        with contextlib.ExitStack() as stack:
            async with open_runtime(settings, packages=PACKAGES) as runtime:
                built = await build.build(runtime, _Steps(stack))
                return built, await summary.summarise(runtime.database)

    return asyncio.run(work())


class _Steps:
    """Shows each step of the build as one line of progress."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self._name = ""
        self._step: Step | None = None

    def __call__(self, name: str, done: int, total: int | None) -> None:
        if name != self._name or self._step is None:
            self._stack.close()
            self._name, self._step = name, self._stack.enter_context(progress(name, total))
        self._step.advance(done - self._step.done)


def _greet(settings: "Settings", built: "Built", summary: "Summary", seconds: float) -> None:
    from samlad.demo import kim

    say(
        f"\n{summary.invoices:,} invoices with {summary.lines:,} lines of {summary.customers:,} customers, "
        f"£{Decimal(summary.revenue):,}, checked against the file ({seconds:.1f} s)."
    )
    address = settings.socket_url
    say(f"\n  Shop    {address}/\n  Till    {address}/pos\n  Admin   {address}/admin\n")
    for person in built.people:
        say(f"  {person.email}   {person.password}   ({person.name}, {person.role})")
    say(f"\n  {kim.EMAIL}   a customer: ask for a link at {address}/account; the mail is in the log")
    say(f"\nCommands work on it with SAMLAD_HOME={shlex.quote(str(settings.home))}, for example")
    say("  samlad pool plan bazaar customers")
    say("\nCtrl-C ends it.")


def _prove(settings: "Settings", built: "Built", summary: "Summary", started: float) -> int:
    """Serve, let a visitor try everything, say how it went; the exit code."""
    from samlad.demo import bazaar
    from samlad.demo.build import TILL
    from samlad.demo.places import WEBSHOP
    from samlad.demo.proof import Proof

    with _server(settings):
        checks = [
            *summary.checks,
            *Proof(settings.socket_url, built.people[0]).run(WEBSHOP, TILL, bazaar.CODE),
        ]
    for check in checks:
        print(f"{'ok  ' if check.passed else 'FAIL'} {check.name}: {check.detail}", file=sys.stderr)
    passed = all(check.passed for check in checks)
    print_json(
        {
            "invoices": summary.invoices,
            "lines": summary.lines,
            "customers": summary.customers,
            "revenue": summary.revenue,
            "seconds": round(time.monotonic() - started, 1),
            "built": built.is_new,
            "passed": passed,
            "checks": checks,
        }
    )
    return 0 if passed else 1


@contextlib.contextmanager
def _server(settings: "Settings") -> Iterator[None]:
    """``samlad serve`` beside us, ready to answer."""
    import httpx

    from samlad.kernel.parent import VARIABLE
    from samlad.kernel.problems import Problem

    process = subprocess.Popen(
        [sys.executable, "-m", "samlad.cli", "serve"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={**os.environ, VARIABLE: str(os.getpid())},
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{settings.socket_url}/health/ready").is_success:
                    break
            if process.poll() is not None or time.monotonic() > deadline:
                raise Problem("The server did not start; try: samlad serve")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(30)
