"""Events of clients: the API that Segment, RudderStack and Jitsu speak. `docs/concepts/tracking.md` explains."""
