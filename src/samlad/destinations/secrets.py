"""The secrets of a destination: sealed in the vault, and only put together again where they are sent."""

from uuid import UUID

import msgspec

from samlad.destinations.model import Destination
from samlad.destinations.strategies import Strategy
from samlad.kernel import vault as vaults
from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import NotFound
from samlad.kernel.vault import Vault


def secret_name(destination: UUID) -> str:
    """Under which they are sealed."""
    return f"destination/{destination}"


def parted(strategy: Strategy, config: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """What may be shown, and what is secret."""
    secret = {each.name for each in strategy.fields if each.is_secret}
    trimmed = {name: text.strip() for name, text in config.items()}
    return (
        {name: text for name, text in trimmed.items() if name not in secret},
        {name: text for name, text in trimmed.items() if name in secret},
    )


async def seal(tx: Tx, vault: Vault, destination: UUID, secrets: dict[str, str]) -> None:
    """Keep them, in place of what was there."""
    await vaults.put(tx, vault, secret_name(destination), msgspec.json.encode(secrets))


async def opened(reader: Reader, vault: Vault, destination: UUID) -> dict[str, str]:
    """The secrets; none if there are none."""
    try:
        sealed = await vaults.get(reader, vault, secret_name(destination))
    except NotFound:
        return {}
    return msgspec.json.decode(sealed, type=dict[str, str])


async def whole_config(reader: Reader, vault: Vault, destination: Destination) -> dict[str, str]:
    """Everything that is needed to send."""
    return {**destination.config, **await opened(reader, vault, destination.id)}


async def forget_secrets(tx: Tx, destination: UUID) -> None:
    """What is ended needs no way in."""
    await vaults.remove(tx, secret_name(destination))
