"""The manners of the command line: help that teaches, one line for a mistake, JSON for scripts, quick answers."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from samlad.cli import app
from samlad.cli.terminal import progress


def samlad(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("SAMLAD_")}
    return subprocess.run(
        [sys.executable, "-m", "samlad.cli", *arguments],
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def commands(group: typer.Typer, path: str = "samlad") -> Iterator[tuple[str, str]]:
    """Every command with its full name and its help."""
    for command in group.registered_commands:
        function = command.callback
        assert function is not None
        yield (
            f"{path} {command.name or function.__name__.replace('_', '-')}",
            command.help or function.__doc__ or "",
        )
    for child in group.registered_groups:
        assert child.typer_instance is not None
        yield from commands(child.typer_instance, f"{path} {child.name}")


def test_every_command_has_help_with_an_example() -> None:
    found = dict(commands(app))
    assert {
        "samlad serve",
        "samlad worker",
        "samlad migrate",
        "samlad doctor",
        "samlad followers replay",
    } <= set(found)
    lacking = [name for name, text in found.items() if "Example" not in text]
    assert lacking == []


def test_help_is_quick_because_it_loads_little() -> None:
    code = (
        "import sys; sys.argv = ['samlad', '--help']\n"
        "from samlad.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'litestar', 'asyncpg', 'rich.console', 'granian', 'procrastinate', 'prometheus_client', 'duckdb'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert "serve" in result.stdout
    assert result.stderr.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        (["serve"], {"SAMLAD_PORT": "eighty"}, "port"),
        (["worker"], {"SAMLAD_PRT": "80"}, "Did you mean SAMLAD_PORT?"),
        (["followers", "replay", "nobody"], {}, "no follower called nobody"),
        (["secret", "rotate"], {"SAMLAD_SECRET_KEY": "x"}, "put a new one before it"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    arguments: list[str], environment: dict[str, str], told: str, tmp_path: Path
) -> None:
    result = samlad(*arguments, SAMLAD_HOME=str(tmp_path / "home"), **environment)
    assert result.returncode == 2, result.stderr
    assert told in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert not (tmp_path / "home").exists()


def test_an_unknown_option_is_exit_code_2() -> None:
    result = samlad("serve", "--prot", "80")
    assert result.returncode == 2
    assert "--prot" in result.stderr


def test_nobody_answering_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    url = "postgresql://samlad@127.0.0.1:1/samlad"
    result = samlad("doctor", SAMLAD_HOME=str(tmp_path), SAMLAD_DATABASE_URL=url)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "PostgreSQL does not answer" in result.stderr


async def test_commands_answer_in_json(dsn: str, tmp_path: Path) -> None:
    environment = {"SAMLAD_HOME": str(tmp_path), "SAMLAD_DATABASE_URL": dsn}
    assert json.loads(samlad("migrate", "--plan", "--json", **environment).stdout) == {"planned": []}
    assert "up to date" in samlad("migrate", **environment).stdout
    checked = samlad("doctor", "--json", **environment)
    results = {result["name"]: result for result in json.loads(checked.stdout)}
    assert {"migrations", "followers", "parked-events", "partitions", "jobs"} <= set(results)
    assert results["migrations"]["status"] == "ok"
    assert checked.returncode == (1 if any(r["status"] == "failed" for r in results.values()) else 0)
    assert isinstance(json.loads(samlad("followers", "list", "--json", **environment).stdout), list)
    assert json.loads(samlad("secret", "list", "--json", **environment).stdout) == []
    # In a process of its own: a key for everything is not only for what happened to be loaded.
    everything = json.loads(samlad("key", "create", "All", "--scope", "all", "--json", **environment).stdout)
    assert {"channels.read", "audiences.export", "conversations.receive"} <= set(everything["key"]["scopes"])


def test_progress_is_plain_lines_without_a_terminal_and_silent_for_scripts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("samlad.cli.terminal.PLAIN_SECONDS", 0)
    with progress("Counting", 2000) as step:
        step.advance(1000)
    written = capsys.readouterr()
    assert written.out == ""
    first, last = written.err.splitlines()
    assert first == "Counting: 1,000 of 2,000"
    assert last.startswith("Counting: 1,000 done in ")
    with progress("Counting", quiet=True) as step:
        step.advance()
    assert capsys.readouterr() == ("", "")
