"""Questions in the shop: on the page of a product, all of them on one of their own, and each by itself with its answers."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import questions
from samlad.catalog import ProductView
from samlad.catalog.sellables import language_of
from samlad.channels import Channel
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import basket, limits, member, person, shelf, structured
from samlad.faces.storefront.place import channel_of, root_of, show
from samlad.faces.storefront.reviewing import product_of
from samlad.faces.storefront.typed import typed
from samlad.kernel.database import Tx
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import Conflict, InvalidInput, NotFound
from samlad.questions import (
    SHOWN,
    BuyerAnswer,
    NotBought,
    QuestionInput,
    Report,
    Status,
    Vote,
)

FEW, PAGE = 3, 20
SORTS = (
    ("-helpful", marked("Most helpful first")),
    ("-asked_at", marked("Newest first")),
)
ASKED = marked("Thank you. We read it, and write to you when it is answered.")
CONFIRM = marked(
    "Thank you. We have sent you a mail: follow its link, so that we know that the answer reaches you."
)
TRAP = "website"
"""A field that people do not see. Programs that fill every field of a form are thanked, and nothing is kept."""


async def section(request: AnyRequest, product: ProductView) -> dict[str, Any]:
    """What the page of a product says of its questions: the most helpful ones. One statement."""
    found = await SHOWN.page(database_of(request), ListQuery(limit=FEW), product.id)
    return {
        "questions": found.items,
        "questions_href": _base(product.handle),
        "questions_more": found.next_cursor is not None,
    }


def _base(handle: str) -> str:
    return f"{shelf.product_href(handle)}/questions"


# -- read ----------------------------------------------------------------------------------------------------------------


@get("/p/{handle:str}/questions")
async def questions_page(request: AnyRequest, handle: FromPath[str]) -> Response[Any]:
    """All questions about a product, by pages, searched, sorted and filtered; and the form to ask one."""
    limits.searches.check(limits.who(request))
    channel = await channel_of(request)
    product, title = await product_of(request, channel, handle)
    return await _list(request, channel, product, title, Form())


async def _list(
    request: AnyRequest, channel: Channel, product: ProductView, title: str, form: Form
) -> Response[Any]:
    asked, base, _ = request.query_params, _base(product.handle), face.words(request)
    sort = asked.get("sort") if asked.get("sort") in dict(SORTS) else SORTS[0][0]
    filters = {
        "q": typed(asked.get("q"))[:100] or None,
        "language": asked.get("language") if asked.get("language") in dict(face.LANGUAGES) else None,
    }
    query = ListQuery(limit=PAGE, cursor=typed(asked.get("cursor")) or None, sort=sort, filters=filters)
    try:
        found = await SHOWN.page(database_of(request), query, product.id)
    except InvalidInput:  # a cursor of another order
        return face.go(request, base)
    kept = {"sort": sort, **{name: value for name, value in filters.items() if value}}
    return await show(
        request,
        channel,
        "storefront/question_list.html" if face.is_htmx(request) else "storefront/questions.html",
        status=form.status,
        product=product,
        title=title,
        form=form,
        is_known=await person.signed_in(request, channel) is not None,
        questions=found.items,
        questions_href=base,
        is_filtered=bool(filters["q"] or filters["language"]),
        q=filters["q"] or "",
        sorts=[(name, _(text)) for name, text in SORTS],
        sort=sort,
        language=filters["language"] or "",
        languages_of=[(code, name) for code, name in face.LANGUAGES],
        first_href=f"{base}?{urlencode(kept)}" if query.cursor else None,
        next_href=f"{base}?{urlencode(kept | {'cursor': found.next_cursor})}" if found.next_cursor else None,
        crumbs=[(title, shelf.product_href(product.handle))],
    )


@get("/p/{handle:str}/questions/{question_id:uuid}")
async def question_page(
    request: AnyRequest, handle: FromPath[str], question_id: FromPath[UUID]
) -> Response[Any]:
    """One question with all its answers; whoever bought the product answers here."""
    channel = await channel_of(request)
    product, title = await product_of(request, channel, handle)
    return await _one(request, channel, product, title, question_id, None)


async def _one(
    request: AnyRequest,
    channel: Channel,
    product: ProductView,
    title: str,
    question_id: UUID,
    form: Form | None,
) -> Response[Any]:
    database, _ = database_of(request), face.words(request)
    found = await questions.shown(database, product.id, question_id)
    if found is None:
        raise NotFound(_("This question is not shown (any more)."))
    answers = await questions.shown_answers(database, found.id)
    who = await person.signed_in(request, channel)
    may_answer = who is not None and await questions.bought(database, who, product.id) is not None
    own = await questions.own_answer(database, found.id, who) if who is not None and may_answer else None
    path = f"{_base(product.handle)}/{found.id}"
    values = {"text": own.text, "author": own.author} if own and own.status != "withdrawn" else {}
    return await show(
        request,
        channel,
        "storefront/question.html",
        status=form.status if form else 200,
        question=found,
        answers=answers,
        title=title,
        path=path,
        is_known=who is not None,
        may_answer=may_answer,
        own=own,
        form=form or Form.of(**values),
        crumbs=[
            (title, shelf.product_href(product.handle)),
            (_("Questions and answers"), _base(product.handle)),
        ],
        structured_data=structured.block(
            structured.question(
                found, answers, address=root_of(request) + path, shop=channel.name, asker=_("A customer")
            )
        )
        if answers
        else "",
    )


# -- asked ---------------------------------------------------------------------------------------------------------------


@post("/p/{handle:str}/questions", status_code=303)
async def ask(request: AnyRequest, handle: FromPath[str]) -> Response[Any]:
    """Keep a question: somebody reads it before it is shown."""
    limits.writes.check(limits.who(request))
    channel, form, _ = await channel_of(request), await read_form(request), face.words(request)
    product, title = await product_of(request, channel, handle)
    back = f"{shelf.product_href(product.handle)}#questions"
    if form.text(TRAP):
        return face.go(request, back, _(ASKED))
    sku = typed(form.get("sku"))
    chosen = next((each.id for each in product.variants if each.sku == sku), None)
    who = await person.signed_in(request, channel)
    try:
        data = form.into(
            QuestionInput,
            channel=channel.id,
            product=product.id,
            variant=chosen,
            language=language_of(channel.locale),
            customer=None,
            **({"email": None} if who else {}),
        )
        made = await database_of(request).transaction(
            lambda tx: questions.ask(tx, data), await person.context(request, channel)
        )
    except InvalidInput as problem:
        return await _list(request, channel, product, title, form.failed(problem))
    told = CONFIRM if made.status is Status.UNCONFIRMED else ASKED
    return face.go(request, back, _(told))


@post("/p/{handle:str}/questions/{question_id:uuid}/answer", status_code=303)
async def answer(request: AnyRequest, handle: FromPath[str], question_id: FromPath[UUID]) -> Response[Any]:
    """Whoever bought the product answers; somebody reads it before it is shown."""
    limits.writes.check(limits.who(request))
    channel, form, _ = await channel_of(request), await read_form(request), face.words(request)
    product, title = await product_of(request, channel, handle)
    signed = await member.require(request, channel)
    try:
        data = form.into(BuyerAnswer, language=language_of(channel.locale))
        await database_of(request).transaction(
            lambda tx: questions.answer_as_buyer(tx, question_id, data),
            member.acting(request, channel, signed),
        )
    except (InvalidInput, Conflict, NotBought) as problem:
        return await _one(request, channel, product, title, question_id, form.failed(problem))
    told = _("Thank you. We read it, and then it is shown.")
    return face.go(request, f"{_base(product.handle)}/{question_id}", told)


@post("/p/{handle:str}/questions/{question_id:uuid}/answer/remove", status_code=303)
async def remove_answer(
    request: AnyRequest, handle: FromPath[str], question_id: FromPath[UUID]
) -> Response[Any]:
    """Whoever answered takes it away; sent once more it can be written again."""
    limits.writes.check(limits.who(request))
    channel, _ = await channel_of(request), face.words(request)
    await read_form(request)
    signed = await member.require(request, channel)
    own = await questions.own_answer(database_of(request), question_id, signed.customer.id)
    if own is not None:
        await database_of(request).transaction(
            lambda tx: questions.withdraw_answer(tx, own.id), member.acting(request, channel, signed)
        )
    return face.go(request, f"{_base(typed(handle))}/{question_id}", _("Your answer is taken away."))


# -- what readers say of answers -----------------------------------------------------------------------------------------


@post("/answers/{answer_id:uuid}/vote", status_code=200)
async def vote(request: AnyRequest, answer_id: FromPath[UUID]) -> Response[Any]:
    """Somebody found an answer helpful; once each."""
    limits.writes.check(limits.who(request))
    channel, form, _ = await channel_of(request), await read_form(request), face.words(request)
    who, is_new = await person.voter(request, channel)
    data = Vote(helpful=not form.has("back"))

    async def work(tx: Tx) -> int:
        return await questions.vote(tx, answer_id, who, data)

    helpful = await database_of(request).transaction(work, await person.context(request, channel))
    if face.is_htmx(request):
        values: dict[str, Any] = {"answer_id": answer_id, "helpful": helpful, "voted": data.helpful}
        done = face.page(request, "storefront/question_vote.html", **values)
    else:
        done = face.go(request, face.local_path(form.text("next")), _("Thank you, that is counted."))
    return _known(request, done, who) if is_new else done


@post("/questions/{question_id:uuid}/report", status_code=303)
async def report(request: AnyRequest, question_id: FromPath[UUID]) -> Response[Any]:
    """Somebody thinks that a question or its answers should not be there; once each."""
    limits.writes.check(limits.who(request))
    channel, form, _ = await channel_of(request), await read_form(request), face.words(request)
    who, is_new = await person.voter(request, channel)
    data = form.into(Report)
    await database_of(request).transaction(
        lambda tx: questions.report(tx, question_id, who, data), await person.context(request, channel)
    )
    done = face.go(request, face.local_path(form.text("next")), _("Thank you. We look at it."))
    return _known(request, done, who) if is_new else done


def _known(request: AnyRequest, answer: Response[Any], who: UUID) -> Response[Any]:
    answer.set_cookie(face.own_cookie(request, basket.VISITOR, who.hex, basket.KEPT_SECONDS))
    return answer


handlers = [questions_page, question_page, ask, answer, remove_answer, vote, report]
