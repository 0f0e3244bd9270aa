"""Codes that people hold in their hands: of gift cards (secret, worth money) and of members (a name, not a secret).

Both are in Crockford's base 32 without the letters that are taken for others (I, L, O, U), so that they survive being
read out on the phone; a check character (ISO 7064 mod 37, 36) finds every single wrong one before anything is looked up.
"""

import re
import secrets

from stdnum.iso7064 import mod_37_36

from samlad.access.tokens import token_hash

SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LETTERS = SYMBOLS[10:]
CARD_SYMBOLS = 16
"""With the first a letter that is about 22 · 32^15 codes: 79 bits. A letter, so that none looks like the number of a bank
card."""
MEMBER_SYMBOLS = 10
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})
_CARD = re.compile(rf"^[{LETTERS}][{SYMBOLS}]{{{CARD_SYMBOLS}}}$")
_MEMBER = re.compile(rf"^M[{SYMBOLS}]{{{MEMBER_SYMBOLS}}}[0-9A-Z]$")


def new_card_code() -> str:
    """A gift card's code: 16 random symbols and a check character, which is one that is not taken for another either."""
    while True:
        body = secrets.choice(LETTERS) + "".join(secrets.choice(SYMBOLS) for _ in range(CARD_SYMBOLS - 1))
        check = str(mod_37_36.calc_check_digit(body))
        if check in SYMBOLS:
            return body + check


def written(code: str) -> str:
    """A code in groups of four, as it is printed."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def read_card_code(text: str) -> str | None:
    """The code that somebody typed or scanned, without blanks and hyphens; None if its check character is wrong."""
    plain = _plain(text).translate(_READ_AS)
    return plain if _CARD.match(plain) and mod_37_36.is_valid(plain) else None


def card_hash(code: str) -> bytes:
    """What is stored of a code: it is random, so a fast hash is enough."""
    return token_hash(f"gift-card:{code}")


def new_member_code() -> str:
    """A member's code: M, ten random symbols and a check character (ISO 7064 mod 37, 36)."""
    body = "M" + "".join(secrets.choice(SYMBOLS) for _ in range(MEMBER_SYMBOLS))
    return str(body + mod_37_36.calc_check_digit(body))


def read_member_code(text: str) -> str | None:
    """The member's code that was typed or scanned; None if it cannot be one."""
    plain = _plain(text)
    return plain if _MEMBER.match(plain) and mod_37_36.is_valid(plain) else None


def _plain(text: str) -> str:
    return re.sub(r"[\s\-–]", "", text).upper()
