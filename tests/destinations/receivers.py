"""Ad platforms and receivers of webhooks that speak as the real ones do, over HTTP, and fail in the ways that these do."""

import asyncio
import base64
import hashlib
import hmac
import json
import re
from typing import Any, Self
from urllib.parse import parse_qs

from samlad.kernel.outside import Gate

KEY = base64.b64encode(b"k" * 32).decode()


class Receivers:
    """Google, Meta and a webhook on one port. ``has`` is what each knows by hash; ``moods`` are answers to come: a status, with
    Retry-After, or *cut*: taken, but the answer is lost; *hang*: taken, and never answered; *page*: an error page with 200."""

    def __init__(self) -> None:
        self.has: dict[str, set[str]] = {"google": set(), "meta": set(), "webhook": set()}
        self.moods: list[tuple[int | str, str | None]] = []
        self.asked: list[tuple[str, Any]] = []
        self.faults: list[str] = []
        self._server: asyncio.Server | None = None
        self.base = ""
        self.gate = Gate()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.base = f"http://127.0.0.1:{port}"
        self.gate = Gate(allows=lambda _: True, ports=frozenset({port}), seconds=20, redirects=0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head.splitlines()[1:] if line)
        }
        body = await reader.readexactly(int(headers["content-length"]))
        path = head.split(" ")[1]
        status, answer, later = 200, {}, None
        mood, later = self.moods.pop(0) if self.moods and "token" not in path else (200, None)
        if mood in (200, "cut", "hang"):
            try:
                answer = self._take(path, headers, body)
            except (AssertionError, KeyError, ValueError) as error:
                self.faults.append(repr(error))
                status = 400
        elif mood != "page":
            status = int(mood)
            answer = {"error": {"message": "not now", "code": status}}
        if mood == "hang":
            await reader.read()  # until whoever asked has had enough
        elif mood != "cut":
            content = b"<html>Be right back</html>" if mood == "page" else json.dumps(answer).encode()
            extra = f"Retry-After: {later}\r\n" if later else ""
            writer.write(
                f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\n{extra}Connection: close\r\n\r\n".encode()
                + content
            )
            await writer.drain()
        writer.close()

    def _take(self, path: str, headers: dict[str, str], body: bytes) -> dict[str, Any]:
        if path == "/token":
            form = parse_qs(body.decode())
            assert form["grant_type"] == ["refresh_token"], form
            assert form["refresh_token"] == ["refresh"], form
            return {"access_token": "fresh", "expires_in": 3599}
        if path.startswith("/google/audienceMembers:"):
            return self._google(path.rpartition(":")[2], headers, json.loads(body))
        if path == "/meta/4711/users":
            return self._meta(parse_qs(body.decode()))
        assert path == "/hook", path
        return self._webhook(headers, body)

    def _google(self, way: str, headers: dict[str, str], sent: dict[str, Any]) -> dict[str, Any]:
        assert headers["authorization"] == "Bearer fresh"
        assert sent["encoding"] == "HEX"
        (destination,) = sent["destinations"]
        assert destination["operatingAccount"] == {"accountType": "GOOGLE_ADS", "accountId": "1234567890"}
        assert destination["productDestinationId"] == "42"
        assert ("consent" in sent) == (way == "ingest")
        assert 0 < len(sent["audienceMembers"]) <= 10_000
        assert all(0 < len(each["userData"]["userIdentifiers"]) <= 10 for each in sent["audienceMembers"])
        identifiers = [one for each in sent["audienceMembers"] for one in each["userData"]["userIdentifiers"]]
        self._known("google", way == "ingest", [next(iter(each.values())) for each in identifiers])
        return {"requestId": f"r{len(self.asked)}"}

    def _meta(self, form: dict[str, list[str]]) -> dict[str, Any]:
        assert form["access_token"] == ["secret-token"]
        payload = json.loads(form["payload"][0])
        # Keys of rows that have several, as the reference has them; EMAIL_SHA256 is that of a list of single values.
        assert payload["schema"] == ["EMAIL", "PHONE"]
        assert all(len(row) == 2 and any(row) for row in payload["data"])
        assert 0 < len(payload["data"]) <= 10_000
        hashes = [one for row in payload["data"] for one in row if one]
        self._known("meta", form.get("method") != ["delete"], hashes)
        return {
            "audience_id": "4711",
            "session_id": "9",
            "num_received": len(payload["data"]),
            "num_invalid_entries": 0,
        }

    def _webhook(self, headers: dict[str, str], body: bytes) -> dict[str, Any]:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.digest(base64.b64decode(KEY), signed, hashlib.sha256)).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"
        sent = json.loads(body)
        people = sent["data"]["people"]
        hashes = [one for each in people for one in each["email_sha256"] + each["phone_sha256"]]
        self._known("webhook", sent["type"] == "audience.add", hashes)
        return {}

    def _known(self, who: str, is_added: bool, hashes: list[str]) -> None:
        assert hashes
        assert all(re.fullmatch("[0-9a-f]{64}", each) for each in hashes), hashes
        self.asked.append((who, (is_added, sorted(hashes))))
        if is_added:
            self.has[who] |= set(hashes)
        else:
            self.has[who] -= set(hashes)


def sha(text: str) -> str:
    """As ad platforms hash."""
    return hashlib.sha256(text.encode()).hexdigest()
