"""What customers answer by mail is read as their programs write it: what is new stays, what is quoted goes, nothing breaks it."""

import time
from email.message import EmailMessage
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samlad.conversations import enclosed, letter, plain, quoting
from samlad.conversations.enclosed import Enclosed
from samlad.kernel.i18n import translator

OURS = UUID("01a219b2-88d0-7000-8924-ae3740b93b33")
LINE_SV, LINE_NL = (translator(each).gettext(quoting.LINE) for each in ("sv", "nl"))

WRITTEN = [
    ("Ja tack!\n\nHälsningar\nKim\n\nDen fre 27 nov. 2026 kl 10:00 skrev Butiken <shop@x.se>:\n> Hej\n> då\n", "Ja tack!\n\nHälsningar\nKim"),
    ("Prima, dank u.\n\nMet vriendelijke groet,\nJan\n\nOp vr 27 nov 2026 om 10:00 schreef Winkel\n<shop@x.nl>:\n\n> Hallo\n>\n> Jan\n", "Prima, dank u.\n\nMet vriendelijke groet,\nJan"),
    ("شكرا لكم، أريد اللون الأحمر.\n\nفي الجمعة، 27 نوفمبر 2026 في 10:00 ص كتب Shop <shop@x.se>:\n> مرحبا", "شكرا لكم، أريد اللون الأحمر."),
    (f"Vilken färg?\n\nFrån: Butiken <a@b.se>\nSkickat: den 27 november 2026 10:00\nTill: Kim\nÄmne: Svar\n\n{LINE_SV}\n\nHej", "Vilken färg?"),
    ("Rood graag\n\n________________________________\nVan: Winkel <a@b.nl>\nVerzonden: vrijdag 27 november 2026 10:00\nAan: Jan\nOnderwerp: Antwoord\n\nHallo", "Rood graag"),
    (f"Bra.\n\n{LINE_SV}\n\nHej!", "Bra."),
    (f"Goed\n\n{LINE_NL}\n\nHallo!", "Goed"),
    ("OK\n\n-----Ursprungligt meddelande-----\nHej", "OK"),
    ("Ja\n\nSkickat från min iPhone\n", "Ja"),
    ("Ja\n\nVerstuurd vanaf mijn iPhone\n\n> Hallo\n", "Ja"),
    ("نعم\n\nأُرسلت من الـ iPhone", "نعم"),
    ("Yes.\n\n-- \nKim Berg\n+46 70 123 45 67\n", "Yes."),
    ("Yes.\n-- \nKim\n\nOn 27 Nov 2026 Shop wrote:\n> Hi\n", "Yes."),
    # Under the quote, and between its lines.
    ("On 27 Nov 2026 Shop wrote:\n> Hi\n> Red?\n\nBlue, please.\n", "Blue, please."),
    ("See below.\n\n> Red?\nNo.\n> Blue?\nYes.", "See below.\n\n> Red?\nNo.\n> Blue?\nYes."),
    # What only looks like a mark stays: a list with hyphens, a colon, fields of a form, the word mail.
    ("My list:\n- one\n- two\n\nThis mail is about both.", "My list:\n- one\n- two\n\nThis mail is about both."),
    ("From: Malmö\nTo be delivered", "From: Malmö\nTo be delivered"),
    ("Sent from my heart: thank you!\nKim", "Sent from my heart: thank you!\nKim"),
    ("Best regards\nKim", "Best regards\nKim"),
    # All of it is quoted: somebody sent it, so it stays.
    ("> Hi\n> Kim", "> Hi\n> Kim"),
]  # fmt: skip


def test_what_is_new_is_kept_and_what_is_quoted_goes() -> None:
    wrong = [(text, quoting.written(text)) for text, wanted in WRITTEN if quoting.written(text) != wanted]
    assert not wrong
    assert [text for text, wanted in WRITTEN if quoting.written(text.replace("\n", "\r\n")) != wanted] == []


def test_every_language_has_a_line_that_is_found() -> None:
    for language in ("en", "sv", "nl"):
        line = translator(language).gettext(quoting.LINE)
        assert quoting.written(f"Yes\n\n{line}\n\nHello") == "Yes", language


