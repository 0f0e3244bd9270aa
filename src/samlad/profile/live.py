"""What pages of a person listen to: every event with their profile. One topic for each customer that they are."""

from uuid import UUID

from samlad import customers
from samlad.kernel import live
from samlad.kernel.context import Actor
from samlad.kernel.database import Reader
from samlad.kernel.live import Topic
from samlad.kernel.problems import InvalidInput
from samlad.stock import reach

TOPIC = "person"


async def _guard(reader: Reader, actor: Actor, key: str) -> str:
    actor.require(customers.READ)
    try:
        customer = UUID(key)
    except ValueError:
        raise InvalidInput.at("topic", "after the colon stands the id of a customer") from None
    await reach.check(reader, actor, "customer_id", customer)
    return str(customer)


live.register(Topic(TOPIC, _guard, lambda event: [str(event.profile)] if event.profile else []))
