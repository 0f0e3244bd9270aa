"""How every face answers with a page: in the reader's language and theme, with messages once, problems said at fields.

A handler of a page reads, calls one verb, and either shows a page or goes on to another::

    @post("/admin/channels/new")
    async def create(request: AnyRequest) -> Response[Any]:
        form = await read_form(request)
        try:
            channel = await change(request, lambda tx: channels.create(tx, form.into(ChannelInput)))
        except Problem as problem:
            return await _form_page(request, form.failed(problem))
        return go(request, f"/admin/channels/{channel.id}", words(request)("The channel is open."))
"""

import gzip
import io
import re
import secrets
import zlib
from collections.abc import Awaitable, Callable, Mapping
from hashlib import blake2b
from typing import Annotated, Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from litestar import Response, Router, get
from litestar.datastructures import Cookie
from litestar.params import FromPath, QueryParameter

from samlad.access.csrf import csrf_token
from samlad.access.middleware import is_https
from samlad.channels import cached_all, last_seen, main_of
from samlad.faces.design import CAMERA_POLICY, Pages, formats, policy_text
from samlad.faces.design.rendering import apart, turning_in
from samlad.kernel import cards, once
from samlad.kernel.database import Tx
from samlad.kernel.http import AnyRequest as AnyRequest
from samlad.kernel.http import actor_of, context_of, database_of
from samlad.kernel.i18n import LOCALES, PSEUDO, PSEUDO_RTL, negotiate, translator
from samlad.kernel.problems import Unauthenticated
from samlad.kernel.vault import BadSignature

T = TypeVar("T")

PAGES = Pages()
LANGUAGES = (("en", "English"), ("sv", "Svenska"), ("nl", "Nederlands"))
"""What pages can be read in, each by its own name."""

LOCALE_COOKIE, THEME_COOKIE, FLASH_COOKIE = "locale", "theme", "flash"
YEAR_SECONDS = 365 * 86400
FLASH_SECONDS = 300
MOST_FLASHED = 3_900
"""Characters of a cookie: browsers drop one of more than 4,096, with its name (RFC 6265, 6.1)."""
LEAST_PACKED = 1_400
"""Bytes: what fits into one packet arrives no sooner when it is shorter."""
MOST_PADDING = 100
_FLASHES = "faces.flash"
ONCE = "_once"
"""The field of a form that makes it another one than the same form shown again."""
_ASKED = "faces.once"
_HEARD_UNTIL = "faces.heard_until"
_LOCAL = re.compile(r"^/(?![/\\])[^\x00-\x20\x7f\\]{0,1500}$")


# -- who reads ---------------------------------------------------------------------------------------------------------


def locale_of(request: AnyRequest) -> str:
    """The language of the answer: what was chosen before, else what the browser asks for, else the retailer's."""
    chosen = request.cookies.get(LOCALE_COOKIE)
    if chosen in _choices(request):
        return str(chosen)
    default = request.app.state.runtime.settings.default_locale
    ordered = (default, *(locale for locale in LOCALES if locale != default))
    return negotiate(request.headers.get("accept-language"), ordered)


def _choices(request: AnyRequest) -> tuple[str, ...]:
    """The languages that can be chosen; for developers also those that are made to find faults of layout."""
    pseudo = request.app.state.runtime.settings.pseudo_locales
    return (*LOCALES, PSEUDO, PSEUDO_RTL) if pseudo else LOCALES


class Text(str):
    """A text of the catalogue. What is put into it is kept apart where it runs against the page, as templates do."""

    __slots__ = ("locale",)
    locale: str

    def __mod__(self, values: Any) -> str:
        return str(self) % (apart(values, turning_in(self.locale)) if isinstance(values, Mapping) else values)


def words(request: AnyRequest) -> Callable[[str], str]:
    """The translator of this request: ``_ = words(request)``, then ``_("Saved.")``."""
    locale = locale_of(request)
    gettext = translator(locale).gettext

    def translated(message: str) -> str:
        text = gettext(message)
        if "%(" not in text:
            return text
        open_text = Text(text)
        open_text.locale = locale
        return open_text

    return translated


def translated(request: AnyRequest, names: Mapping[str, str]) -> list[tuple[str, str]]:
    """Names for a choice in a form: pairs (value, translated text), in their own order."""
    _ = words(request)
    return [(str(value), _(text)) for value, text in names.items()]


def is_htmx(request: AnyRequest) -> bool:
    """Whether htmx asks for a piece of a page. Going back in the history wants the whole page again."""
    headers = request.headers
    return headers.get("hx-request") == "true" and headers.get("hx-history-restore-request") != "true"


def is_for_people(request: AnyRequest) -> bool:
    """Whether the answer is looked at by a person: a browser that opens a page, not a program or a script."""
    path = request.url.path
    if path.startswith(("/api", "/static/", "/live")) or is_htmx(request):
        return False
    return "text/html" in request.headers.get("accept", "")


# -- live pages --------------------------------------------------------------------------------------------------------------