def test_html_is_words_only() -> None:
    gmail = (
        '<div dir="rtl">شكرا<br>لكم &amp; &lt;b&gt;</div><script>alert(1)</script><style>p{}</style><br>'
        '<div class="gmail_quote gmail_quote_container"><div class="gmail_attr">On … wrote:<br></div>'
        "<blockquote>Hi <div>there</div></blockquote></div>"
    )
    assert plain.text_of(gmail) == "شكرا\nلكم & <b>"
    assert "there" in plain.text_of(gmail, quotes=True)
    outlook = '<p>Röd, tack</p><p>Kim</p><div id="divRplyFwdMsg"><b>Från:</b> Butiken</div><div>Hej</div>'
    assert plain.text_of(outlook) == "Röd, tack\n\nKim"
    apple = '<div>Ja</div><blockquote type="cite"><div>Hallo</div></blockquote><div>Tot ziens</div>'
    assert plain.text_of(apple) == "Ja\n\nTot ziens"
    links = '<p>See <a href="https://a.example/x">this</a>, <a href="javascript:alert(1)">that</a> and <a href="https://a.example/">a.example</a></p>'
    assert plain.text_of(links) == "See this (https://a.example/x), that and a.example"
    assert (
        plain.text_of("<img src=x onerror=alert(1)>Hi<iframe src='https://evil.example'>no</iframe>") == "Hi"
    )


def build(text: str = "Yes", html: str = "", **headers: str) -> bytes:
    message = EmailMessage()
    for name, value in {
        "From": "Kim Berg <Kim@Example.org>",
        "To": "Shop <replies+abc@shop.example>",
        "Message-ID": "<one@example.org>",
        "Subject": "Sv: Vår är här",
    }.items():
        message[name] = headers.pop(name.replace("-", "_"), value)
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message.as_bytes()


def test_who_what_and_to_what() -> None:
    raw = build(
        In_Reply_To=f"<{OURS}@shop.example>",
        References=f"<x@example.org> <{OURS}@shop.example>",
        Cc="a@b.example",
    )
    found = letter.read(raw)
    assert (found.sender, found.name, found.subject) == ("kim@example.org", "Kim Berg", "Sv: Vår är här")
    assert found.to == ["replies+abc@shop.example", "a@b.example"]
    assert (found.answers, found.message_id, found.text) == ([OURS], "one@example.org", "Yes")
    assert not found.is_automatic
    assert not found.is_report
    # The same mail by another way has the same key; another one, or one of somebody else with its name, has not.
    assert letter.read(b"Delivered-To: x@shop.example\r\n" + raw).key == found.key
    assert letter.read(build(Message_ID="<two@example.org>")).key != found.key
    assert letter.read(build(From="eve@example.org")).key != found.key


def test_programs_are_told_from_people() -> None:
    for headers in (
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated; owner-email=x@example.org"},
        {"Precedence": "bulk"},
        {"Precedence": "auto_reply"},
        {"X_Autoreply": "yes"},
        {"Return_Path": "<>"},
        {"List_Id": "<x.example.org>"},
    ):
        assert letter.read(build(**headers)).is_automatic, headers
    assert not letter.read(build(Auto_Submitted="no")).is_automatic
    report = letter.read(
        b"From: x@example.org\nContent-Type: multipart/report; boundary=b\n\n--b\n\nLate\n--b--"
    )
    assert report.is_report


def test_files_come_with_their_bytes() -> None:
    message = EmailMessage()
    message["From"] = "kim@example.org"
    message.set_content("See the picture")
    message.add_attachment(b"\xff\xd8" * 50, maintype="image", subtype="jpeg", filename="../../Blå vas.jpg")
    message.add_attachment("more words", filename="note.txt")
    found = letter.read(message.as_bytes())
    assert found.text == "See the picture"
    assert found.attachments == [
        Enclosed(name="Blå vas.jpg", type="image/jpeg", size=100, content=b"\xff\xd8" * 50),
        Enclosed(name="note.txt", type="text/plain", size=11, content=b"more words\n"),
    ]
    cut = letter.read(message.as_bytes()[:-20])
    assert [each.content for each in cut.attachments] == [b"\xff\xd8" * 50, None], "its end did not come"


def test_what_a_file_is_its_bytes_say_and_what_may_run_is_not_kept() -> None:
    def one(name: str, content: bytes) -> Enclosed:
        return Enclosed(name=enclosed.name_of(name), type="image/png", size=len(content), content=content)

    kinds = {
        b"\x89PNG\r\n\x1a\n..": "image/png",
        b"%PDF-1.7": "application/pdf",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>": "application/octet-stream",
        b"<!doctype html><script>alert(1)</script>": "application/octet-stream",
        b"PK\x03\x04": "application/zip",
    }
    told, kept = enclosed.choose([one("a.png", each) for each in kinds], 1_000)
    assert [each.type for each in told] == list(kinds.values())
    assert len(kept) == len({each.stored_as for each in kept}) == len(kinds)
    runs = [
        ("a.png", b"MZ\x90"),
        ("bill.pdf.exe", b"x"),
        ("a.JS", b"x"),
        ("a.lnk ", b"x"),
        ("x", b"#!/bin/sh"),
    ]
    assert enclosed.choose([one(*each) for each in runs], 1_000)[1] == []
    assert enclosed.name_of("C:\\x\\bill\u202efdp.exe\u202c") == "billfdp.exe"
    assert enclosed.name_of("../\x00") == "?"


