"""What credit has in pools: what people hold. The house's accounts stay with what was booked on them."""

from samlad.channels import Resource
from samlad.channels.pooling import Finding, Level, Move, MoveKind, Pooling, relabel
from samlad.kernel.database import Reader
from samlad.kernel.i18n import marked

_GOES_BACK = (
    "EXISTS (SELECT FROM pool_move_row n WHERE n.move = $7 AND n.subject = 'customer' AND n.row = {0})"
)


async def look(reader: Reader, move: Move) -> list[Finding]:
    """Gift cards, and points that would be of another programme."""
    if move.kind is MoveKind.LEAVE:
        return []
    cards = await reader.value("SELECT count(*) FROM gift_card WHERE pool = $1", move.old)
    members = await reader.value("SELECT count(*) FROM loyalty_member WHERE pool = $1", move.old)
    has_programme = await reader.value(
        "SELECT EXISTS (SELECT FROM loyalty_programme WHERE pool = $1)", move.new
    )
    found = [
        Finding(
            code="credit-cards",
            level=Level.INFO,
            text=marked("Gift cards that come along and pay in all channels"),
            count=cards,
            is_moved=True,
        ),
        Finding(
            code="credit-members",
            level=Level.INFO if has_programme else Level.BLOCKING,
            text=marked("Members of the loyalty programme that go on in the programme of the shared pool"),
            advice="" if has_programme else marked("The others have no programme yet: set one up first."),
            count=members,
            is_moved=True,
        ),
    ]
    return [each for each in found if each.count]


POOLING = Pooling(
    order=40,
    moves={
        "credit_account": Resource.CUSTOMERS,
        "gift_card": Resource.CUSTOMERS,
        "loyalty_member": Resource.CUSTOMERS,
    },
    stays={"loyalty_programme": "a programme is a rule of its pool"},
    look={Resource.CUSTOMERS: look},
    steps={
        # With the customers: an account that is looked for in vain would be opened a second time.
        Resource.CUSTOMERS: [
            relabel(
                "credit_account",
                only="t.holder IS NOT NULL",
                since="EXISTS (SELECT FROM gift_card g WHERE g.account = t.id AND g.channel = $3) OR "
                + _GOES_BACK.format("t.holder"),
                with_switch=True,
            ),
            relabel("gift_card", since="t.channel = $3", with_switch=True),
            relabel(
                "loyalty_member", key="customer", since=_GOES_BACK.format("t.customer"), with_switch=True
            ),
        ]
    },
)
