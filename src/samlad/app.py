"""The composition root: which packages there are, and the web application made of them."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from typing import Any

import structlog
from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Contact, License
from litestar.types import ControllerRouterHandler, Middleware

import samlad
from samlad.access import api as access_api
from samlad.access import housekeeping as access_housekeeping
from samlad.access.middleware import Identify
from samlad.accounts import sweepers as accounts_sweepers
from samlad.alerts import api as alerts_api
from samlad.alerts import mails as alerts_mails
from samlad.alerts import sweepers as alerts_sweepers
from samlad.appointments import api as appointments_api
from samlad.appointments import checks as appointments_checks
from samlad.appointments import mails as appointments_mails
from samlad.appointments import sweepers as appointments_sweepers
from samlad.audiences import api as audiences_api
from samlad.audiences import checks as audiences_checks
from samlad.audiences import live as audiences_live
from samlad.audiences import sweepers as audiences_sweepers
from samlad.books import api as books_api
from samlad.books import checks as books_checks
from samlad.books import followers as books_followers
from samlad.carts import api as carts_api
from samlad.carts import paying_api as carts_paying_api
from samlad.carts import sweepers as carts_sweepers
from samlad.catalog import api as catalog_api
from samlad.catalog import checks as catalog_checks
from samlad.catalog import media_fetch  # noqa: F401 - declares its job
from samlad.catalog import sweepers as catalog_sweepers
from samlad.channels import api as channels_api
from samlad.clienteling import api as clienteling_api
from samlad.clienteling import followers as clienteling_followers
from samlad.consent import api as consent_api
from samlad.consent import api_bounces as consent_api_bounces
from samlad.consent import mails as consent_mails
from samlad.content import api as content_api
from samlad.content import photograph_api
from samlad.content.redirects import Redirecting
from samlad.conversations import api as conversations_api
from samlad.conversations import api_mails as conversations_api_mails
from samlad.conversations import checks as conversations_checks
from samlad.conversations import desk as conversations_desk
from samlad.conversations import mails as conversations_mails
from samlad.conversations import sweepers as conversations_sweepers
from samlad.credit import api as credit_api
from samlad.credit import checks as credit_checks
from samlad.credit import followers as credit_followers
from samlad.credit import sweepers as credit_sweepers
from samlad.customers import api as customers_api
from samlad.customers import sweepers as customers_sweepers
from samlad.delivery import api as delivery_api
from samlad.delivery import checks as delivery_checks
from samlad.delivery import slot_holds as delivery_slot_holds
from samlad.destinations import api as destinations_api
from samlad.destinations import live as destinations_live
from samlad.destinations import sweepers as destinations_sweepers
from samlad.documents import api as documents_api
from samlad.documents import checks as documents_checks
from samlad.documents import followers as documents_followers
from samlad.documents import order_mails as documents_order_mails
from samlad.documents import papers as documents_papers
from samlad.documents import papers_api as documents_papers_api
from samlad.documents import staff_mails as documents_staff_mails
from samlad.duplicates import api as duplicates_api
from samlad.duplicates import followers as duplicates_followers
from samlad.faces import page as pages
from samlad.faces import pos, problem_pages, reference, storefront
from samlad.faces.admin import routes as admin
from samlad.faces.design import security_headers, static_router
from samlad.identity import api as identity_api
from samlad.identity import checks as identity_checks
from samlad.identity import followers as identity_followers
from samlad.kernel import api as kernel_api
from samlad.kernel import cards, housekeeping, mail, metrics, migrations, openapi
from samlad.kernel.checks import Check, kernel_checks
from samlad.kernel.edge import Edge
from samlad.kernel.followers import Follower
from samlad.kernel.http import actor_of
from samlad.kernel.parent import follow_parent
from samlad.kernel.problems import (
    ERRORS_BELOW,
    FieldError,
    Forbidden,
    InvalidInput,
    Malformed,
    NotFound,
    Problem,
    TooLarge,
    TooMany,
    Unauthenticated,
)
from samlad.kernel.routers import Application
from samlad.kernel.runtime import Runtime, dsn_of, open_runtime
from samlad.kernel.settings import Settings, load
from samlad.kernel.sweepers import Sweeper
from samlad.kernel.telemetry import configure_logging, tracing
from samlad.kernel.worker import Work
from samlad.labels import api as labels_api
from samlad.labels import making as labels_making
from samlad.orders import api as orders_api
from samlad.orders import balance as orders_balance
from samlad.orders import change_api, desk_api, fulfilment_api, recall_list, routing_api
from samlad.orders import checks as orders_checks
from samlad.orders import disputed as orders_disputed
from samlad.orders import exchange_paying as orders_exchange_paying
from samlad.orders import followers as orders_followers
from samlad.orders import return_claim as orders_return_claim
from samlad.orders import settling as orders_settling
from samlad.orders import sweepers as orders_sweepers
from samlad.orders import tax_api as orders_tax_api
from samlad.packages import PACKAGES
from samlad.payments import api as payments_api
from samlad.payments import card_terminal_api
from samlad.payments import checks as payments_checks
from samlad.payments import sweepers as payments_sweepers
from samlad.payments import webhooks as payments_webhooks
from samlad.pools import api as pools_api
from samlad.pools import moving as pools_moving  # noqa: F401 - declares its job
from samlad.printers import api as printers_api
from samlad.printers import sending as printers_sending
from samlad.privacy import api as privacy_api
from samlad.privacy import running as privacy_running
from samlad.profile import api as profile_api
from samlad.profile import household
from samlad.promotions import api as promotions_api
from samlad.promotions import checks as promotions_checks
from samlad.promotions import sweepers as promotions_sweepers
from samlad.questions import api as questions_api
from samlad.questions import checks as questions_checks
from samlad.questions import mails as questions_mails
from samlad.questions import sweepers as questions_sweepers
from samlad.recommendations import api as recommendations_api
from samlad.recommendations import followers as recommendations_followers
from samlad.recommendations import sweepers as recommendations_sweepers
from samlad.reviews import api as reviews_api
from samlad.reviews import checks as reviews_checks
from samlad.screens import service as screens_service
from samlad.stock import api as stock_api
from samlad.stock import checks as stock_checks
from samlad.stock import pace as stock_pace  # noqa: F401 - declares its job
from samlad.stock import sweepers as stock_sweepers
from samlad.stock.reach import within_reach
from samlad.storework import api as storework_api
from samlad.storework import checks as storework_checks
from samlad.subscriptions import api as subscriptions_api
from samlad.subscriptions import checks as subscriptions_checks
from samlad.subscriptions import followers as subscriptions_followers
from samlad.subscriptions import sweepers as subscriptions_sweepers
from samlad.tax import api as tax_api
from samlad.tax import checking as tax_checking  # noqa: F401 - declares its job
from samlad.tax import sweepers as tax_sweepers
from samlad.tills import api as tills_api
from samlad.tills import checks as tills_checks
from samlad.tills import waiting_returns
from samlad.tracking import api as tracking_api
from samlad.tracking import checks as tracking_checks
from samlad.tracking import housekeeping as tracking_housekeeping
from samlad.tracking import own as tracking_own
from samlad.tracking import resolving as tracking_resolving
from samlad.tracking import retention as tracking_retention
from samlad.tracking import wire as tracking_wire

FACES: Sequence[ControllerRouterHandler] = (
    static_router(),
    *pages.routes,
    *reference.routes,
    *admin.routes,
    *storefront.routes,
    *pos.routes,
)
"""Every face's pages, and their files."""

