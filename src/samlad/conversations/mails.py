"""What a customer is told of a conversation by mail: that it has arrived, and each answer, with the link where it goes on.

Such a mail is HTML in the brand's colours and the same as text. It comes back to an address of this conversation
(`links.mail_address`), so that an answer to it is of this conversation; the last lines before it are quoted.
"""

from samlad import channels, content
from samlad.channels import Channel
from samlad.content import theme
from samlad.conversations import links, mail_html, mail_store, quoting, store
from samlad.conversations.events import ConversationAnswered, ConversationBegun
from samlad.conversations.mail_html import Page, Quote
from samlad.conversations.model import Conversation, Medium, Message, Way
from samlad.kernel import mail
from samlad.kernel.database import Tx
from samlad.kernel.followers import Follower
from samlad.kernel.i18n import direction, marked, negotiate, translator
from samlad.kernel.log import Event
from samlad.kernel.mail import Mail
from samlad.kernel.settings import Settings
from samlad.kernel.vault import Vault

ARRIVED = marked("We have got your message: %(subject)s")
ANSWER = marked("Answer: %(subject)s")
THANKS = marked("Thank you for writing to us. We answer as soon as we can.")
YOU_WROTE = marked("You wrote:")
THEY_WROTE = marked("%(name)s wrote:")
BY_MAIL = marked("Answer this mail, or read all of it here:")
BY_LINK = marked("To read all of it, and to answer:")
READ = marked("To the conversation")
QUOTED, QUOTED_CHARACTERS = 2, 600
"""So many messages before an answer are quoted, each cut at so many characters."""


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
    page = await _page(tx, found, said, shop)
    domain = (settings.mail_from or "").rpartition("@")[2]
    _ = translator(negotiate(found.language)).gettext
    written = Mail(
        to=found.email or "",
        sender=shop.name,
        subject=_(ANSWER if said.way is Way.OUT else ARRIVED) % {"subject": found.subject},
        text=_text(page),
        html=mail_html.render(page, await _palette(tx, shop)),
        reply_to=links.mail_address(settings, found.id) or "",
        references=await mail_store.earlier(tx, found.id, domain),
        kind="conversation",
    )
    await mail_store.sent(tx, await mail.send(tx, Vault.of(settings), written), found.id)


async def _page(tx: Tx, found: Conversation, said: Message, shop: Channel) -> Page:
    """What is in the mail, in the customer's language."""
    settings: Settings = tx.database.settings
    language = negotiate(found.language)
    _ = translator(language).gettext
    is_answer = said.way is Way.OUT
    quotes = []
    if is_answer:
        # Of this conversation alone, also when it meanwhile goes on in another one.
        for each in await store.before(tx, said, await store.leading_to(tx, found.id), QUOTED):
            head = YOU_WROTE if each.way is Way.IN else THEY_WROTE
            quotes.append(Quote(_(head) % {"name": each.author_name or shop.name}, _cut(each.body)))
    else:
        quotes.append(Quote(_(YOU_WROTE), said.body))
    return Page(
        language=language,
        direction=direction(language),
        line=_(quoting.LINE) if settings.mail_replies else "",
        shop=shop.name,
        body=said.body if is_answer else _(THANKS),
        signed=said.author_name if is_answer else "",
        quotes=quotes,
        invitation=_(BY_MAIL if settings.mail_replies else BY_LINK),
        link=channels.shop_address(settings, shop) + links.path(settings, found.id),
        button=_(READ),
    )


def _cut(body: str) -> str:
    return body if len(body) <= QUOTED_CHARACTERS else body[: QUOTED_CHARACTERS - 2].rstrip() + " …"


async def _palette(tx: Tx, shop: Channel) -> theme.Colours:
    kit = await content.kit_of(tx, shop.code)
    return theme.palettes(kit.brand)["light"]


def _text(page: Page) -> str:
    parts = [page.line, page.body, "\n".join(part for part in (page.signed, page.shop) if part)]
    parts.append(f"{page.invitation}\n{page.link}")
    for quote in page.quotes:
        lines = "\n".join(f"> {line}".rstrip() for line in quote.body.split("\n"))
        parts.append(f"{quote.head}\n{lines}")
    return "\n\n".join(part for part in parts if part)


FOLLOWERS = [
    Follower(
        name="conversation-mails",
        handle=follow,
        types=("conversation.begun", "conversation.answered"),
    )
]