async def listen_from_here(request: AnyRequest) -> None:
    """Call this before anything is read that a live page shows: what happens from now on it is told (`live_href`)."""
    if not is_htmx(request):  # a piece comes into a page that listens already
        state: dict[str, Any] = request.scope  # type: ignore[assignment]
        state[_HEARD_UNTIL] = await request.app.state.runtime.live.position()


def live_href(request: AnyRequest, *topics: str) -> str:
    """The address of a page's server-sent events, beginning where it was rendered.

    Raises:
        KeyError: `listen_from_here` was not called, so something could be missed.
    """
    query = [("topic", topic) for topic in topics]
    if not is_htmx(request):
        state: dict[str, Any] = request.scope  # type: ignore[assignment]
        query.append(("after", str(state[_HEARD_UNTIL])))
    return "/live?" + urlencode(query, safe=":")


# -- answering -----------------------------------------------------------------------------------------------------------


def page(
    request: AnyRequest,
    template: str,
    *,
    status_code: int = 200,
    time_zone: str = "UTC",
    headers: dict[str, str] | None = None,
    theme_folder: str | None = None,
    **context: Any,
) -> Response[Any]:
    """Render a template for who asks. The context also has ``csrf_token``, ``flashes``, ``languages`` and ``here``.

    Pages are the reader's own: no cache keeps them. Flashes are shown once: those of a redirect before, taken by
    this page. ``theme_folder`` names a brand's own templates, which come first.
    """
    flashes = [] if is_htmx(request) else _waiting(request)
    values = {
        "csrf_token": csrf_token(request),
        "flashes": flashes,
        "languages": [(code, name, language_href(request, code)) for code, name in LANGUAGES],
        "here": address_of(request),
        **context,
    }
    html = PAGES.render(
        template,
        locale=locale_of(request),
        time_zone=time_zone,
        theme=request.cookies.get(THEME_COOKIE),
        overrides=None
        if theme_folder is None
        else request.app.state.runtime.settings.home / "themes" / theme_folder / "templates",
        **values,
    )
    body = html.encode()
    answer: Response[Any] = Response(
        body, status_code=status_code, media_type="text/html", headers=dict(headers or {})
    )
    answer.headers.setdefault("Cache-Control", "no-store" if context.get("user") else "private, no-cache")
    answer.headers.setdefault("Vary", "Accept-Encoding, Cookie, Accept-Language, HX-Request")
    if len(body) > LEAST_PACKED and "gzip" in request.headers.get("accept-encoding", ""):
        answer.content = packed(body)
        answer.headers["Content-Encoding"] = "gzip"
    if flashes:
        answer.delete_cookie(FLASH_COOKIE)
    return answer


def packed(body: bytes) -> bytes:
    """A page with gzip, by a random number of bytes longer than it need be.

    A page has a token that nobody else may know, and words of whoever asked. Without the random bytes somebody who sees how
    long answers are could guess the one by the other (BREACH, CVE-2013-3587; the remedy is "Heal the BREACH",
    ieeexplore.ieee.org/document/9754554). They stand in the header, as the name of the file.
    """
    held = io.BytesIO()
    name = "-" * secrets.randbelow(MOST_PADDING)
    with gzip.GzipFile(filename=name, mode="wb", compresslevel=4, fileobj=held, mtime=0) as file:
        file.write(body)
    return held.getvalue()


def camera_headers() -> dict[str, str]:
    """Headers of a page with `ui.camera`: the reader of barcodes may run there."""
    return {"Content-Security-Policy": policy_text(CAMERA_POLICY)}


def address_of(request: AnyRequest) -> str:
    """Path and query of the request: where ``next=`` leads back to."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def language_href(request: AnyRequest, locale: str) -> str:
    """The address that switches to a language and comes back here."""
    back = address_of(request) if request.method == "GET" else request.url.path
    return f"/language/{locale}?next={quote(back, safe='')}"


def local_path(text: str | None, otherwise: str = "/") -> str:
    """``text`` if it is an address within this server, else ``otherwise``: nobody is led elsewhere by a link."""
    return text if text and _LOCAL.match(text) else otherwise


# -- messages and redirects ------------------------------------------------------------------------------------------------


class Flash(msgspec.Struct, frozen=True):
    """A message that the next page shows once. ``undo`` is an address of ours that takes the change back by POST."""

    text: str
    kind: str = "success"
    undo: str | None = None


def go(
    request: AnyRequest, href: str, text: str | None = None, *, kind: str = "success", undo: str | None = None
) -> Response[Any]:
    """After a POST: on to another page (303), which says ``text`` and offers to undo it."""
    if is_htmx(request):
        answer: Response[Any] = Response(
            b"", status_code=200, media_type="text/plain", headers={"HX-Redirect": href}
        )
    else:
        answer = Response(b"", status_code=303, media_type="text/plain", headers={"Location": href})
    if text is not None:
        flashes = [*_waiting(request), Flash(text[:500], kind, undo)][-4:]
        answer.set_cookie(own_cookie(request, FLASH_COOKIE, _kept(request, flashes), FLASH_SECONDS))
    return answer


def _kept(request: AnyRequest, flashes: list[Flash]) -> str:
    """Messages as their cookie holds them. Of what does not fit the oldest go first, then the last one's undo."""
    vault = request.app.state.runtime.vault
    while True:
        signed: str = vault.sign(_FLASHES, zlib.compress(msgspec.json.encode(flashes)))
        if len(signed) <= MOST_FLASHED or (len(flashes) == 1 and flashes[0].undo is None):
            return signed
        flashes = flashes[1:] or [msgspec.structs.replace(flashes[0], undo=None)]


