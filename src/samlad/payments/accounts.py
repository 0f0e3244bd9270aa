"""Which providers a channel offers, and the keys of those that need some. Keys are secrets of the vault."""

from datetime import datetime
from typing import Annotated, TypeVar

import msgspec

from samlad.access import audit
from samlad.channels import Channel
from samlad.kernel import log, vault
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.problems import InvalidInput, NotFound
from samlad.kernel.vault import Vault
from samlad.payments import events
from samlad.payments.permissions import SET_UP
from samlad.payments.providers import AnyProvider, needs_offer, provider, registered
from samlad.payments.rules import Coin, coin

T = TypeVar("T", bound=msgspec.Struct)

Key = Annotated[str, msgspec.Meta(min_length=8, max_length=300, pattern=r"^[\x21-\x7e]+$")]


class StripeKeys(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The keys of a Stripe account, from its dashboard under Developers."""

    secret_key: Annotated[Key, msgspec.Meta(examples=["sk_test_…"], description="Secret or restricted key")]
    publishable_key: Annotated[Key, msgspec.Meta(examples=["pk_test_…"])]
    webhook_secret: Annotated[
        Key, msgspec.Meta(examples=["whsec_…"], description="Of the endpoint /webhooks/in/stripe")
    ]
    base_url: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^https?://[^\s/?#]+$",
            max_length=200,
            description="Another server only for trying things out",
        ),
    ] = "https://api.stripe.com"


class ProviderInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A way to pay. ``needs_keys`` and not ``is_set_up``: nobody can pay so yet."""

    name: str
    is_local: bool
    staff_only: bool
    needs_offer: bool
    needs_keys: bool
    is_set_up: bool


def check_offered(channel: Channel | None, through: AnyProvider, *, field: str = "provider") -> None:
    """Raises InvalidInput if a channel does not offer a provider: its setting `payment_providers` names all that it
    offers; empty it offers those that give no credit and need no keys."""
    if channel is None or is_offered(channel, through):
        return
    raise InvalidInput.at(
        field, f"“{channel.code}” does not offer {through.name}; it offers {', '.join(offered(channel))}"
    )


def is_offered(channel: Channel, through: AnyProvider) -> bool:
    """Whether one can pay so in a channel. Cash is taken by staff wherever they are: the setting is for customers."""
    if through.staff_only and not needs_offer(through):
        return True
    named = channel.setting("payment_providers")
    return through.name in named if named else not needs_offer(through)


def offered(channel: Channel) -> list[str]:
    """The providers that a channel offers, in the order of its setting."""
    known = registered()
    named = channel.setting("payment_providers")
    return [n for n in named if n in known] if named else [n for n, p in known.items() if not needs_offer(p)]


def coin_of(channel: Channel, currency: str) -> Coin:
    """What can be paid in coins in a channel."""
    chosen = channel.setting("cash_step") if currency == channel.currency else 0
    return coin(currency, channel.country, chosen)


def secret_name(name: str) -> str:
    """Under which name the vault keeps a provider's keys."""
    return f"payments/{name}"


async def infos(reader: Reader) -> list[ProviderInfo]:
    """Every provider there is, and whether it can be used."""
    stored = {secret.name for secret in await vault.names(reader)}
    return [
        ProviderInfo(
            name=each.name,
            is_local=each.is_local,
            staff_only=each.staff_only,
            needs_offer=needs_offer(each),
            needs_keys=hasattr(each, "keys"),
            is_set_up=not hasattr(each, "keys") or secret_name(each.name) in stored,
        )
        for each in registered().values()
    ]


async def set_keys(tx: Tx, safe: Vault, name: str, keys: msgspec.Struct) -> None:
    """Keep a provider's keys in place of what was there. They are never shown again.

    Raises:
        InvalidInput: this provider needs none.
    """
    tx.actor.require(SET_UP)
    if not hasattr(provider(name), "keys"):
        raise InvalidInput.at("provider", f"{name} needs no keys")
    await vault.put(tx, safe, secret_name(name), msgspec.json.encode(keys))
    audit.record(
        tx, "payment-provider.set-up", "payment-provider", None, after={"provider": name, "secret": "changed"}
    )
    log.append(tx, events.ProviderChanged(provider=name, is_set_up=True))


async def remove_keys(tx: Tx, name: str) -> None:
    """Forget a provider's keys: nobody can pay so any more, and what is under way waits until there are new ones."""
    tx.actor.require(SET_UP)
    provider(name)
    await vault.remove(tx, secret_name(name))
    audit.record(tx, "payment-provider.removed", "payment-provider", None, before={"provider": name})
    log.append(tx, events.ProviderChanged(provider=name, is_set_up=False))


async def keys_set_at(reader: Reader, name: str) -> datetime | None:
    """When a provider's keys were set; None if there are none."""
    return await vault.changed_at(reader, secret_name(name))


async def keys(database: Database, name: str, kind: type[T]) -> T:
    """A provider's keys.

    Raises:
        NotFound: it is not set up.
    """
    try:
        sealed = await vault.get(database, Vault.of(database.settings), secret_name(name))
    except NotFound:
        raise NotFound(f"The payment provider {name} is not set up.") from None
    return msgspec.json.decode(sealed, type=kind)
