"""Everything that is known of a customer, from all packages below, in one answer. `docs/concepts/profile.md` explains.

The public face: what the faces may use.
"""

from samlad.profile.extending import provide
from samlad.profile.household import leave, live_with
from samlad.profile.live import TOPIC
from samlad.profile.model import KINDS, KnownSize, Person, Preferences, TimelineRow
from samlad.profile.reading import read
from samlad.profile.timeline import TIMELINE, scope_of

__all__ = [
    "KINDS",
    "TIMELINE",
    "TOPIC",
    "KnownSize",
    "Person",
    "Preferences",
    "TimelineRow",
    "leave",
    "live_with",
    "provide",
    "read",
    "scope_of",
]
