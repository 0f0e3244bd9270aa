"""A decision of staff about something that others may decide meanwhile: done, refused at its form, or somebody was quicker."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from litestar import Response

from samlad.faces.form import Form
from samlad.faces.page import AnyRequest, change, go, words
from samlad.kernel.database import Tx
from samlad.kernel.problems import NotFound, Outdated, Problem

T = TypeVar("T")


async def decide(
    request: AnyRequest,
    verb: Callable[[Tx], Awaitable[T]],
    *,
    here: str,
    done: Callable[[T], Response[Any]],
    again: Callable[[Problem], Awaitable[Response[Any]]],
    is_quicker: tuple[type[Problem], ...] = (NotFound, Outdated),
) -> Response[Any]:
    """Run a verb in a transaction, and answer with what came of it.

    Args:
        verb: it reads its form, too, so that what is wrong there is told as what it refuses.
        here: the page of what is decided, to which one goes back where somebody was quicker (``is_quicker``).
        done: the answer for what the verb gave.
        again: the page with its form once more, and why.
    """
    try:
        came = await change(request, verb)
    except is_quicker:
        text = words(request)("Somebody was quicker: this has changed. Look at it as it is now.")
        return go(request, here, text, kind="warning")
    except Problem as problem:
        return await again(problem)
    return done(came)


def failed(
    form: Form, page: Callable[[Form], Awaitable[Response[Any]]]
) -> Callable[[Problem], Awaitable[Response[Any]]]:
    """The usual ``again``: the page with its form, and what was wrong at each field."""

    async def again(problem: Problem) -> Response[Any]:
        return await page(form.failed(problem))

    return again
