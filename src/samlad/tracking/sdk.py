"""The browser clients that we serve from our own origin: Segment's and Jitsu's, as their makers published them (MIT).

They are shipped because a shop must not depend on somebody else's server for what its pages load. `docs/decisions/`
says how they are brought up to date; NOTICE names their authors.
"""

import gzip
import hashlib
import re
from functools import cache
from importlib import resources

import msgspec

HOUR, YEAR = 3_600, 31_536_000

_BUNDLE = re.compile(r"^[A-Za-z0-9-]{1,60}\.bundle\.[0-9a-f]{20}\.js$")


class Script(msgspec.Struct, frozen=True):
    """A file as it is sent; ``max_age`` in seconds."""

    plain: bytes
    packed: bytes
    digest: str
    max_age: int


@cache
def _script(name: str, max_age: int) -> Script | None:
    file = resources.files("samlad.tracking").joinpath("browser", name)
    if not file.is_file():
        return None
    plain = file.read_bytes()
    return Script(plain, gzip.compress(plain, mtime=0), hashlib.sha256(plain).hexdigest()[:32], max_age)


def segment() -> Script | None:
    """Segment's analytics-next, the standalone build."""
    return _script("analytics-next/standalone.js", HOUR)


def jitsu() -> Script | None:
    """Jitsu's client."""
    return _script("jitsu/p.js", HOUR)


def bundle(name: str) -> Script | None:
    """A part of analytics-next by its name, which holds a digest of what is in it: it never changes."""
    return _script(f"analytics-next/bundles/{name}", YEAR) if _BUNDLE.match(name) else None
