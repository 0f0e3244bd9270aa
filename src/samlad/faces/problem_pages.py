"""How a problem is told to a person: a page that says what happened, the way to sign in, or words for a piece of a page."""

import re
from typing import Any
from urllib.parse import urlencode, urlsplit

from litestar import Response

from samlad.channels import last_seen, shop_at
from samlad.faces import objections, problem_words
from samlad.faces.page import AnyRequest, address_of, is_for_people, is_htmx, local_path, page, words
from samlad.kernel import once
from samlad.kernel.http import REQUEST_ID_SCOPE, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import ERRORS_BELOW, Problem, Unauthenticated

_TELLING = (400, 404, 409, 410, 412, 413, 422, 429)
"""Of these statuses a problem's own words say what to do; of others what its status says is better."""

DONE_ALREADY = marked("This is done already")

_NOT_OPEN = "shop-not-open"
"""The code of the problem (of the storefront) that a shop is closed to visitors."""

_AGAIN = "account-sign-in-again"
"""The code of the problem (of `samlad.accounts`) that somebody signed in too long ago for this."""


_FORMS_OF = {"data": "/account/data", "orders": "/account/orders"} | dict.fromkeys(
    ("passkeys", "password", "mail"), "/account/security"
)


def shown(request: AnyRequest, problem: Problem) -> Response[Any] | None:
    """The answer to a problem for a person: the sign-in page, or a page that says what happened; None for programs."""
    under_admin = request.url.path.startswith("/admin")
    if isinstance(problem, Unauthenticated) and under_admin and problem.code == Unauthenticated.code:
        back = request.headers.get("hx-current-url") if is_htmx(request) else address_of(request)
        target = "/admin/sign-in"
        if request.method == "GET" and back and local_path(back, "") and back != "/admin":
            target += "?" + urlencode({"next": back})
        if is_htmx(request):
            return Response(b"", status_code=200, media_type="text/plain", headers={"HX-Redirect": target})
        if is_for_people(request):
            return Response(b"", status_code=303, media_type="text/plain", headers={"Location": target})
    if request.url.path.startswith("/account") and problem.code in (Unauthenticated.code, _AGAIN):
        back = address_of(request) if request.method == "GET" else _account_page(request.url.path)
        again = {"again": "1"} if problem.code == _AGAIN else {}
        target = "/account/sign-in?" + urlencode({**again, "next": back})
        if is_htmx(request):
            return Response(b"", status_code=200, media_type="text/plain", headers={"HX-Redirect": target})
        if is_for_people(request):
            return Response(b"", status_code=303, media_type="text/plain", headers={"Location": target})
    if problem.code == _NOT_OPEN and is_for_people(request):
        return Response(b"", status_code=303, media_type="text/plain", headers={"Location": "/opening"})
    if not is_for_people(request):
        return None
    under_till = request.url.path.startswith("/pos")
    shop = (
        None
        if under_admin or under_till
        else shop_at(request.headers.get("host", ""), last_seen(database_of(request)))
    )
    is_done = problem.code == once.SentBefore.code
    scope: dict[str, Any] = request.scope  # type: ignore[assignment]
    headers = {"Retry-After": str(problem.extra["retry_after"])} if "retry_after" in problem.extra else {}
    return page(
        request,
        "design/problem.html",
        status_code=problem.status,
        status=problem.status,
        heading=words(request)(DONE_ALREADY if is_done else problem_words.title(problem)),
        text=_told(request, problem) or words(request)(problem_words.text(problem)),
        headers=headers,
        shop_name=shop.name if shop is not None else "Samlad",
        home_href="/admin" if under_admin else "/pos" if under_till else "/",
        now_href=_sent_from(request) if problem.status in (409, 412) and not is_done else None,
        most_bytes=problem.extra.get("max_bytes"),
        searched=_searched(request) if shop is not None and problem.status == 404 else None,
        request_id=scope.get(REQUEST_ID_SCOPE) if problem.status >= 500 else None,
    )


def _sent_from(request: AnyRequest) -> str | None:
    """The page of ours whose form was sent: None where the browser does not say, or it is another site's."""
    if request.method != "POST":
        return None
    from_page = urlsplit(request.headers.get("referer", ""))
    if from_page.netloc != request.headers.get("host", "") or not from_page.path:
        return None
    return local_path(from_page.path + (f"?{from_page.query}" if from_page.query else ""), "") or None


def _told(request: AnyRequest, problem: Problem) -> str | None:
    """What a verb said is wrong, in the reader's language; None where the page says it better."""
    text = problem.detail if problem.status in _TELLING else None
    # An address that no handler has is the framework's to refuse, in two words.
    return objections.said(words(request), text) if text and text.endswith((".", "?", "!")) else None


def for_script(request: AnyRequest, problem: Problem) -> dict[str, Any]:
    """The document of a problem (RFC 9457) for a piece of a page: its words are shown, so they are the reader's."""
    _ = words(request)
    document = problem.document(request.url.path)
    document["title"] = _(problem_words.title(problem))
    faults = [each.message for each in problem.errors]
    meant = problem.detail if problem.detail not in ("", ERRORS_BELOW) else next(iter(faults), "")
    said = (
        objections.said(_, meant) if meant and problem.status in _TELLING else _(problem_words.text(problem))
    )
    document["detail"] = said[:1].upper() + said[1:]
    if problem.errors:
        document["errors"] = [
            {"field": each.field, "message": objections.said(_, each.message)} for each in problem.errors
        ]
    return document


def _searched(request: AnyRequest) -> str:
    """What somebody may have looked for at an address where nothing is: the words of its last part."""
    last = request.url.path.rstrip("/").rpartition("/")[2]
    return " ".join(re.findall(r"[^\W_]+", last))[:100]


def _account_page(path: str) -> str:
    """The page of an account from which a form was sent."""
    return _FORMS_OF.get(path.split("/")[2] if path.count("/") > 1 else "", "/account")
