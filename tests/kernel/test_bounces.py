"""Messages that say that a mail did not arrive are read as mail servers write them; others say nothing."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from samlad.kernel import bounces

MAIL = UUID("01a219b2-88d0-7000-8924-ae3740b93b33")

POSTFIX = f"""\
From: MAILER-DAEMON@mx.shop.example (Mail Delivery System)
To: shop@shop.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B/1"

--B/1
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.shop.example.

--B/1
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.shop.example
X-Postfix-Queue-ID: 4RkXyz0abc
Arrival-Date: Thu, 26 Nov 2026 10:00:00 +0000 (UTC)

Final-Recipient: rfc822; kim@example.org
Original-Recipient: rfc822;Kim@example.org
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.example.org
Diagnostic-Code: smtp; 550 5.1.1 <kim@example.org>: Recipient address rejected:
    User unknown in virtual mailbox table

--B/1
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

From: Shop <shop@shop.example>
To: kim@example.org
Message-ID: <{MAIL}@shop.example>
Subject: Hello

--B/1--
"""


def test_a_report_of_a_mail_server_is_read() -> None:
    (found,) = bounces.read(POSTFIX.encode())
    assert (found.mail, found.is_permanent, found.status, found.code) == (MAIL, True, "5.1.1", 550)
    assert found.answer.startswith("550 5.1.1 <kim@example.org>: Recipient address rejected: User unknown")
    assert bounces.read(POSTFIX.replace("\n", "\r\n").encode()) == [found]
    # The whole mail sent back instead of its headers.
    whole = POSTFIX.replace("text/rfc822-headers", "message/rfc822").replace(
        "Subject: Hello\n", "Subject: Hello\n\nHi\n"
    )
    assert bounces.read(whole.encode()) == [found]
    # In other scripts (RFC 6533).
    other = POSTFIX.replace("message/delivery-status", "message/global-delivery-status")
    other = other.replace("text/rfc822-headers", "message/global-headers").replace(
        "rfc822; kim@", "utf-8; kím@"
    )
    assert [(each.mail, each.status) for each in bounces.read(other.encode())] == [(MAIL, "5.1.1")]
    # Nothing of the mail comes with it: by the address that it came back to, or what it answers.
    bare = POSTFIX.replace(f"Message-ID: <{MAIL}@shop.example>\n", "")
    assert bounces.read(bare.encode()) == []
    to = f"To: Bounces+{MAIL.hex}@shop.example\n"
    assert bounces.read(bare.replace("To: shop@shop.example\n", to).encode()) == [found]
    assert bounces.read(f"In-Reply-To: <{MAIL}@shop.example>\n{bare}".encode()) == [found]


def test_what_came_back_for_now_is_told_from_what_came_back_for_good() -> None:
    full = POSTFIX.replace("Status: 5.1.1", "Status: 4.2.2").replace("550 5.1.1", "452 4.2.2")
    (found,) = bounces.read(full.encode())
    assert (found.is_permanent, found.status, found.code) == (False, "4.2.2", 452)
    # A server that only says "failed" passes on what the other one said.
    (found,) = bounces.read(POSTFIX.replace("Status: 5.1.1", "Status: 5.0.0").encode())
    assert (found.is_permanent, found.status) == (True, "5.1.1")
    for status, code, is_permanent in [
        ("5.1.1", 550, True),
        ("5.1.10", 556, True),
        ("5.2.1", 550, True),
        ("5.4.4", 550, True),
        ("5.2.2", 552, False),
        ("5.2.3", 552, False),
        ("5.7.1", 550, False),
        ("5.1.8", 550, False),
        ("4.4.1", 450, False),
        ("5.0.0", 550, True),
        ("5.0.0", 554, False),
    ]:
        assert bounces.is_permanent(status, code) == is_permanent, (status, code)
    assert bounces.judged("5.1.1 User unknown", 550) == (True, "5.1.1")
    assert bounces.judged("No such user", 550) == (True, "5.0.0")
    assert bounces.judged("5.7.1 Blocked, see 5.1.1 for more", 550) == (False, "5.7.1")


def test_other_messages_say_nothing() -> None:
    late = POSTFIX.replace("Action: failed", "Action: delayed").replace("Status: 5.1.1", "Status: 4.4.1")
    assert bounces.read(late.encode()) == []
    away = f"To: bounces+{MAIL.hex}@shop.example\nIn-Reply-To: <{MAIL}@shop.example>\nSubject: Away\n\nI am on holiday. 5.1.1\n"
    assert bounces.read(away.encode()) == []
    assert bounces.read(b"") == []


@given(st.binary(max_size=300), st.integers(0, len(POSTFIX)), st.integers(0, len(POSTFIX)))
def test_no_message_breaks_it(noise: bytes, start: int, end: int) -> None:
    raw = POSTFIX.encode()
    for each in bounces.read(raw[:start] + noise + raw[end:]):
        assert isinstance(each.mail, UUID)
        assert len(each.answer) <= bounces.LONGEST_ANSWER
