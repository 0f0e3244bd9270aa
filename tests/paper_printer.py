"""A receipt printer for tests: a TCP listener that understands ESC/POS, byte by byte, and complains of what it does not."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Self

PAGES = {0: "cp437", 2: "cp850", 16: "cp1252", 18: "cp852", 19: "cp858"}
"""`ESC t n` of the code pages that the tests meet (Epson's list)."""
LENGTHS = {
    b"\x1b@": 0,  # initialise
    b"\x1ba": 1,  # align
    b"\x1bE": 1,  # bold
    b"\x1bM": 1,  # font
    b"\x1b-": 1,  # underline
    b"\x1b!": 1,  # size
    b"\x1bd": 1,  # feed lines
    b"\x1b{": 1,  # upside down
    b"\x1dB": 1,  # inverse
    b"\x1db": 1,  # smooth
    b"\x1d!": 1,  # size
    b"\x1b2": 0,  # line spacing
    b"\x1b3": 1,
}


@dataclass
class Sheet:
    """What one connection printed."""

    text: str = ""
    cuts: int = 0
    kicks: list[int] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        return self.text.split("\n")


class PaperPrinter:
    """Listens on a port of its own. ``status``: its answers to `DLE EOT 2` and `DLE EOT 4`, if it tells them."""

    def __init__(self, *, status: dict[int, int] | None = None, hangs_up_after: int | None = None) -> None:
        self.sheets: list[Sheet] = []
        self.status = status
        self.hangs_up_after = hangs_up_after
        self.says_done = True
        self.port = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def listening(cls) -> AsyncIterator[Self]:
        made = cls()
        server = await asyncio.start_server(made._serve, "127.0.0.1", 0)
        made.port = server.sockets[0].getsockname()[1]
        try:
            yield made
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent = bytearray()
        try:
            while chunk := await reader.read(4096):
                if self.hangs_up_after is not None:
                    writer.transport.abort()
                    return
                sent += self._answer(chunk, writer)
        finally:
            writer.close()
            if sent:
                self.sheets.append(read(bytes(sent)))

    def _answer(self, chunk: bytes, writer: asyncio.StreamWriter) -> bytes:
        """Answer questions, and give back what is to be printed."""
        for number in (2, 4):
            question = bytes((0x10, 0x04, number))
            if question in chunk:
                chunk = chunk.replace(question, b"")
                if self.status is not None:
                    writer.write(bytes((self.status[number],)))
        if chunk.endswith(b"\x1dr\x01"):
            chunk = chunk.removesuffix(b"\x1dr\x01")
            if self.says_done:
                writer.write(b"\x00")
            else:
                writer.transport.abort()
        return chunk

    async def printed(self, count: int) -> list[Sheet]:
        """Wait until so many connections have printed something and are over."""
        async with asyncio.timeout(60):
            while len(self.sheets) < count:
                await asyncio.sleep(0.01)
        return self.sheets


def read(sent: bytes) -> Sheet:
    """ESC/POS as paper.

    Raises:
        AssertionError: there is a command that this printer does not know, so its bytes would be on the paper.
    """
    sheet, page, code = Sheet(), "cp437", b""
    bytes_left: Iterator[int] = iter(sent)

    def take(count: int) -> bytes:
        return bytes(next(bytes_left) for _ in range(count))

    for byte in bytes_left:
        if byte == 0x0A:
            sheet.text += "\n"
        elif byte >= 0x20:
            sheet.text += bytes((byte,)).decode(page)
        else:
            command = bytes((byte,)) + take(1)
            if command == b"\x1bt":
                page = PAGES[take(1)[0]]
            elif command == b"\x1bp":
                sheet.kicks.append({0: 2, 1: 5}[take(3)[0] % 48])
            elif command == b"\x1dV":
                sheet.cuts += 1
                if take(1)[0] in (65, 66):
                    take(1)
            elif command == b"\x1d(":
                assert take(1) == b"k"
                low, high = take(2)
                body = take(low + 256 * high)
                if body[:3] == b"1P0":
                    code = body[3:]
                elif body[:2] == b"1Q":
                    sheet.codes.append(code.decode())
            else:
                assert command in LENGTHS, f"unknown command {command!r}"
                take(LENGTHS[command])
    return sheet
