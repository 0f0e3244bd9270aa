"""Short ways to sign in, for the tests of accounts."""

import re
from typing import Any

import msgspec

from samlad import accounts
from samlad.accounts import Opened, SignedIn
from samlad.channels import Channel
from samlad.kernel import mail
from samlad.kernel.context import GUEST, Context
from samlad.kernel.database import Database
from samlad.kernel.mail import Mail
from samlad.kernel.settings import Settings
from samlad.kernel.vault import Vault

VISITOR = Context(actor=GUEST, remote="192.0.2.1")
_LINK = re.compile(r"/account/(?:link|mail)/([A-Za-z0-9_-]{43})")


class Post(msgspec.Struct):
    """A shop with its outbox."""

    db: Database
    settings: Settings
    channel: Channel

    async def mails(self) -> list[Mail]:
        """What waits to be sent, oldest first."""
        keys = Vault.of(self.settings)
        rows = await self.db.rows("SELECT id, sealed FROM mail_outbox ORDER BY id")
        return [mail.open_mail(keys, row["id"], row["sealed"]) for row in rows]

    async def tokens(self, to: str) -> list[str]:
        """The secrets of the links that were sent to an address, the latest first."""
        found = [_LINK.findall(each.text) for each in await self.mails() if each.to == to]
        return [token for tokens in reversed(found) for token in tokens]

    async def ask(self, email: str, channel: Channel | None = None, **more: Any) -> str:
        """Ask for a link; its secret."""
        keys, shop = Vault.of(self.settings), channel or self.channel
        await self.db.transaction(
            lambda tx: accounts.ask_link(
                tx, keys, shop, email, base_url="http://shop.test", locale="en", **more
            ),
            VISITOR,
        )
        return (await self.tokens(email))[0]

    async def sign_in(self, email: str) -> Opened:
        """By a link."""
        token = await self.ask(email)
        return await self.db.transaction(
            lambda tx: accounts.with_link(tx, self.channel, token, agent="Firefox/1 Linux"), VISITOR
        )

    async def who(self, opened: Opened, channel: Channel | None = None) -> SignedIn | None:
        """Whom the cookie of a session stands for now."""
        return await accounts.who(self.db, channel or self.channel, opened.token)
