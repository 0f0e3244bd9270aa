"""What happens to a cart, for its people, over ``/live?topic=cart:…``.

After the colon stands, for staff and for its customer, the cart's id; for a guest ``id.key`` with the listening key
of their token (`listening_key`), or the token itself. The key opens nothing but this topic, so it may stand in an
address and in a page, where the token must not. What is told is that something happened, never what.
"""

import hashlib
from collections.abc import Sequence
from uuid import UUID

from samlad.carts import store
from samlad.carts.access import access_of, hash_token
from samlad.kernel.context import Actor
from samlad.kernel.database import Reader
from samlad.kernel.live import Topic, register
from samlad.kernel.log import Event
from samlad.kernel.problems import InvalidInput, NotFound

TOPIC = "cart"
_TOKEN_LENGTH = 43


def listening_key(token: str) -> str:
    """What lets a page listen to the cart that this token opens, and do nothing else."""
    return hashlib.sha256(b"live" + hash_token(token)).hexdigest()


def topic_of(cart: UUID, token: str | None = None) -> str:
    """The topic of a cart, as a page of its people names it."""
    return f"{TOPIC}:{cart}" if token is None else f"{TOPIC}:{cart}.{listening_key(token)}"


async def _guard(reader: Reader, actor: Actor, key: str) -> str:
    """The id of the cart that goes on, if this is somebody who may open it."""
    text, _, secret = key.partition(".")
    try:
        cart_id = UUID(text)
    except ValueError:
        raise InvalidInput.at(
            "topic", "after the colon stands a cart's id, and for guests a dot and their key"
        ) from None
    if len(secret) == 64:
        found = await store.heard(reader, cart_id, secret)
    else:
        access = access_of(actor, secret if len(secret) == _TOKEN_LENGTH else None)
        cart = await store.read(reader, cart_id, access)
        found = None if cart is None else cart.merged_into or cart.id
    if found is None:
        raise NotFound("There is no such cart, or its key is not the right one.")
    return str(found)


def _keys(event: Event) -> Sequence[str]:
    """A cart's own events, those of a cart that went into it or came out of it, and its becoming an order."""
    if event.type.startswith("cart."):
        named = (event.subject, event.payload.get("other"))
    elif event.type == "order.placed":
        named = (event.payload.get("cart"), None)
    else:
        return []
    return [str(cart) for cart in named if cart]


register(Topic(TOPIC, _guard, _keys))
