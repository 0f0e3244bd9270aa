"""Whose the moments at a shared device are: a tablet, a kiosk, a till.

Its ids stand for nobody. Within a session the moments without a name are those of who is named in it; they never join
two people, so whose they are can be told from the device alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

import msgspec

from samlad.identity.evidence import Key, Seen
from samlad.identity.model import RANK, AuthLevel, Kind, Rules, Trust

MOMENT = Kind.SIGHTING


def attached(observed: Iterable[Seen], rules: Rules) -> dict[Key, Key]:
    """By moment, who is meant: the surest name in its session. Moments of nobody's are left out."""
    runs: dict[Key, list[Seen]] = defaultdict(list)
    for seen in observed:
        if seen.device is not None:
            runs[seen.device].append(seen)
    found: dict[Key, Key] = {}
    trusts = rules.trusts()
    for run in runs.values():
        for session in sessions(sorted(run, key=lambda seen: (seen.at, seen.id)), rules):
            person = _person(session, trusts)
            if person is not None:
                moments = (key for seen in session.sightings for key in seen.keys if key.kind == MOMENT)
                found |= dict.fromkeys(moments, person)
    return found


def _person(session: "Session", trusts: Mapping[tuple[Kind, AuthLevel], Trust]) -> Key | None:
    named = [
        (-trusts[key.kind, seen.auth], RANK[key.kind], key.value, key)
        for seen in session.sightings
        for key in seen.keys
        if key.kind != MOMENT and trusts[key.kind, seen.auth] > Trust.NEVER
    ]
    return min(named)[3] if named else None


class Session(msgspec.Struct):
    """Sightings at a shared device that are one person's. ``person`` is who, by each kind."""

    sightings: list[Seen]
    person: dict[Kind, Key]
    last_named: int = -1

    def add(self, seen: Seen) -> None:
        """One more; remembers where somebody was named last."""
        named: dict[Kind, Key] = {key.kind: key for key in seen.keys if key.kind != MOMENT}
        self.sightings.append(seen)
        self.person |= named
        if named:
            self.last_named = len(self.sightings) - 1

    def is_other(self, seen: Seen) -> bool:
        """Whether somebody else is named: the same kind, another value."""
        return any(self.person.get(key.kind, key) != key for key in seen.keys if key.kind != MOMENT)


def sessions(run: Sequence[Seen], rules: Rules) -> list[Session]:
    """Cut what was seen at one shared device, in order of time, into sessions.

    One ends with a sale or a sign-out, when nothing happens for the idle time, when the device says so, and when
    somebody else is named. In that last case nobody knows whose the unnamed moments before were: they are left out.
    """
    found: list[Session] = []
    idle = timedelta(minutes=rules.idle_minutes)
    for seen in run:
        before = found[-1].sightings[-1] if found else None
        if before is None or _ends(before, seen, idle):
            found.append(Session([], {}))
        elif found[-1].is_other(seen):
            del found[-1].sightings[found[-1].last_named + 1 :]
            found.append(Session([], {}))
        found[-1].add(seen)
    return found


def _ends(before: Seen, seen: Seen, idle: timedelta) -> bool:
    return (
        before.ends_session
        or seen.at - before.at > idle
        or (before.session is not None and seen.session is not None and before.session != seen.session)
    )
