"""What packages declare of their rows in pools: the ``POOLING`` of each that has a room ``pooling.py``."""

import importlib
import importlib.util
from functools import lru_cache

from samlad.channels import Resource
from samlad.channels.pooling import Look, Pooling, Step
from samlad.packages import PACKAGES


@lru_cache(maxsize=1)
def poolings() -> dict[str, Pooling]:
    """By package, in the order in which they move."""
    found: dict[str, Pooling] = {}
    for package in PACKAGES:
        if package != __package__ and importlib.util.find_spec(f"{package}.pooling"):
            declared = getattr(importlib.import_module(f"{package}.pooling"), "POOLING", None)
            if isinstance(declared, Pooling):
                found[package] = declared
    return dict(sorted(found.items(), key=lambda item: item[1].order))


def looks(resource: Resource) -> list[Look]:
    """Who has something to say before a channel moves."""
    return [each.look[resource] for each in poolings().values() if resource in each.look]


def steps(resource: Resource) -> list[Step]:
    """What moves the rows of a resource."""
    found = [step for each in poolings().values() for step in each.steps.get(resource, ())]
    return sorted(found, key=lambda step: step.is_last)


def steps_of_switch(resource: Resource) -> list[Step]:
    """Those that are done in the transaction of the switch; first of all those that take locks."""
    return sorted((step for step in steps(resource) if step.with_switch), key=lambda step: not step.is_first)


def tables() -> dict[str, str]:
    """Every declared table with the package that owns it."""
    return {table: package for package, each in poolings().items() for table in (*each.moves, *each.stays)}
