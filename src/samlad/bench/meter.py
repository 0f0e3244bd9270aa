"""Meters: the CPU time of whole process trees, and percentiles."""

from collections.abc import Sequence

import psutil


class Meter:
    """CPU seconds (user and system) of processes and everything below them, dead children included.

    A child's time is counted by the child while it lives and by its parent once it was reaped, so the sum over a tree
    only grows. The operating system counts in hundredths of a second: measure for seconds.
    """

    def __init__(self, *roots: int) -> None:
        """``roots`` are process ids, each the top of a tree."""
        self._roots = [psutil.Process(pid) for pid in roots]

    def seconds(self) -> float:
        """So far."""
        return sum(_spent(process) for root in self._roots for process in [root, *_below(root)])


def _below(root: psutil.Process) -> list[psutil.Process]:
    try:
        return root.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _spent(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of the values do not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * percent // 100).__int__() - 1)]


def milliseconds(values: Sequence[float], *percents: float) -> dict[str, float]:
    """Percentiles of seconds as figures in milliseconds: ``{"p50_ms": 1.25, …}``."""
    return {f"p{percent:g}_ms": round(percentile(values, percent) * 1000, 2) for percent in percents}