def toast(text: str, kind: str = "success", undo: str | None = None) -> dict[str, str]:
    """The header by which a piece of a page (htmx) says something."""
    told = {"text": text, "kind": kind} | ({"undo": undo} if undo else {})
    return {
        "HX-Trigger": msgspec.json.encode({"toast": told})
        .decode()
        .encode("ascii", "backslashreplace")
        .decode()
    }


def own_cookie(request: AnyRequest, key: str, value: str, max_age: int) -> Cookie:
    """A cookie that scripts cannot read and other sites do not send."""
    return Cookie(
        key=key,
        value=value,
        max_age=max_age,
        path="/",
        httponly=True,
        secure=is_https(request.scope, request.app.state.runtime.settings),
        samesite="lax",
    )


def _waiting(request: AnyRequest) -> list[Flash]:
    text = request.cookies.get(FLASH_COOKIE)
    if not text:
        return []
    try:
        packed_text = request.app.state.runtime.vault.unsign_bytes(_FLASHES, text, max_age=FLASH_SECONDS)
        return msgspec.json.decode(zlib.decompress(packed_text), type=list[Flash])
    except (BadSignature, msgspec.MsgspecError, zlib.error, ValueError):
        return []


# -- guards and verbs ----------------------------------------------------------------------------------------------------------


def require(request: AnyRequest, permission: str | None = None, *, shop_wide: bool = False) -> None:
    """The first line of an admin page: signed in as staff, with the permission if one is named (`Actor.require`).

    Raises:
        Unauthenticated: answered by a redirect to the sign-in page.
        Forbidden: answered by a page that says so.
    """
    actor = actor_of(request)
    if actor.kind != "staff":
        raise Unauthenticated("Sign in to go on.")
    if permission is not None:
        actor.require(permission, shop_wide=shop_wide)
    at_home(request)


async def know_channels(request: AnyRequest) -> None:
    """What comes before a request whose page begins `at_home`: a process that has seen no channel yet looks for them."""
    if not last_seen(database_of(request)):
        await cached_all(database_of(request))


def at_home(request: AnyRequest) -> None:
    """Days and times of the answer are written as in the country of the main channel, where the language leaves that open."""
    main = main_of(last_seen(database_of(request)))
    formats.country.set("" if main is None else main.country)


async def change(request: AnyRequest, work: Callable[[Tx], Awaitable[T]]) -> T:
    """Run a verb in one transaction on behalf of who sent the form. A form that is sent twice is done once.

    Raises:
        SentBefore: the very same was sent and done before: a second click, or a browser that sent a page again.
        CardNumber: a note or the like looks like one.
    """
    if request.method == "POST":
        cards.refuse_words(await request.form())
    sent = await _sent(request)

    async def run(tx: Tx) -> T:
        if sent is not None:
            await once.claim(tx, sent)
        return await work(tx)

    return await database_of(request).transaction(run, context_of(request))


async def _sent(request: AnyRequest) -> bytes | None:
    """What was sent, as a hash; None if it may be sent again: no form, or one that stays on the page (htmx).

    Of several changes of one request only the first asks.
    """
    state: dict[str, Any] = request.scope  # type: ignore[assignment]
    if request.method != "POST" or is_htmx(request) or state.get(_ASKED):
        return None
    state[_ASKED] = True
    fields = [
        (name, str(getattr(value, "filename", value))) for name, value in (await request.form()).multi_items()
    ]
    if not any(name == ONCE for name, _ in fields):
        return None
    said = msgspec.json.encode((request.url.path, request.url.query, sorted(fields)))
    return blake2b(said, digest_size=16).digest()


# -- the language ------------------------------------------------------------------------------------------------------------


@get("/language/{locale:str}", include_in_schema=False)
async def switch_language(
    request: AnyRequest,
    locale: FromPath[str],
    back: Annotated[str | None, QueryParameter(name="next", max_length=2000)] = None,
) -> Response[Any]:
    """Keep the language that a reader chose for a year, and go back to the page that they came from."""
    answer: Response[Any] = Response(
        b"", status_code=303, media_type="text/plain", headers={"Location": local_path(back)}
    )
    if locale in _choices(request):
        answer.set_cookie(own_cookie(request, LOCALE_COOKIE, locale, YEAR_SECONDS))
    return answer


routes: list[Router] = [Router("/", route_handlers=[switch_language], include_in_schema=False)]