ROUTES: Sequence[ControllerRouterHandler] = (
    *kernel_api.routes,
    *access_api.routes,
    *channels_api.routes,
    *tax_api.routes,
    *catalog_api.routes,
    *content_api.routes,
    photograph_api.router,
    *stock_api.routes,
    *customers_api.routes,
    *identity_api.routes,
    *consent_api.routes,
    *consent_api_bounces.routes,
    *delivery_api.routes,
    *payments_api.routes,
    *card_terminal_api.routes,
    *payments_webhooks.routes,
    *credit_api.routes,
    *promotions_api.routes,
    *carts_api.routes,
    *carts_paying_api.routes,
    *orders_api.routes,
    *desk_api.routes,
    *change_api.routes,
    *routing_api.routes,
    *recall_list.routes,
    *fulfilment_api.routes,
    *orders_tax_api.routes,
    *orders_disputed.routes,
    *subscriptions_api.routes,
    *documents_api.routes,
    *documents_papers_api.routes,
    *books_api.routes,
    *tills_api.routes,
    *storework_api.routes,
    *reviews_api.routes,
    *questions_api.routes,
    *recommendations_api.routes,
    *alerts_api.routes,
    *clienteling_api.routes,
    *appointments_api.routes,
    *conversations_api.routes,
    *conversations_api_mails.routes,
    *printers_api.routes,
    *labels_api.routes,
    *profile_api.routes,
    *duplicates_api.routes,
    *tracking_api.routes,
    *tracking_wire.routes,
    *privacy_api.routes,
    *pools_api.routes,
    *audiences_api.routes,
    *destinations_api.routes,
    *FACES,
)
"""Every package's routes: its ``api.py`` under ``/api``, the faces' pages."""

MIDDLEWARE: Sequence[Middleware] = (Identify,)
"""Litestar's middleware, the first outermost: who is it, and is it allowed at all."""

