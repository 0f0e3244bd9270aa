"""Browsers that sign in: each is an HTTP client of the whole application that keeps cookies and sends the token."""

import contextlib
from collections.abc import Callable
from typing import Any

import httpx

from samlad.access import passwords, staff
from samlad.access.permissions import Role
from samlad.access.staff import Staff, StaffInput
from samlad.kernel.database import Database, Tx
from samlad.kernel.runtime import Runtime

PASSWORD = "four calm green kettles"


class Browser(httpx.AsyncClient):
    """Cookies are kept; after signing in, the token goes with every request."""

    runtime: Runtime

    @property
    def database(self) -> Database:
        return self.runtime.database

    async def sign_in(self, email: str, password: str = PASSWORD) -> httpx.Response:
        answer = await self.post("/api/session", json={"email": email, "password": password})
        self.take_token(answer)
        return answer

    def take_token(self, answer: httpx.Response) -> None:
        if answer.status_code < 300:
            self.headers["X-CSRF-Token"] = answer.json()["csrf_token"]


Browsers = Callable[..., contextlib.AbstractAsyncContextManager[Browser]]


async def make_staff(
    database: Database,
    email: str = "kim@example.com",
    *roles: Role,
    password: str | None = PASSWORD,
    **more: Any,
) -> Staff:
    """An active member of staff with a password; an owner unless roles are given."""
    password_hash = password and await passwords.hashed(password)

    async def work(tx: Tx) -> Staff:
        given = StaffInput(email=email, name="Kim Berg", roles=list(roles) or [Role.OWNER], **more)
        made = await staff.add(tx, given, "active")
        await tx.execute("UPDATE staff SET password_hash = $2 WHERE id = $1", made.id, password_hash)
        return await staff.get(tx, made.id)

    return await database.transaction(work)
