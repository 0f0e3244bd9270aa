"""Events of clients: the API that Segment, RudderStack and Jitsu speak. `docs/concepts/tracking.md` explains.

The public face: what the floors above may use. Sources, events and their pages are read by `store` and `events_store`.
"""

from samlad.tracking.vocabulary import MEANINGS, Meaning, Told, to_segment

__all__ = ["MEANINGS", "Meaning", "Told", "to_segment"]
