"""``samlad payments``: keys come from standard input and are never shown."""

import json
import os
import subprocess
import sys

from fake_stripe import KEYS

from samlad.kernel.settings import Settings


def samlad(settings: Settings, *arguments: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("SAMLAD_")}
    own = {"SAMLAD_HOME": str(settings.home), "SAMLAD_DATABASE_URL": settings.database_url or ""}
    return subprocess.run(
        [sys.executable, "-m", "samlad.cli", "payments", *arguments],
        env=inherited | own, input=given, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


async def test_the_keys_of_stripe_are_set_and_not_shown(settings: Settings) -> None:
    wrong = samlad(settings, "set-stripe", given='{"secret_key": "sk_test_12345678"}')
    assert wrong.returncode == 2
    assert "publishable_key" in wrong.stderr
    done = samlad(settings, "set-stripe", given=json.dumps(KEYS))
    assert done.returncode == 0, done.stderr
    listed = samlad(settings, "list", "--json")
    by_name = {each["name"]: each for each in json.loads(listed.stdout)}
    assert by_name["stripe"]["is_set_up"] is True
    assert by_name["invoice"]["needs_keys"] is False
    assert KEYS["secret_key"] not in done.stdout + done.stderr + listed.stdout
