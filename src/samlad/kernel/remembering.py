"""Answers of pure functions that a process remembers, though people are in them: never for long, and forgotten when asked."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_all: "list[Remembered[..., object]]" = []


class Remembered(Generic[P, T]):
    """A function whose latest answers are kept for at most so many seconds, also by a process that is asked nothing more."""

    def __init__(self, work: Callable[P, T], most: int, seconds: float) -> None:
        self._answers = lru_cache(maxsize=most)(work)
        self._seconds = seconds
        self._until = 0.0
        self.__doc__ = work.__doc__
        _all.append(self)  # type: ignore[arg-type]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """The answer, remembered or worked out."""
        moment = time.monotonic()
        if moment >= self._until:
            self.forget()
            self._until = moment + self._seconds
            with contextlib.suppress(RuntimeError):  # outside a loop the next call looks at the clock
                asyncio.get_running_loop().call_later(self._seconds, self.forget)
        return self._answers(*args, **kwargs)  # type: ignore[arg-type]

    def forget(self) -> None:
        """Remember nothing any more."""
        self._answers.cache_clear()

    def __len__(self) -> int:
        return self._answers.cache_info().currsize


def remembered(most: int, seconds: float) -> Callable[[Callable[P, T]], Remembered[P, T]]:
    """Let a function remember its latest answers: at most so many, for at most so many seconds."""
    return lambda work: Remembered(work, most, seconds)


def forget_all() -> None:
    """Forget what was remembered of anybody in this process: somebody was erased."""
    for each in _all:
        each.forget()
