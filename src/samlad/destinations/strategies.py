"""How a receiver is spoken to, by name. A new one is a class with ``name``, ``fields`` and `send`, put into `STRATEGIES`.

Sources: Google Data Manager API, "audienceMembers.ingest" and "audienceMembers.remove" (10,000 people a request); Meta
Marketing API, "Custom Audience Users" (10,000 rows); Standard Webhooks 1.0.
"""

import base64
import csv
import io
import time
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from samlad.destinations import rules
from samlad.destinations.model import Entry
from samlad.kernel import outside
from samlad.kernel.i18n import marked
from samlad.kernel.outside import Answer, Gate, OutsideError

Act = Literal["add", "remove"]


class Field(msgspec.Struct, frozen=True):
    """What a receiver needs to be told. Secrets are sealed, and never shown again."""

    name: str
    label: str
    is_secret: bool = False
    hint: str = ""


class Refused(Exception):
    """The receiver did not take it. ``retry_after`` as it said it."""

    def __init__(self, reason: str, retry_after: str | None = None) -> None:
        super().__init__(reason)
        self.reason, self.retry_after = reason, retry_after


class Sending(msgspec.Struct, frozen=True):
    """What a strategy gets to send with. ``config`` has the secrets; ``batch`` is the same however often it is tried."""

    destination: UUID
    batch: UUID
    config: dict[str, str]
    home: Path
    gate: Gate


class Strategy(Protocol):
    """How one sort of receiver is spoken to. ``style`` says how texts are hashed for it."""

    name: str
    title: str
    style: str
    fields: tuple[Field, ...]

    async def send(self, sending: Sending, act: Act, entries: list[Entry]) -> str | None:
        """Have people added or removed; what the receiver calls it.

        Raises:
            Refused, OutsideError: it was not taken.
        """
        ...


def _taken(answer: Answer) -> bytes:
    if 200 <= answer.status < 300:
        return answer.content
    said = answer.content[:300].decode("utf-8", "replace")
    raise Refused(f"it answered {answer.status}: {said}", answer.retry_after)


class Webhook:
    """A signed request as Standard Webhooks have it, to whatever address."""

    name, title, style = "webhook", marked("Signed webhook"), "plain"
    fields: tuple[Field, ...] = (
        Field("url", marked("Address"), hint=marked("It begins with https://")),
        Field(
            "secret",
            marked("Signing secret"),
            is_secret=True,
            hint=marked("whsec_ and at least 24 bytes in base64, as Standard Webhooks have it."),
        ),
    )

    async def send(self, sending: Sending, act: Act, entries: list[Entry]) -> str | None:
        """One request with all of them."""
        message, now = f"{sending.batch}-{act}", int(time.time())
        people = [{"email_sha256": each.emails, "phone_sha256": each.phones} for each in entries]
        data = {"destination": str(sending.destination), "action": act, "people": people}
        body = msgspec.json.encode({"type": f"audience.{act}", "data": data})
        headers = {
            "webhook-id": message,
            "webhook-timestamp": str(now),
            "webhook-signature": rules.signature(sending.config["secret"], message, now, body),
        }
        _taken(await outside.post(sending.config["url"], body, sending.gate, headers=headers))
        return message


_FORM: Any = {"kind": "application/x-www-form-urlencoded", "headers": {"Accept": "application/json"}}


class Meta:
    """A Custom Audience at Meta."""

    name, title, style = "meta", marked("Meta Custom Audience"), "meta"
    fields: tuple[Field, ...] = (
        Field("audience", marked("Id of the Custom Audience")),
        Field("token", marked("Access token of a system user"), is_secret=True),
    )

    def __init__(self, base: str = "https://graph.facebook.com/v25.0") -> None:
        self.base = base

    async def send(self, sending: Sending, act: Act, entries: list[Entry]) -> str | None:
        """A row for each address with a number: what is not known is empty. Rows of several keys name them without a hash."""
        rows = [list(pair) for each in entries for pair in _pairs(each)]
        payload = {"schema": ["EMAIL", "PHONE"], "data": rows}
        form = {"payload": msgspec.json.encode(payload).decode(), "access_token": sending.config["token"]}
        if act == "remove":
            form["method"] = "delete"
        url = f"{self.base}/{sending.config['audience']}/users"
        found = _json(_taken(await outside.post(url, urlencode(form).encode(), sending.gate, **_FORM)))
        if found.get("num_invalid_entries"):
            raise Refused(f"{found['num_invalid_entries']} entries are not valid")
        return str(found.get("session_id") or "") or None


def _pairs(each: Entry) -> list[tuple[str, str]]:
    longest = max(len(each.emails), len(each.phones))
    emails = each.emails + [""] * (longest - len(each.emails))
    phones = each.phones + [""] * (longest - len(each.phones))
    return list(zip(emails, phones, strict=True))


def _json(content: bytes) -> dict[str, object]:
    try:
        found = msgspec.json.decode(content or b"{}")
    except msgspec.DecodeError:
        raise Refused("its answer is no JSON") from None
    return found if isinstance(found, dict) else {}


MOST_IDENTIFIERS = 10
"""Of one member of an audience at Google; who has more is several."""