@given(st.lists(st.integers(1, 5_000_000), max_size=14), st.integers(0, 30_000_000))
def test_no_more_is_kept_than_there_is_room_for(sizes: list[int], room: int) -> None:
    class Many(bytes):
        """So many bytes without having them."""

    files = [Enclosed(name="a", type="x", size=each, content=Many(b"x")) for each in sizes]
    told, kept = enclosed.choose(files, room)
    assert [each.size for each in told] == sizes
    assert sum(each.told.size for each in kept) <= min(room, enclosed.MOST_OF_MAIL)
    assert len(kept) <= enclosed.MOST_FILES
    assert {each.told.id for each in kept} == {each.id for each in told if each.id}


@given(st.text(max_size=40))
def test_no_name_breaks_a_header(name: str) -> None:
    told = enclosed.headers(enclosed.name_of(name.encode("utf-8", "replace").decode()))["Content-Disposition"]
    assert told.isascii()
    assert "\n" not in told
    assert told.startswith("attachment; filename=")
    assert told.count('"') == 2


def test_old_and_wrong_encodings_are_read() -> None:
    latin = "From: =?iso-8859-1?Q?Kim_=C5berg?= <k@example.org>\nContent-Type: text/plain; charset=iso-8859-1\n\nBlå".encode(
        "latin-1"
    )
    assert (letter.read(latin).name, letter.read(latin).text) == ("Kim Åberg", "Blå")
    unknown = b"From: k@example.org\nContent-Type: text/plain; charset=no-such\n\nBl\xc3\xa5"
    assert letter.read(unknown).text == "Blå"
    arabic = "From: k@example.org\nContent-Type: text/plain; charset=windows-1256\n\nنعم".encode(
        "windows-1256"
    )
    assert letter.read(arabic).text == "نعم"
    assert letter.read(build("", "<p>Hej</p>")).text == "Hej"


@given(st.binary(max_size=300), st.integers(0, 600), st.integers(0, 600))
def test_no_mail_breaks_it(noise: bytes, start: int, end: int) -> None:
    raw = build(In_Reply_To=f"<{OURS}@shop.example>", html="<p>Yes</p>")
    found = letter.read(raw[:start] + noise + raw[end:])
    assert len(found.text) <= letter.LONGEST_TEXT
    kept = [found.text, found.subject, found.name, found.sender, found.message_id or ""]
    kept += [part for each in found.attachments for part in (each.name, each.type)]
    "".join(kept).encode()  # whatever it is, the database can hold it
    assert "\x00" not in "".join(kept)


def test_a_type_that_is_none_is_kept_all_the_same() -> None:
    raw = b'From: x@example.org\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: image/\x00\xffpng; name="a\x00b.png"\n\nx\n--b--'
    (file,) = letter.read(raw).attachments
    assert "\x00" not in file.type + file.name
    (file.type + file.name).encode()


@pytest.mark.parametrize(
    "bad",
    [
        "\n" * 100_000, "> " * 50_000, ">\n" * 50_000, "On " * 33_000, "On a, b wrote " * 7_000 + ":", "-" * 100_000, "From: a\n" * 12_000,
        "##-" * 33_000, "-- \n" * 25_000, "a:\n\n" * 25_000, "_" * 100_000, "sent from " * 10_000, " " * 100_000,
    ],
)  # fmt: skip
def test_no_text_takes_long(bad: str) -> None:
    began = time.process_time()
    quoting.written(bad)
    assert time.process_time() - began < 2


def test_no_html_takes_long() -> None:
    for bad in (
        "<div>" * 20_000,
        "<!--" * 25_000,
        "<a href=" * 12_000,
        "&" * 100_000,
        "<p>" * 33_000,
        "<blockquote type=cite>" * 4_000,
    ):
        began = time.process_time()
        plain.text_of(bad)
        assert time.process_time() - began < 20, bad[
            :10
        ]  # a second; what is no pass through it takes minutes


def test_a_mail_of_many_boxes_is_read() -> None:
    deep = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(3_000))
    assert letter.read(f"From: k@example.org\n{deep}\nHi".encode()).text == ""
