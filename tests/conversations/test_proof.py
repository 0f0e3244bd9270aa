"""What our own mail server says of a mail's sender decides whether an answer is taken as the customer's (RFC 8601)."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_mail_replies import KIM, Talk

from samlad.conversations import proof
from samlad.conversations.model import Why
from samlad.kernel.database import Database
from samlad.kernel.settings import Settings
from trade import build

OURS = "mx.shop.example"
PROVED = [
    f"{OURS}; dmarc=pass (p=none dis=none) header.from=example.org",
    f"{OURS.upper()} 1; DMARC=Pass header.from=EXAMPLE.ORG",
    f'{OURS};\r\n\tdkim=pass reason="good signature" header.d=example.org header.i=@example.org header.s=a',
    f"{OURS}; dkim=pass header.i=@mail.example.org",
    f"{OURS}; spf=pass smtp.mailfrom=kim@example.org; dkim=none",
    f"{OURS} (Postfix (really; dkim=fail)) ; spf/1=pass (a \\) b) smtp.mailfrom = bounce.example.org",
    f'"{OURS}"; dkim=fail header.d=other.example; dkim=pass header.d=example.org',
]
UNPROVED = [
    "",
    f"{OURS}; none",
    OURS,
    "mx.evil.example; dmarc=pass header.from=example.org",
    f"x{OURS}; dmarc=pass header.from=example.org",
    f"evil.example; x={OURS}; dmarc=pass header.from=example.org",
    f"evil.example ({OURS}); dmarc=pass header.from=example.org",
    f"{OURS}; dmarc=pass header.from=evil.example",
    f"{OURS}; dkim=pass header.d=evil.example",
    f"{OURS}; dkim=pass header.d=org",
    f"{OURS}; dkim=pass header.d=notexample.org",
    f"{OURS}; dkim=pass",
    f"{OURS}; spf=pass smtp.helo=example.org",
    f"{OURS}; spf=softfail smtp.mailfrom=kim@example.org; dkim=neutral header.d=example.org",
    f"{OURS}; spf=fail (dkim=pass header.d=example.org) smtp.mailfrom=example.org",
    f'{OURS}; spf=fail reason="; dkim=pass header.d=example.org" smtp.mailfrom=example.org',
    f"{OURS}; dmarc=fail header.from=example.org; dkim=pass header.d=example.org",
    f"{OURS}; auth=pass smtp.auth=kim@example.org",
]


def test_only_our_own_server_proves_and_only_for_the_domain_of_the_sender() -> None:
    assert [each for each in PROVED if not proof.is_proved([each], OURS, KIM)] == []
    assert [each for each in UNPROVED if proof.is_proved([each], OURS, KIM)] == []
    assert proof.is_proved([UNPROVED[3], PROVED[0]], OURS, KIM)
    assert not proof.is_proved([PROVED[0], f"{OURS}; dmarc=fail header.from=example.org"], OURS, KIM)
    assert not proof.is_proved(PROVED, "", KIM)


@given(st.text(max_size=200), st.text(max_size=20))
def test_no_header_breaks_it_and_none_of_a_stranger_proves(noise: str, name: str) -> None:
    assert proof.is_proved([noise], OURS, name) in (True, False)
    assert not proof.is_proved([f"evil.example {noise}", f"evil.example; {noise}"], OURS, KIM)


@pytest.fixture
async def talk(db: Database, settings: Settings) -> Talk:
    made = Talk(await build(db), settings)
    made.settings = db.settings = msgspec.structs.replace(made.settings, mail_authserv_id=OURS)
    return made


def marked(raw: bytes, value: str) -> bytes:
    return f"Authentication-Results: {value}\r\n".encode() + raw


async def test_an_answer_without_proof_waits_for_staff(talk: Talk) -> None:
    made = await talk.begin()

    async def comes(text: str, *values: str) -> str:
        raw = talk.written(talk.to(made), text)
        for value in values:
            raw = marked(raw, value)
        return (await talk.receive(raw)).what

    assert await comes("Kim", PROVED[0]) == "taken"
    assert await comes("Nobody says") == "waiting"
    assert await comes("A stranger says", UNPROVED[3]) == "waiting"
    assert await comes("Ours says no", f"{OURS}; dmarc=fail header.from=example.org") == "waiting"
    assert await comes("Ours beside a stranger's", UNPROVED[3], PROVED[2]) == "taken"
    assert [body for _, body, _ in await talk.words(made)][-2:] == ["Kim", "Ours beside a stranger's"]
    rows = await talk.db.rows("SELECT reason, conversation FROM inbound_mail WHERE state = 'waiting'")
    assert {(row["reason"], row["conversation"]) for row in rows} == {(Why.UNPROVED, made.id)}


async def test_without_a_server_whose_word_counts_the_address_has_to_do(talk: Talk) -> None:
    made = await talk.begin()
    talk.settings = talk.db.settings = msgspec.structs.replace(talk.settings, mail_authserv_id="")
    raw = marked(talk.written(talk.to(made), "Hello"), f"{OURS}; dmarc=fail header.from=example.org")
    assert (await talk.receive(raw)).what == "taken"
