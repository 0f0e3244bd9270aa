"""The only place with SQL for accounts."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from samlad.accounts.model import (
    CODE_TRIES,
    Account,
    MailChange,
    Passkey,
    Session,
)
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id

_ACCOUNT = """a.id, a.customer, a.email, a.password_hash IS NOT NULL AS has_password, a.language, a.store, a.signed_in_at,
              a.version, a.created_at"""
_SESSION = "s.id, s.account, s.means, s.created_at, s.last_seen, s.remote, s.agent"
_LIVE = "s.idle_until > now() AND s.ends_at > now()"


# -- accounts -----------------------------------------------------------------------------------------------------------


async def account(reader: Reader, account_id: UUID) -> Account | None:
    """An account, or None."""
    return await reader.one(Account, f"SELECT {_ACCOUNT} FROM account a WHERE a.id = $1", account_id)


async def by_email(reader: Reader, pool: UUID, email: str) -> Account | None:
    """The account of a pool with this address (lower case): of several, which two pools may bring together, the latest used."""
    return await reader.one(
        Account,
        f"""SELECT {_ACCOUNT} FROM account a JOIN customer c ON c.id = a.customer WHERE c.pool = $1 AND a.email = $2
            ORDER BY a.signed_in_at DESC NULLS LAST, a.id LIMIT 1""",
        pool,
        email,
    )


async def of_person(reader: Reader, customer: UUID) -> list[Account]:
    """The accounts of the person that a customer is, the one used last first."""
    return await reader.all(
        Account,
        f"""SELECT {_ACCOUNT} FROM account a WHERE a.customer = ANY (customer_members(ARRAY[$1::uuid]))
            ORDER BY a.signed_in_at DESC NULLS LAST, a.id""",
        customer,
    )


async def insert(tx: Tx, customer: UUID, email: str | None) -> bool:
    """Make an account for a customer; False if there is one."""
    sql = "INSERT INTO account (id, customer, email) VALUES ($1, $2, $3) ON CONFLICT (customer) DO NOTHING"
    return bool(await tx.execute(sql, new_id(), customer, email))


async def of_customer(reader: Reader, customer: UUID) -> Account | None:
    """The account that was made for just this row."""
    return await reader.one(Account, f"SELECT {_ACCOUNT} FROM account a WHERE a.customer = $1", customer)


async def password_of(reader: Reader, account_id: UUID) -> str | None:
    """The hash of an account's password."""
    found: str | None = await reader.value("SELECT password_hash FROM account WHERE id = $1", account_id)
    return found


async def update(tx: Tx, account_id: UUID, values: Mapping[str, Any]) -> bool:
    """Set columns (names are ours); False if the account is gone."""
    sets = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, 2))
    sql = f"UPDATE account SET {sets}, version = version + 1, updated_at = now() WHERE id = $1"
    return bool(await tx.execute(sql, account_id, *values.values()))


async def rehash(tx: Tx, account_id: UUID, before: str, after: str) -> None:
    """The same password under newer parameters, unless it was changed meanwhile."""
    sql = "UPDATE account SET password_hash = $3 WHERE id = $1 AND password_hash = $2"
    await tx.execute(sql, account_id, before, after)


async def lock(tx: Tx, account_id: UUID) -> Account | None:
    """An account, held until the transaction ends."""
    return await tx.one(Account, f"SELECT {_ACCOUNT} FROM account a WHERE a.id = $1 FOR UPDATE", account_id)


# -- sessions -----------------------------------------------------------------------------------------------------------


async def open_session(
    tx: Tx, session: Session, token_hash: bytes, idle: timedelta, absolute: timedelta
) -> None:
    """Write a session, and that its account was used."""
    await tx.execute(
        """
        WITH used AS (UPDATE account SET signed_in_at = now() WHERE id = $3)
        INSERT INTO account_session (id, token_hash, account, means, created_at, last_seen, remote, agent, idle_until, ends_at)
        VALUES ($1, $2, $3, $4, $5::timestamptz, $6, $7, $8, $5::timestamptz + $9::interval, $5::timestamptz + $10::interval)
        """,
        session.id,
        token_hash,
        session.account,
        session.means,
        session.created_at,
        session.last_seen,
        session.remote,
        session.agent,
        idle,
        absolute,
    )


async def session(reader: Reader, token_hash: bytes, pool: UUID, idle: timedelta) -> Session | None:
    """The session of a secret that is still open, of a customer of a pool; notes once in some minutes that it was used."""
    return await reader.one(
        Session,
        f"""
        WITH touched AS (
            UPDATE account_session SET last_seen = now(), idle_until = least(now() + $3::interval, ends_at)
            WHERE token_hash = $1 AND last_seen < now() - interval '10 minutes' AND idle_until > now() AND ends_at > now()
        )
        SELECT {_SESSION} FROM account_session s JOIN account a ON a.id = s.account JOIN customer c ON c.id = a.customer
        WHERE s.token_hash = $1 AND {_LIVE} AND c.pool = $2
        """,
        token_hash,
        pool,
        idle,
    )


