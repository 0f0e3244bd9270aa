"""What a customer is told of a conversation by mail: that it has arrived, and each answer, with the link where it goes on."""

from samlad import channels
from samlad.conversations import links, store
from samlad.conversations.events import ConversationAnswered, ConversationBegun
from samlad.conversations.model import Conversation, Medium, Message, Way
from samlad.kernel import mail
from samlad.kernel.database import Tx
from samlad.kernel.followers import Follower
from samlad.kernel.i18n import marked, negotiate, translator
from samlad.kernel.log import Event
from samlad.kernel.mail import Mail
from samlad.kernel.vault import Vault

ARRIVED = marked("We have got your message: %(subject)s")
ARRIVED_TEXT = marked(
    "Thank you for writing to us. We answer as soon as we can.\n\nYou wrote:\n\n%(body)s\n\n"
    "To read it again, or to add something:\n%(link)s"
)
ANSWER = marked("Answer: %(subject)s")
ANSWER_TEXT = marked("%(body)s\n\n%(agent)s\n%(shop)s\n\nTo read all of it, and to answer:\n%(link)s")


async def follow(tx: Tx, event: Event) -> None:
    """Tell them, if they have an address and mails go out. What was said on the phone or in a store is not told again."""
    settings = tx.database.settings
    if event.subject is None or not mail.is_set(settings):
        return
    found = await store.one(tx, event.subject)
    if found is None:
        return
    fact = event.fact()
    assert isinstance(fact, ConversationBegun | ConversationAnswered)
    # By its id: a conversation that meanwhile goes on in another one took its messages along, and they have other numbers there.
    # Events of earlier versions have none.
    said = await (
        store.numbered(tx, found.id, getattr(fact, "number", 1))
        if fact.message is None
        else store.message(tx, fact.message)
    )
    if said is None or said.medium is not Medium.WEB or found.email is None or said.way is Way.NOTE:
        return
    if event.type == "conversation.answered" and said.way is not Way.OUT:
        return
    await _send(tx, found, said)


async def _send(tx: Tx, found: Conversation, said: Message) -> None:
    settings = tx.database.settings
    shop = await channels.cached(tx, found.channel)
    _ = translator(negotiate(found.language)).gettext
    is_answer = said.way is Way.OUT
    values = {
        "subject": found.subject,
        "body": said.body,
        "agent": said.author_name,
        "shop": shop.name,
        "link": channels.shop_address(settings, shop) + links.path(settings, found.id),
    }
    written = Mail(
        to=found.email or "",
        sender=shop.name,
        subject=_(ANSWER if is_answer else ARRIVED) % values,
        text=_(ANSWER_TEXT if is_answer else ARRIVED_TEXT) % values,
    )
    await mail.send(tx, Vault.of(settings), written)


FOLLOWERS = [
    Follower(
        name="conversation-mails",
        handle=follow,
        types=("conversation.begun", "conversation.answered"),
    )
]
