"""What a screen listens to, and nothing else: its own events, and those of the ticket that it shows.

Both topics carry a key that is made of the token and opens only them, so it may stand in a page. The ticket's topic is
good only while the screen shows that ticket.
"""

import hashlib
import hmac
from collections.abc import Sequence
from uuid import UUID

from samlad.kernel.context import Actor
from samlad.kernel.database import Reader
from samlad.kernel.live import Topic, register
from samlad.kernel.log import Event
from samlad.kernel.problems import InvalidInput, NotFound
from samlad.screens import store
from samlad.screens.model import Screen

TOPIC = "screen"
CART_TOPIC = "screen_cart"


def _key(token_hash: bytes) -> str:
    return hashlib.sha256(b"screen" + token_hash).hexdigest()


def topics_of(screen: Screen, token_hash: bytes) -> list[str]:
    """The topics of a screen as it is now, as its page names them."""
    key = f"{screen.id}.{_key(token_hash)}"
    return [f"{TOPIC}:{key}", *([f"{CART_TOPIC}:{key}"] if screen.cart else [])]


async def _screen(reader: Reader, key: str) -> Screen:
    text, _, secret = key.partition(".")
    try:
        screen_id = UUID(text)
    except ValueError:
        raise InvalidInput.at("topic", "after the colon stands a screen's id, a dot and its key") from None
    token = await store.token_of(reader, screen_id)
    found = await store.screen(reader, screen_id)
    if token is None or found is None or not hmac.compare_digest(_key(token), secret):
        raise NotFound("There is no such screen, or its key is not the right one.")
    return found


async def _own(reader: Reader, _actor: Actor, key: str) -> str:
    return str((await _screen(reader, key)).id)


async def _ticket(reader: Reader, _actor: Actor, key: str) -> str:
    found = await _screen(reader, key)
    if found.cart is None:
        raise NotFound("This screen shows no ticket.")
    return str(found.cart)


def _of_cart(event: Event) -> Sequence[str]:
    if not event.type.startswith("cart."):
        return []
    return [str(cart) for cart in (event.subject, event.payload.get("other")) if cart]


register(Topic(TOPIC, _own, lambda event: [str(event.subject)] if event.type.startswith("screen.") else []))
register(Topic(CART_TOPIC, _ticket, _of_cart))