FOLLOWERS: Sequence[Follower] = (
    *identity_followers.FOLLOWERS,
    *orders_followers.FOLLOWERS,
    *orders_settling.FOLLOWERS,
    *orders_return_claim.FOLLOWERS,
    *orders_balance.FOLLOWERS,
    *orders_exchange_paying.FOLLOWERS,
    *subscriptions_followers.FOLLOWERS,
    *credit_followers.FOLLOWERS,
    *documents_followers.FOLLOWERS,
    *documents_order_mails.FOLLOWERS,
    *documents_staff_mails.FOLLOWERS,
    *books_followers.FOLLOWERS,
    *recommendations_followers.FOLLOWERS,
    *tracking_own.FOLLOWERS,
    *tracking_resolving.FOLLOWERS,
    *audiences_live.FOLLOWERS,
    *destinations_live.FOLLOWERS,
    *household.FOLLOWERS,
    *consent_mails.FOLLOWERS,
    *alerts_mails.FOLLOWERS,
    *questions_mails.FOLLOWERS,
    *clienteling_followers.FOLLOWERS,
    *appointments_mails.FOLLOWERS,
    *conversations_mails.FOLLOWERS,
    *duplicates_followers.FOLLOWERS,
    *waiting_returns.FOLLOWERS,
)
"""Every follower of the log, run by the worker."""

CHECKS: Sequence[Check] = (
    *kernel_checks(PACKAGES, FOLLOWERS),
    *catalog_checks.CHECKS,
    *stock_checks.CHECKS,
    *identity_checks.CHECKS,
    *tracking_checks.CHECKS,
    *payments_checks.CHECKS,
    *credit_checks.CHECKS,
    *promotions_checks.CHECKS,
    *orders_checks.CHECKS,
    *delivery_checks.CHECKS,
    *subscriptions_checks.CHECKS,
    *documents_checks.CHECKS,
    *books_checks.CHECKS,
    *tills_checks.CHECKS,
    *storework_checks.CHECKS,
    *reviews_checks.CHECKS,
    *questions_checks.CHECKS,
    *appointments_checks.CHECKS,
    *conversations_checks.CHECKS,
    *audiences_checks.CHECKS,
)
"""Every check of ``samlad doctor``."""

SWEEPERS: Sequence[Sweeper] = (
    *housekeeping.SWEEPERS,
    *mail.SWEEPERS,
    *access_housekeeping.SWEEPERS,
    *tax_sweepers.SWEEPERS,
    *catalog_sweepers.SWEEPERS,
    *stock_sweepers.SWEEPERS,
    *payments_sweepers.SWEEPERS,
    *credit_sweepers.SWEEPERS,
    *promotions_sweepers.SWEEPERS,
    *customers_sweepers.SWEEPERS,
    *carts_sweepers.SWEEPERS,
    *delivery_slot_holds.SWEEPERS,
    *orders_sweepers.SWEEPERS,
    *subscriptions_sweepers.SWEEPERS,
    *documents_papers.SWEEPERS,
    *recommendations_sweepers.SWEEPERS,
    *alerts_sweepers.SWEEPERS,
    *questions_sweepers.SWEEPERS,
    *appointments_sweepers.SWEEPERS,
    *conversations_desk.SWEEPERS,
    *conversations_sweepers.SWEEPERS,
    *printers_sending.SWEEPERS,
    *labels_making.SWEEPERS,
    *screens_service.SWEEPERS,
    *tracking_housekeeping.SWEEPERS,
    *tracking_retention.SWEEPERS,
    *accounts_sweepers.SWEEPERS,
    *privacy_running.SWEEPERS,
    *audiences_sweepers.SWEEPERS,
    *destinations_sweepers.SWEEPERS,
)
"""Every sweeper, run by the worker."""

logger = structlog.get_logger("samlad.http")


def web() -> Litestar:
    """The application of a web process of ``samlad serve``, which makes the database ready meanwhile."""
    settings = load()
    configure_logging(settings)
    return create(settings, is_patient=True)


