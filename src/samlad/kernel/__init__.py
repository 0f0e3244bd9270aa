"""The kernel: database, event log, jobs, live pages, idempotency, problems, money, vault.

It knows nothing of commerce. Everything above stands on it and nothing in it imports from above.
"""
