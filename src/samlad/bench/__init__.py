"""What Samlad costs, measured: ``samlad bench``. `docs/how-to/measure.md` explains each figure.

Each benchmark has a fresh shop of its own: a temporary ``SAMLAD_HOME`` with a durable PostgreSQL (fsync on), a real
``samlad serve``, real requests. What it starts it also ends. Absolute figures depend on the machine, so bounds are
put on ratios to the same work without us, measured in turns in one run, wherever there is such work.
"""