def create(settings: Settings, *, is_patient: bool = False) -> Litestar:
    """The ASGI application; a patient one waits for a schema that is up to date, and ends with its parent process."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        if is_patient:
            follow_parent(os.environ)
            await migrations.until_current(dsn_of(settings), settings, PACKAGES)
        async with serving(app, settings):
            preparing = asyncio.create_task(reference.keep_ready(settings)) if is_patient else None
            yield
            if preparing is not None:
                preparing.cancel()
                await asyncio.gather(preparing, return_exceptions=True)

    application = Application(
        route_handlers=list(ROUTES),
        middleware=list(MIDDLEWARE),
        guards=[within_reach],
        before_send=[security_headers(https=(settings.public_url or "").startswith("https://"))],
        lifespan=[lifespan],
        state=State({"work": Work(PACKAGES, FOLLOWERS, SWEEPERS), "checks": CHECKS}),
        exception_handlers={
            Problem: on_problem,
            HTTPException: on_http_exception,
            RecursionError: on_too_deep,
            Exception: on_error,
        },
        openapi_config=None,
        request_max_body_size=settings.body_limit,
        logging_config=None,
    )
    openapi.describe(
        application,
        OpenAPIConfig(
            title="Samlad",
            version=samlad.__version__,
            description="The open omnichannel commerce engine.",
            license=License(name="Apache-2.0", identifier="Apache-2.0"),
            contact=Contact(name="Samlad"),
            use_handler_docstrings=True,
        ),
    )
    application.asgi_handler = Edge(Redirecting(application.asgi_handler), settings)
    return application


@contextlib.asynccontextmanager
async def serving(app: Litestar, settings: Settings) -> AsyncIterator[None]:
    """Everything that is open while the application serves; the application's lifespan, and what tests enter."""
    async with open_runtime(settings, with_live=True) as runtime:
        app.state.runtime = runtime
        counting = asyncio.create_task(metrics.keep_writing(runtime), name="metrics")
        try:
            with tracing(settings, runtime.database) as tracer:
                edge: Edge = app.asgi_handler  # type: ignore[assignment]
                edge.tracer = tracer
                yield
        finally:
            counting.cancel()
            await asyncio.gather(counting, return_exceptions=True)


def runtime_of(app: Litestar) -> Runtime:
    """The open parts of a running application."""
    runtime: Runtime = app.state.runtime
    return runtime


def on_problem(request: Request[Any, Any, Any], problem: Problem) -> Response[Any]:
    """Answer a problem as RFC 9457 JSON, as a page where a person looks. Strangers are asked who they are."""
    if isinstance(problem, Forbidden) and actor_of(request).kind == "guest":
        problem = Unauthenticated(problem.detail, **problem.extra)
    shown = problem_pages.shown(request, problem)
    if shown is not None:
        return shown
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else {}
    if "retry_after" in problem.extra:
        headers["Retry-After"] = str(problem.extra["retry_after"])
    elif problem.status == 503:
        headers["Retry-After"] = "1"
    is_piece = pages.is_htmx(request)
    return Response(
        problem_pages.for_script(request, problem) if is_piece else problem.document(request.url.path),
        status_code=problem.status,
        media_type="application/problem+json",
        headers=headers,
    )


_BY_STATUS: dict[int, type[Problem]] = {
    400: Malformed,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    413: TooLarge,
    429: TooMany,
}


def on_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Translate what the framework raises into our problems. Its words are for programs: a page's script shows none of them."""
    kind = _BY_STATUS.get(error.status_code)
    if kind is not None and kind is not TooLarge and pages.is_htmx(request):
        return on_problem(request, kind())
    if isinstance(error, ValidationException):
        return on_problem(request, _from_validation(error))
    if kind is TooLarge:
        return on_problem(request, _too_large(request))
    if kind is not None:
        return on_problem(request, kind(error.detail))
    document = {"type": "about:blank", "title": error.detail, "status": error.status_code}
    return Response(
        document, status_code=error.status_code, media_type="application/problem+json", headers=error.headers
    )


def _too_large(request: Request[Any, Any, Any]) -> TooLarge:
    """The framework's refusal of a body, with what it does not say: how large one may be."""
    most = request.route_handler.resolve_request_max_body_size()
    if most is None:
        return TooLarge()
    return TooLarge(f"A request to this address may have {most:,} bytes.", max_bytes=most)


def _from_validation(error: ValidationException) -> Problem:
    extra = error.extra if isinstance(error.extra, list) else []
    errors = tuple(
        # Messages may repeat what was sent, a field's name for one.
        FieldError(cards.redact(str(item.get("key") or "")), cards.redact(str(item.get("message", ""))))
        for item in extra
        if isinstance(item, dict)
    )
    return InvalidInput(ERRORS_BELOW, errors=errors) if errors else Malformed(cards.redact(error.detail))


def on_too_deep(request: Request[Any, Any, Any], error: RecursionError) -> Response[Any]:
    """A body that lies deeper in itself than anything here does: refused. Without a body it is a fault of ours."""
    kind, _ = request.content_type
    if not kind.endswith("json"):
        return on_error(request, error)
    logger.warning("a body lies too deep", path=cards.redact(request.url.path))
    return on_problem(request, Malformed("What was sent lies too deep in itself to be read."))


def on_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Something that nobody foresaw: logged with its request, answered without its insides."""
    logger.error("unexpected error", path=cards.redact(request.url.path), exc_info=error)
    return on_problem(request, Problem("It was logged; nothing was half done."))
