"""``samlad user`` and ``samlad key``, as a script uses them."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from samlad.cli import app
from samlad.kernel.problems import Conflict, InvalidInput, NotFound


@pytest.fixture
def samlad(dsn: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command; its answer as JSON where it was asked for."""
    monkeypatch.setenv("SAMLAD_DATABASE_URL", dsn)
    monkeypatch.setenv("SAMLAD_HOME", str(tmp_path))

    def run(*arguments: str) -> Any:
        result: Result = CliRunner().invoke(app, list(arguments))
        if result.exception is not None:
            raise result.exception
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout.splitlines()[-1]) if "--json" in arguments else result.stdout

    return run


def test_staff_from_a_script(samlad: Any) -> None:
    owner = samlad("user", "invite", "--owner", "--json")
    assert "/admin/link/" in owner["url"]
    added = samlad("user", "add", "Kim@Example.com", "--name", "Kim", "--role", "owner", "--json")
    assert added["staff"]["status"] == "invited"
    assert added["link"]["purpose"] == "invitation"
    assert "/admin/link/" in samlad("user", "reset-link", "kim@example.com")
    again = samlad("user", "invite", "kim@example.com", "--json")
    assert (again["purpose"], again["url"] != added["link"]["url"]) == ("invitation", True)
    samlad("user", "add", "sam@example.com", "--name", "Sam", "--role", "store")
    changed = samlad("user", "roles", "sam@example.com", "--role", "manager", "--role", "support", "--json")
    assert changed["roles"] == ["manager", "support"]
    assert samlad("user", "disable", "sam@example.com", "--json")["status"] == "disabled"
    assert [person["email"] for person in samlad("user", "list", "--json")] == [
        "kim@example.com",
        "sam@example.com",
    ]
    assert "sam@example.com\tSam\tdisabled\tmanager, support" in samlad("user", "list")


def test_wrong_use_is_told(samlad: Any) -> None:
    with pytest.raises(InvalidInput):
        samlad("user", "add", "kim", "--name", "Kim", "--role", "owner")
    with pytest.raises(InvalidInput):
        samlad("user", "add", "kim@example.com", "--name", "Kim", "--role", "king")
    with pytest.raises(InvalidInput):
        samlad("user", "invite")
    with pytest.raises(NotFound):
        samlad("user", "disable", "nobody@example.com")
    samlad("user", "add", "kim@example.com", "--name", "Kim", "--role", "store")
    with pytest.raises(Conflict):
        samlad("user", "add", "KIM@example.com", "--name", "Kim", "--role", "store")


def test_keys_from_a_script(samlad: Any) -> None:
    secret = samlad("key", "create", "Sync", "--scope", "staff.read").strip().splitlines()[-1]
    assert secret.startswith("sk_live_")
    everything = samlad("key", "create", "All", "--scope", "all", "--days", "0", "--json")
    assert everything["key"]["expires_at"] is None
    assert "audit.read" in everything["key"]["scopes"]
    listed = {key["name"]: key for key in samlad("key", "list", "--json")}
    assert listed["Sync"]["scopes"] == ["staff.read"]
    assert secret not in json.dumps(listed)
    assert samlad("key", "revoke", listed["Sync"]["id"], "--json")["revoked_at"] is not None
    assert "revoked" in samlad("key", "list")
    with pytest.raises(InvalidInput):
        samlad("key", "create", "x", "--scope", "no.such")
