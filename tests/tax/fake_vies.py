"""A VIES that speaks the Commission's JSON over HTTP, and goes silent in the ways that the real one does."""

import asyncio
import json
from typing import Any, Self

from samlad.kernel.outside import Gate
from samlad.tax.vies import RestVies


class FakeVies:
    """``invalid`` are numbers that it does not know; ``mood``: ok, busy, down, slow, html."""

    def __init__(self) -> None:
        self.invalid: set[str] = set()
        self.mood = "ok"
        self.asked: list[dict[str, Any]] = []
        self._server: asyncio.Server | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    def client(self, seconds: float = 20.0) -> RestVies:
        gate = Gate(allows=lambda _: True, ports=frozenset({self.port}), seconds=seconds, redirects=0)
        return RestVies(f"http://127.0.0.1:{self.port}/rest-api/check-vat-number", gate)

    @staticmethod
    def nowhere() -> RestVies:
        """One behind the gate: it is on no public network."""
        return RestVies("http://127.0.0.1:80/rest-api/check-vat-number")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length")
        )
        question = json.loads(await reader.readexactly(length))
        assert head.startswith("POST /rest-api/check-vat-number HTTP/1.1")
        self.asked.append(question)
        if self.mood == "slow":
            await reader.read()  # until who asked has gone
            writer.close()
            return
        status, body = self._answer(question)
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        writer.close()

    def _answer(self, question: dict[str, Any]) -> tuple[int, bytes]:
        if self.mood == "busy":
            wrong = {"actionSucceed": False, "errorWrappers": [{"error": "MS_MAX_CONCURRENT_REQ"}]}
            return 200, json.dumps(wrong).encode()
        if self.mood == "down":
            return 500, json.dumps(
                {"actionSucceed": False, "errorWrappers": [{"error": "MS_UNAVAILABLE"}]}
            ).encode()
        if self.mood == "html":
            return 503, b"<html>Service Unavailable</html>"
        number = f"{question['countryCode']}{question['vatNumber']}"
        is_valid = number not in self.invalid
        answer = {
            "countryCode": question["countryCode"],
            "vatNumber": question["vatNumber"],
            "requestDate": "2026-11-25T21:00:00.000Z",
            "valid": is_valid,
            "requestIdentifier": "WAPIAAAAY1" if "requesterNumber" in question else "",
            "name": "BOL.COM B.V." if is_valid else "---",
            "address": "PAPENDORPSEWEG 00100\n3528BJ UTRECHT" if is_valid else "---",
            "traderName": "---",
            "traderStreet": "---",
            "traderPostalCode": "---",
            "traderCity": "---",
            "traderCompanyType": "---",
        }
        return 200, json.dumps(answer).encode()