async def sessions(reader: Reader, accounts: Sequence[UUID]) -> list[Session]:
    """The open sessions of accounts, the latest used first."""
    return await reader.all(
        Session,
        f"""SELECT {_SESSION} FROM account_session s WHERE s.account = ANY($1) AND {_LIVE}
            ORDER BY s.last_seen DESC, s.id""",
        list(accounts),
    )


async def end_sessions(
    tx: Tx, accounts: Sequence[UUID], *, only: UUID | None = None, but: UUID | None = None
) -> list[UUID]:
    """End sessions of accounts: one, or all but one; those that were ended."""
    rows = await tx.rows(
        """DELETE FROM account_session WHERE account = ANY($1) AND ($2::uuid IS NULL OR id = $2)
           AND id IS DISTINCT FROM $3 RETURNING id""",
        list(accounts),
        only,
        but,
    )
    return [row["id"] for row in rows]


async def end_by_token(tx: Tx, token_hash: bytes) -> tuple[UUID, UUID] | None:
    """End the session of a secret; its id and account."""
    row = await tx.row("DELETE FROM account_session WHERE token_hash = $1 RETURNING id, account", token_hash)
    return None if row is None else (row["id"], row["account"])


# -- links and codes ----------------------------------------------------------------------------------------------------


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A link as it was sent."""

    email: str
    channel: UUID
    browser_hash: bytes | None
    next: str


async def put_link(tx: Tx, token_hash: bytes, link: Link, expires_at: datetime) -> None:
    """Write a link down. Those that were sent to the address before are good until they run out: mails cross."""
    await tx.execute(
        """INSERT INTO account_link (token_hash, email, channel, browser_hash, next, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6)""",
        token_hash,
        link.email,
        link.channel,
        link.browser_hash,
        link.next,
        expires_at,
    )


_GOOD = "token_hash = $1 AND used_at IS NULL AND expires_at > now()"


async def link(reader: Reader, token_hash: bytes) -> Link | None:
    """A link that is good."""
    return await reader.one(
        Link, f"SELECT email, channel, browser_hash, next FROM account_link WHERE {_GOOD}", token_hash
    )


async def use_link(tx: Tx, token_hash: bytes) -> Link | None:
    """Use a link up; of two at once one gets it. The others that were sent to the address are over with it."""
    return await tx.one(
        Link,
        f"""
        WITH used AS (UPDATE account_link SET used_at = now() WHERE {_GOOD}
                      RETURNING token_hash, email, channel, browser_hash, next),
             others AS (DELETE FROM account_link l USING used u
                        WHERE l.email = u.email AND l.channel = u.channel AND l.token_hash <> u.token_hash)
        SELECT email, channel, browser_hash, next FROM used
        """,
        token_hash,
    )


async def put_code(
    tx: Tx, customer: UUID, code_hash: bytes, secret_hash: bytes, expires_at: datetime
) -> None:
    """A customer's code, in place of the one before."""
    await tx.execute(
        """
        INSERT INTO account_code (customer, code_hash, secret_hash, tries_left, expires_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (customer) DO UPDATE SET code_hash = excluded.code_hash, secret_hash = excluded.secret_hash,
            tries_left = excluded.tries_left, expires_at = excluded.expires_at, created_at = now()
        """,
        customer,
        code_hash,
        secret_hash,
        CODE_TRIES,
        expires_at,
    )


async def count_try(tx: Tx, customer: UUID) -> bytes | None:
    """Take one of a code's tries; what it is compared with, None when there is none or it has none left."""
    found: bytes | None = await tx.value(
        """UPDATE account_code SET tries_left = tries_left - 1
           WHERE customer = $1 AND tries_left > 0 AND expires_at > now() RETURNING code_hash""",
        customer,
    )
    return found


async def use_code(tx: Tx, customer: UUID, code_hash: bytes) -> bool:
    """Use a code up; of two at once one gets it."""
    sql = "DELETE FROM account_code WHERE customer = $1 AND code_hash = $2 AND expires_at > now()"
    return bool(await tx.execute(sql, customer, code_hash))


async def code_is_good(reader: Reader, secret_hash: bytes, pool: UUID) -> bool:
    """Whether a secret of a code still signs somebody in."""
    return bool(
        await reader.value(
            """SELECT EXISTS (SELECT FROM account_code k JOIN customer c ON c.id = k.customer
                              WHERE k.secret_hash = $1 AND k.expires_at > now() AND c.pool = $2)""",
            secret_hash,
            pool,
        )
    )


async def use_secret(tx: Tx, secret_hash: bytes, pool: UUID) -> UUID | None:
    """Use a code up by its secret; whose it was."""
    found: UUID | None = await tx.value(
        """DELETE FROM account_code k USING customer c
           WHERE k.secret_hash = $1 AND k.expires_at > now() AND c.id = k.customer AND c.pool = $2 RETURNING k.customer""",
        secret_hash,
        pool,
    )
    return found


