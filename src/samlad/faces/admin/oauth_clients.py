"""OAuth clients beside the keys: make one (its secret is shown once), exchange its secret, change it, revoke it."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad.access import clients, keys
from samlad.access.clients import ClientChange, ClientInput, ClientView, SecretInput
from samlad.access.permissions import KEY_READ, KEY_WRITE
from samlad.faces.admin.keys import groups_of
from samlad.faces.admin.lists import shown
from samlad.faces.admin.shell import admin_page
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, require, words
from samlad.kernel.clock import now
from samlad.kernel.http import actor_of, context_of, database_of
from samlad.kernel.problems import Problem

PATH = "/admin/keys/clients"


@get(PATH)
async def list_clients(request: AnyRequest) -> Response[Any]:
    """All clients, newest first; of whoever is bound to locations, those that act nowhere else."""
    require(request, KEY_READ)
    found = await shown(
        request, database_of(request), clients.CLIENTS, fixed={"within": keys.own(actor_of(request))}
    )
    return await admin_page(request, "admin/oauth_clients.html", list=found)


@get(f"{PATH}/new")
async def show_new(request: AnyRequest) -> Response[Any]:
    """The form for a new client."""
    require(request, KEY_WRITE)
    return await _new_page(request, Form.of(token_seconds=3600))


async def _new_page(request: AnyRequest, form: Form) -> Response[Any]:
    groups = groups_of(request)
    return await admin_page(
        request, "admin/oauth_client_new.html", status_code=form.status, form=form, groups=groups
    )


@post(f"{PATH}/new")
async def create(request: AnyRequest) -> Response[Any]:
    """Make a client, and show its secret this once."""
    require(request, KEY_WRITE)
    form = await read_form(request)
    try:
        given = form.into(ClientInput, scopes=form.all("scopes"), token_seconds=form.whole("token_seconds"))
        made = await change(request, lambda tx: clients.create(tx, given))
    except Problem as problem:
        return await _new_page(request, form.failed(problem))
    return await admin_page(request, "admin/oauth_secret.html", status_code=201, made=made)


@get(f"{PATH}/{{client_id:uuid}}")
async def show_client(request: AnyRequest, client_id: FromPath[UUID]) -> Response[Any]:
    """One client with its secrets."""
    require(request, KEY_READ)
    return await _client_page(request, await _client(request, client_id), None)


async def _client(request: AnyRequest, client_id: UUID) -> ClientView:
    return await database_of(request).transaction(lambda tx: clients.read(tx, client_id), context_of(request))


async def _client_page(request: AnyRequest, client: ClientView, form: Form | None) -> Response[Any]:
    if form is None:
        form = Form.of(name=client.name, token_seconds=client.token_seconds, version=client.version)
        form.fields["scopes"] = list(client.scopes)
    return await admin_page(
        request,
        "admin/oauth_client.html",
        status_code=form.status,
        client=client,
        form=form,
        groups=groups_of(request, also=client.scopes),
        now=now(),
    )


@post(f"{PATH}/{{client_id:uuid}}")
async def change_client(request: AnyRequest, client_id: FromPath[UUID]) -> Response[Any]:
    """Another name, other rights, another life of its tokens."""
    require(request, KEY_WRITE)
    form = await read_form(request)
    try:
        given = form.into(ClientChange, scopes=form.all("scopes"), token_seconds=form.whole("token_seconds"))
        await change(request, lambda tx: clients.change(tx, client_id, given, version=form.version()))
    except Problem as problem:
        return await _client_page(request, await _client(request, client_id), form.failed(problem))
    _ = words(request)
    return go(request, f"{PATH}/{client_id}", _("Saved."))


@post(f"{PATH}/{{client_id:uuid}}/secrets")
async def make_secret(request: AnyRequest, client_id: FromPath[UUID]) -> Response[Any]:
    """Another secret, shown this once; the older ones end when the form says."""
    require(request, KEY_WRITE)
    form = await read_form(request)
    try:
        given = SecretInput(others_end_in_hours=form.whole("others_end_in_hours"))
        made = await change(request, lambda tx: clients.make_secret(tx, client_id, given))
    except Problem as problem:
        return await _client_page(request, await _client(request, client_id), form.failed(problem))
    return await admin_page(request, "admin/oauth_secret.html", status_code=201, made=made)


@post(f"{PATH}/{{client_id:uuid}}/secrets/{{secret_id:uuid}}/end")
async def end_secret(
    request: AnyRequest, client_id: FromPath[UUID], secret_id: FromPath[UUID]
) -> Response[Any]:
    """End a secret at once."""
    require(request, KEY_WRITE)
    await change(request, lambda tx: clients.end_secret(tx, client_id, secret_id))
    _ = words(request)
    return go(request, f"{PATH}/{client_id}", _("The secret does not work any more."))


@post(f"{PATH}/{{client_id:uuid}}/revoke")
async def revoke(request: AnyRequest, client_id: FromPath[UUID]) -> Response[Any]:
    """Make a client and its tokens worthless at once."""
    require(request, KEY_WRITE)
    _ = words(request)
    client = await change(request, lambda tx: clients.revoke(tx, client_id))
    return go(request, PATH, _("The client “%(name)s” is shut out.") % {"name": client.name})


HANDLERS = [list_clients, show_new, create, show_client, change_client, make_secret, end_secret, revoke]