class Google:
    """Customer Match by the Data Manager API, with an OAuth refresh token."""

    name, title, style = "google", marked("Google Customer Match"), "google"
    fields: tuple[Field, ...] = (
        Field("account", marked("Id of the Google Ads account"), hint=marked("Ten digits, without dashes.")),
        Field("audience", marked("Id of the audience")),
        Field("client_id", marked("OAuth client id")),
        Field("client_secret", marked("OAuth client secret"), is_secret=True),
        Field("refresh_token", marked("OAuth refresh token"), is_secret=True),
    )

    def __init__(
        self,
        base: str = "https://datamanager.googleapis.com/v1",
        tokens: str = "https://oauth2.googleapis.com/token",
    ) -> None:
        self.base, self.tokens = base, tokens

    async def send(self, sending: Sending, act: Act, entries: list[Entry]) -> str | None:
        """Only who has agreed comes here: the request says so."""
        account = {"accountType": "GOOGLE_ADS", "accountId": sending.config["account"]}
        body: dict[str, object] = {
            "destinations": [
                {"operatingAccount": account, "productDestinationId": sending.config["audience"]}
            ],
            "audienceMembers": [
                {"userData": {"userIdentifiers": some}} for each in entries for some in _members(each)
            ],
            "encoding": "HEX",
        }
        if act == "add":
            body["consent"] = {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_GRANTED"}
            body["termsOfService"] = {"customerMatchTermsOfServiceStatus": "ACCEPTED"}
        way = "ingest" if act == "add" else "remove"
        headers = {"Authorization": f"Bearer {await self._token(sending)}"}
        url = f"{self.base}/audienceMembers:{way}"
        answer = await outside.post(url, msgspec.json.encode(body), sending.gate, headers=headers)
        return str(_json(_taken(answer)).get("requestId") or "") or None

    async def _token(self, sending: Sending) -> str:
        wanted = {name: sending.config[name] for name in ("client_id", "client_secret", "refresh_token")}
        form = urlencode({**wanted, "grant_type": "refresh_token"}).encode()
        found = _json(_taken(await outside.post(self.tokens, form, sending.gate, **_FORM)))
        token = found.get("access_token")
        if not isinstance(token, str):
            raise Refused("it gave no access token")
        return token


def _members(each: Entry) -> list[list[dict[str, str]]]:
    every = [{"emailAddress": digest} for digest in each.emails]
    every += [{"phoneNumber": digest} for digest in each.phones]
    return [every[start : start + MOST_IDENTIFIERS] for start in range(0, len(every), MOST_IDENTIFIERS)]


DROPS = "drops"
"""The folder of files that are dropped, in the home folder."""


class FileDrop:
    """A file for each batch in the home folder, for whoever fetches it from there. It is kept for 30 days (`sweepers`)."""

    name, title, style = "file", marked("File in the home folder"), "plain"
    fields: tuple[Field, ...] = (
        Field("folder", marked("Name of the folder"), hint=marked("Letters, digits and dashes.")),
    )

    async def send(self, sending: Sending, act: Act, entries: list[Entry]) -> str | None:
        """Whole or not at all: written beside, then renamed. The same batch again is the same file."""
        folder = sending.home / DROPS / sending.config["folder"]
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(("action", "email_sha256", "phone_sha256"))
        writer.writerows((act, *pair) for each in entries for pair in _pairs(each))
        path = folder / f"{sending.batch}-{act}.csv"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            part.write_text(text.getvalue(), encoding="utf-8")
            part.replace(path)
        except OSError as error:
            raise Refused(f"the file cannot be written: {error.strerror}") from None
        return path.name


_ALL: tuple[Strategy, ...] = (Google(), Meta(), Webhook(), FileDrop())
STRATEGIES: dict[str, Strategy] = {each.name: each for each in _ALL}
"""Every way to send, by name."""


def faults(strategy: Strategy, config: dict[str, str]) -> list[tuple[str, str]]:
    """What is wrong with a config, by field."""
    found = [(each.name, "is needed") for each in strategy.fields if not config.get(each.name, "").strip()]
    known = {each.name for each in strategy.fields}
    found += [(name, f"is none of {', '.join(sorted(known))}") for name in config if name not in known]
    url = config.get("url", "")
    if url and "url" in known and not url.startswith("https://"):
        found.append(("url", "must begin with https://"))
    folder = config.get("folder", "")
    if folder and "folder" in known and not _is_plain(folder):
        found.append(("folder", "must be letters, digits and dashes"))
    for name in ("account", "audience"):
        if name in known and config.get(name) and not config[name].isdecimal():
            found.append((name, "must be digits"))
    if "secret" in known and config.get("secret") and not _is_secret(config["secret"]):
        found.append(("secret", "must be whsec_ and at least 24 bytes in base64"))
    return found


def _is_plain(text: str) -> bool:
    return len(text) <= 50 and text.isascii() and text.replace("-", "").isalnum()


def _is_secret(text: str) -> bool:
    try:
        return text.startswith("whsec_") and len(base64.b64decode(text[6:], validate=True)) >= 24
    except ValueError:
        return False


__all__ = ["STRATEGIES", "Act", "Field", "OutsideError", "Refused", "Sending", "Strategy", "faults"]