# -- passkeys -----------------------------------------------------------------------------------------------------------


class StoredKey(msgspec.Struct, frozen=True, kw_only=True):
    """What a signature is checked with."""

    id: UUID
    account: UUID
    public_key: bytes
    sign_count: int


async def passkeys(reader: Reader, account_id: UUID) -> list[Passkey]:
    """An account's passkeys, oldest first."""
    sql = "SELECT id, name, created_at, last_used FROM account_passkey WHERE account = $1 ORDER BY id"
    return await reader.all(Passkey, sql, account_id)


async def credential_ids(reader: Reader, account_id: UUID) -> list[bytes]:
    """By what authenticators know them."""
    rows = await reader.rows("SELECT credential_id FROM account_passkey WHERE account = $1", account_id)
    return [row["credential_id"] for row in rows]


async def key_of(reader: Reader, credential_id: bytes, pool: UUID) -> StoredKey | None:
    """A passkey of a customer of a pool."""
    return await reader.one(
        StoredKey,
        """SELECT k.id, k.account, k.public_key, k.sign_count
           FROM account_passkey k JOIN account a ON a.id = k.account JOIN customer c ON c.id = a.customer
           WHERE k.credential_id = $1 AND c.pool = $2""",
        credential_id,
        pool,
    )


async def insert_key(
    tx: Tx, account_id: UUID, credential_id: bytes, public_key: bytes, sign_count: int, name: str
) -> Passkey | None:
    """Keep a passkey; None if it is known."""
    return await tx.one(
        Passkey,
        """INSERT INTO account_passkey (id, account, credential_id, public_key, sign_count, name)
           VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (credential_id) DO NOTHING
           RETURNING id, name, created_at, last_used""",
        new_id(),
        account_id,
        credential_id,
        public_key,
        sign_count,
        name,
    )


async def count_key(tx: Tx, key: UUID, sign_count: int) -> bool:
    """Note a use. An authenticator that counts must count up: a copy of it shows here, also between two at once."""
    return bool(
        await tx.execute(
            """UPDATE account_passkey SET sign_count = $2, last_used = now()
               WHERE id = $1 AND (sign_count < $2 OR (sign_count = 0 AND $2 = 0))""",
            key,
            sign_count,
        )
    )


async def delete_key(tx: Tx, account_id: UUID, key: UUID) -> bool:
    """Forget a passkey."""
    return bool(
        await tx.execute("DELETE FROM account_passkey WHERE account = $1 AND id = $2", account_id, key)
    )


# -- another address ----------------------------------------------------------------------------------------------------


async def put_mail_change(
    tx: Tx, account_id: UUID, email: str, new_hash: bytes, old_hash: bytes | None, expires_at: datetime
) -> None:
    """Another address that waits, in place of the one before."""
    await tx.execute(
        """
        INSERT INTO account_mail_change (account, email, new_hash, old_hash, old_said, expires_at)
        VALUES ($1, $2, $3, $4, $4::bytea IS NULL, $5)
        ON CONFLICT (account) DO UPDATE SET email = excluded.email, new_hash = excluded.new_hash, new_said = false,
            old_hash = excluded.old_hash, old_said = excluded.old_said, expires_at = excluded.expires_at
        """,
        account_id,
        email,
        new_hash,
        old_hash,
        expires_at,
    )


async def say_yes(tx: Tx, token_hash: bytes) -> tuple[UUID, MailChange] | None:
    """One of both addresses says yes; whose account it is and how it stands. Said twice it is said once."""
    row = await tx.row(
        """UPDATE account_mail_change SET new_said = new_said OR new_hash = $1, old_said = old_said OR old_hash = $1
           WHERE (new_hash = $1 OR old_hash = $1) AND expires_at > now()
           RETURNING account, email, new_said, old_said, expires_at""",
        token_hash,
    )
    if row is None:
        return None
    return row["account"], MailChange(
        email=row["email"], new_said=row["new_said"], old_said=row["old_said"], expires_at=row["expires_at"]
    )


async def mail_change(reader: Reader, account_id: UUID) -> MailChange | None:
    """The address that waits."""
    return await reader.one(
        MailChange,
        """SELECT email, new_said, old_said, expires_at FROM account_mail_change
           WHERE account = $1 AND expires_at > now()""",
        account_id,
    )


async def end_mail_change(tx: Tx, account_id: UUID) -> bool:
    """It is done with, or not wanted any more."""
    return bool(await tx.execute("DELETE FROM account_mail_change WHERE account = $1", account_id))


async def forget_old(tx: Tx) -> None:
    """Remove what is over."""
    await tx.execute("DELETE FROM account_session WHERE ends_at < now() OR idle_until < now()")
    await tx.execute("DELETE FROM account_link WHERE expires_at < now() - interval '1 day'")
    await tx.execute("DELETE FROM account_code WHERE expires_at < now()")
    await tx.execute("DELETE FROM account_mail_change WHERE expires_at < now()")
