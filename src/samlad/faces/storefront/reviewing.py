"""Reviews in the shop: on the page of a product, all of them on one of their own, and the form for who bought it."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import catalog, reviews
from samlad.catalog import ProductView
from samlad.catalog.sellables import language_of
from samlad.channels import Channel, Resource
from samlad.content import photograph_store, photographs
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import basket, limits, person, review_pictures, shelf
from samlad.faces.storefront.order_link import read_link
from samlad.faces.storefront.place import channel_of, show
from samlad.faces.storefront.typed import typed
from samlad.kernel.database import Tx
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import InvalidInput, NotFound, Unauthenticated
from samlad.reviews import Report, Review, ReviewInput, ToReview, Totals, Vote

FEW, PAGE = 4, 20
SORTS = (
    ("-helpful", marked("Most helpful first")),
    ("-written_at", marked("Newest first")),
    ("-stars", marked("Best first")),
    ("stars", marked("Worst first")),
)
THANKS = marked("Thank you. We read it, and then it is shown.")
STARS = (
    ("5", marked("5 stars: excellent")),
    ("4", marked("4 stars: good")),
    ("3", marked("3 stars: all right")),
    ("2", marked("2 stars: not good")),
    ("1", marked("1 star: bad")),
)


async def section(request: AnyRequest, product: ProductView) -> dict[str, Any]:
    """What the page of a product says of its reviews: how they are spread, and the most helpful ones. Two statements."""
    database = database_of(request)
    totals = await reviews.totals(database, product.id)
    found = await reviews.SHOWN.page(database, ListQuery(limit=FEW), product.id) if totals.count else None
    return {
        "rating": totals,
        "rating_rows": _rows(product.handle, totals),
        "reviews": found.items if found else [],
        "photos": await review_pictures.of(request, found.items) if found else {},
        "reviews_href": f"{shelf.product_href(product.handle)}/reviews",
        "reviews_more": bool(found and found.next_cursor),
    }


def _rows(handle: str, totals: Totals) -> list[dict[str, Any]]:
    base = f"{shelf.product_href(handle)}/reviews"
    return [
        {"stars": stars, "count": count, "percent": percent, "href": f"{base}?stars={stars}"}
        for stars, count, percent in reviews.shares(totals)
    ]


@get("/p/{handle:str}/reviews")
async def reviews_page(request: AnyRequest, handle: FromPath[str]) -> Response[Any]:
    """All reviews of a product, by pages, sorted and filtered."""
    limits.searches.check(limits.who(request))
    channel, database = await channel_of(request), database_of(request)
    product, title = await product_of(request, channel, handle)
    asked = request.query_params
    sort = asked.get("sort") if asked.get("sort") in {name for name, _text in SORTS} else SORTS[0][0]
    filters = {
        "stars": asked.get("stars") if asked.get("stars") in {"1", "2", "3", "4", "5"} else None,
        "language": asked.get("language") if asked.get("language") in dict(face.LANGUAGES) else None,
    }
    base = f"{shelf.product_href(product.handle)}/reviews"
    query = ListQuery(limit=PAGE, cursor=typed(asked.get("cursor")) or None, sort=sort, filters=filters)
    try:
        found = await reviews.SHOWN.page(database, query, product.id)
    except InvalidInput:  # a cursor of another order
        return face.go(request, base)
    kept = {"sort": sort, **{name: value for name, value in filters.items() if value}}
    totals = await reviews.totals(database, product.id)
    return await show(
        request,
        channel,
        "storefront/review_list.html" if face.is_htmx(request) else "storefront/reviews.html",
        product=product,
        title=title,
        rating=totals,
        rating_rows=_rows(product.handle, totals),
        reviews=found.items,
        photos=await review_pictures.of(request, found.items),
        reviews_href=base,
        sorts=[(name, face.words(request)(text)) for name, text in SORTS],
        sort=sort,
        language=filters["language"] or "",
        stars=filters["stars"] or "",
        languages_of=[(code, name) for code, name in face.LANGUAGES],
        first_href=f"{base}?{urlencode(kept)}" if query.cursor else None,
        next_href=f"{base}?{urlencode(kept | {'cursor': found.next_cursor})}" if found.next_cursor else None,
        crumbs=[(title, shelf.product_href(product.handle))],
    )


async def product_of(request: AnyRequest, channel: Channel, handle: str) -> tuple[ProductView, str]:
    """A product that is sold here and what it is called.

    Raises:
        NotFound: there is none.
    """
    database = database_of(request)
    product = await catalog.view_by_handle(database, channel.pools[Resource.CATALOGUE], typed(handle))
    sold = await catalog.sellables(database, channel, [v.id for v in product.variants])
    if product.status != "active" or not any(each.is_available for each in sold.values()):
        raise NotFound(face.words(request)("We do not sell this (any more)."))
    return product, next(iter(sold.values())).title


# -- what readers say of reviews ---------------------------------------------------------------------------------------


@post("/reviews/{review_id:uuid}/vote", status_code=200)
async def vote(request: AnyRequest, review_id: FromPath[UUID]) -> Response[Any]:
    """Somebody found a review helpful; once each."""
    limits.writes.check(limits.who(request))
    channel, form, _ = await channel_of(request), await read_form(request), face.words(request)
    who, is_new = await person.voter(request, channel)
    data = Vote(helpful=not form.has("back"))

    async def work(tx: Tx) -> int:
        return await reviews.vote(tx, review_id, who, data)

    helpful = await database_of(request).transaction(work, await person.context(request, channel))
    if face.is_htmx(request):
        values: dict[str, Any] = {"review_id": review_id, "helpful": helpful, "voted": data.helpful}
        answer = face.page(request, "storefront/review_vote.html", **values)
    else:
        answer = face.go(request, face.local_path(form.text("next")), _("Thank you, that is counted."))
    if is_new:
        answer.set_cookie(face.own_cookie(request, basket.VISITOR, who.hex, basket.KEPT_SECONDS))
    return answer


@post("/reviews/{review_id:uuid}/report", status_code=303)
async def report(request: AnyRequest, review_id: FromPath[UUID]) -> Response[Any]:
    """Somebody thinks that a review should not be there; once each."""
    limits.writes.check(limits.who(request))
    channel, form, _ = await channel_of(request), await read_form(request), face.words(request)
    who, is_new = await person.voter(request, channel)
    data = form.into(Report)
    await database_of(request).transaction(
        lambda tx: reviews.report(tx, review_id, who, data), await person.context(request, channel)
    )
    told = _("Thank you. We look at it.")
    answer = face.go(request, face.local_path(form.text("next")), told)
    if is_new:
        answer.set_cookie(face.own_cookie(request, basket.VISITOR, who.hex, basket.KEPT_SECONDS))
    return answer


# -- written by the link of the order ----------------------------------------------------------------------------------


@get("/order/{link:str}/reviews/{product_id:uuid}")
async def show_form(request: AnyRequest, link: FromPath[str], product_id: FromPath[UUID]) -> Response[Any]:
    """The form, with what was written before."""
    order = read_link(request, link)
    goods = await _goods(request, order, product_id)
    before = await _before(request, goods)
    return await _form_page(request, _of_order(link, product_id), goods, _filled(before))


@post(
    "/order/{link:str}/reviews/{product_id:uuid}",
    status_code=303,
    request_max_body_size=review_pictures.LARGEST_BODY,
)
async def write(request: AnyRequest, link: FromPath[str], product_id: FromPath[UUID]) -> Response[Any]:
    """Keep it: somebody reads it before it is shown."""
    limits.writes.check(limits.who(request))
    order, channel = read_link(request, link), await channel_of(request)
    form = await read_form(request)
    goods = await _goods(request, order, product_id)
    try:
        data, made = _said(form, channel, product_id), await review_pictures.read(form)

        async def work(tx: Tx) -> None:
            review = await reviews.write_for_order(tx, order, data)
            await review_pictures.keep(tx, review.id, made, clear=form.has("no_photos"))

        await database_of(request).transaction(work, await person.context(request, channel))
    except InvalidInput as problem:
        return await _form_page(request, _of_order(link, product_id), goods, form.failed(problem))
    return face.go(request, f"/order/{link}", face.words(request)(THANKS))


@post("/order/{link:str}/reviews/{product_id:uuid}/withdraw", status_code=303)
async def withdraw(request: AnyRequest, link: FromPath[str], product_id: FromPath[UUID]) -> Response[Any]:
    """Take it back."""
    limits.writes.check(limits.who(request))
    order, channel, _ = read_link(request, link), await channel_of(request), face.words(request)
    before = await _before(request, await _goods(request, order, product_id))
    if before is not None:
        await database_of(request).transaction(
            lambda tx: reviews.withdraw(tx, before.id, order=before.order_id),
            await person.context(request, channel),
        )
    return face.go(request, f"/order/{link}", _("Your review is taken back."))


async def _goods(request: AnyRequest, order: UUID, product: UUID) -> ToReview:
    listed = await reviews.of_order(database_of(request), order)
    found = next((each for each in listed if each.product == product), None)
    if found is None:
        raise NotFound(face.words(request)("This can be reviewed when you have got it."))
    return found


async def _before(request: AnyRequest, goods: ToReview) -> Review | None:
    return None if goods.review is None else await reviews.find(database_of(request), goods.review)


class Door(msgspec.Struct, frozen=True):
    """Where a form is sent, and where it leads back to."""

    action: str
    back: str
    back_text: str


def _of_order(link: str, product: UUID) -> Door:
    return Door(f"/order/{link}/reviews/{product}", f"/order/{link}", marked("Your order"))


def _filled(before: Review | None) -> Form:
    if before is None:
        return Form()
    return Form.of(stars=before.stars, title=before.title, text=before.text, author=before.author)


def _said(form: Form, channel: Channel, product: UUID) -> ReviewInput:
    if not form.text("stars"):
        raise InvalidInput.at("stars", form.translate(marked("Choose how many stars you give.")))
    return form.into(ReviewInput, product=product, language=language_of(channel.locale), order=None)


async def _form_page(request: AnyRequest, door: Door, goods: ToReview, form: Form) -> Response[Any]:
    _ = face.words(request)
    own = {} if goods.review is None else await photograph_store.of(database_of(request), [goods.review])
    return await show(
        request,
        await channel_of(request),
        "storefront/review_form.html",
        photos=[each for found in own.values() for each in found],
        most_photos=photographs.MOST,
        status=form.status,
        headers={"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"},
        form=form,
        goods=goods,
        door=door,
        crumbs=[(_(door.back_text), door.back)],
        stars=[(value, _(text), None) for value, text in STARS],
    )


# -- written by who is signed in ---------------------------------------------------------------------------------------


@get("/p/{handle:str}/review")
async def show_own_form(request: AnyRequest, handle: FromPath[str]) -> Response[Any]:
    """The form for a customer who is signed in and bought it, in whatever order."""
    goods = await _own_goods(request, handle)
    return await _form_page(request, _of_product(goods), goods, _filled(await _before(request, goods)))


@post("/p/{handle:str}/review", status_code=303, request_max_body_size=review_pictures.LARGEST_BODY)
async def write_own(request: AnyRequest, handle: FromPath[str]) -> Response[Any]:
    """Keep it: somebody reads it before it is shown."""
    limits.writes.check(limits.who(request))
    channel, form = await channel_of(request), await read_form(request)
    goods = await _own_goods(request, handle)
    try:
        data, made = _said(form, channel, goods.product), await review_pictures.read(form)

        async def work(tx: Tx) -> None:
            review = await reviews.write_as_customer(tx, data)
            await review_pictures.keep(tx, review.id, made, clear=form.has("no_photos"))

        await database_of(request).transaction(work, await person.context(request, channel))
    except InvalidInput as problem:
        return await _form_page(request, _of_product(goods), goods, form.failed(problem))
    return face.go(request, shelf.product_href(goods.handle), face.words(request)(THANKS))


@post("/p/{handle:str}/review/withdraw", status_code=303)
async def withdraw_own(request: AnyRequest, handle: FromPath[str]) -> Response[Any]:
    """Take it back."""
    limits.writes.check(limits.who(request))
    channel, _ = await channel_of(request), face.words(request)
    goods = await _own_goods(request, handle)
    if goods.review is not None:
        review = goods.review
        await database_of(request).transaction(
            lambda tx: reviews.withdraw(tx, review), await person.context(request, channel)
        )
    return face.go(request, shelf.product_href(goods.handle), _("Your review is taken back."))


def _of_product(goods: ToReview) -> Door:
    href = shelf.product_href(goods.handle)
    return Door(f"{href}/review", href, goods.title)


async def _own_goods(request: AnyRequest, handle: str) -> ToReview:
    channel = await channel_of(request)
    who = await person.signed_in(request, channel)
    if who is None:
        raise Unauthenticated(face.words(request)("Sign in to review what you bought."))
    product, _title = await product_of(request, channel, handle)
    found = await reviews.of_customer(database_of(request), who, product.id)
    if found is None:
        raise NotFound(face.words(request)("This can be reviewed when you have got it."))
    return found


handlers = [
    reviews_page,
    vote,
    report,
    show_form,
    write,
    withdraw,
    show_own_form,
    write_own,
    withdraw_own,
]
