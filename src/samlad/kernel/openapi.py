"""The OpenAPI document, completed with what holds for every operation of ours.

Litestar derives the document from the handlers. What is convention is added here, once: problems, the
``Idempotency-Key`` of writes, ``If-Match``, CSV beside JSON in lists, the permissions that are asked for, and that
unknown fields are refused.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from litestar import Litestar
from litestar._openapi.plugin import OpenAPIPlugin
from litestar.config.app import AppConfig
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig

from samlad.kernel.http import if_match, write
from samlad.kernel.promises import calls, permissions_of

Document = dict[str, Any]

_MEDIA_TYPES = {
    "json": "application/json",
    "csv": "text/csv",
    "jsonl": "application/jsonl",
    "sie": "application/octet-stream",
}
METHODS = ("get", "post", "put", "patch", "delete")

_PROBLEM: Document = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457; `type` says which kind of problem, `/problems/{code}` documents it.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "examples": ["/problems/invalid-input"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong this time"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
_IDEMPOTENCY_KEY: Document = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and request are done once and answered alike. Take a UUID.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[\x21-\x7e]+$"},
    "example": "0b0c3b56-6d5f-4a3a-9f0a-5c8f0f5f8b11",
}
_IF_MATCH: Document = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag that you last saw; a change by somebody else meanwhile is then told with 412.",
    "schema": {"type": "string", "pattern": r'^"[0-9]{1,18}"$'},
    "example": '"3"',
}
_KEY: Document = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key (`samlad key create`). Pages use the cookie of their session instead.",
}


def describe(app: Litestar, config: OpenAPIConfig) -> None:
    """Say what the document is about, without Litestar's own pages for it: their viewers come from a CDN.

    The framework knows no way to have one without the other; the router that its plugin adds to a configuration is
    left there.
    """
    app.plugins.get(OpenAPIPlugin).on_app_init(AppConfig(openapi_config=config))


def document(app: Litestar) -> Document:
    """The application's OpenAPI 3.1 document, complete. Building it takes seconds: keep it."""
    built: Document = app.openapi_schema.to_schema()
    components = built.setdefault("components", {})
    components["securitySchemes"] = {"key": _KEY}
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = _PROBLEM
    _refuse_unknown_fields(schemas)
    handlers = dict(_handlers(app))
    for path, item in built["paths"].items():
        for method in METHODS:
            if method in item:
                _complete(item[method], handlers[method, path])
    return built


def _handlers(app: Litestar) -> Iterator[tuple[tuple[str, str], HTTPRouteHandler]]:
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if isinstance(handler, HTTPRouteHandler):
                for method in handler.http_methods:
                    yield (method.lower(), route.path_format or "/"), handler


def _complete(operation: Document, handler: HTTPRouteHandler) -> None:
    parameters = operation.setdefault("parameters", [])
    names = {p.get("name") for p in parameters}
    added = [_IDEMPOTENCY_KEY] if calls(handler.fn, write) else []
    added += [_IF_MATCH] if calls(handler.fn, if_match) else []
    parameters.extend(p for p in added if p["name"] not in names)
    responses = operation["responses"]
    for parameter in parameters:
        if parameter["name"] == "format":
            _say_formats(responses["200"]["content"], parameter["schema"]["enum"])
    # Litestar documents its own shape of errors, which ours replaces.
    for status in [s for s in responses if s.startswith(("4", "5"))]:
        del responses[status]
    responses.get("204", {}).pop("content", None)
    responses["default"] = {
        "description": "A problem",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    _say_permissions(operation, sorted(permissions_of(handler.fn)))


def _say_formats(content: Document, formats: list[str]) -> None:
    """Put what can be asked for with ``?format=`` in place of what Litestar takes for granted."""
    given = content.pop("application/json", None)
    for name in formats:
        content[_MEDIA_TYPES[name]] = given if name == "json" else {"schema": {"type": "string"}}


def _say_permissions(operation: Document, needed: list[str]) -> None:
    operation["x-permissions"] = needed
    operation["security"] = [{"key": []}] if needed else [{}, {"key": []}]
    if needed:
        said = "Permission" if len(needed) == 1 else "Permissions that it may ask for"
        told = ", ".join(f"`{name}`" for name in needed)
        operation["description"] = f"{operation.get('description') or ''}\n\n{said}: {told}.".strip()


def _refuse_unknown_fields(schemas: dict[str, Document]) -> None:
    strict: dict[str, bool] = {}
    for kind in _structs(msgspec.Struct):
        forbids = kind.__struct_config__.forbid_unknown_fields
        strict[kind.__name__] = strict.get(kind.__name__, True) and forbids
    for schema in schemas.values():
        if schema.get("type") == "object" and strict.get(schema.get("title", "")):
            schema["additionalProperties"] = False


def _structs(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for child in kind.__subclasses__():
        yield child
        yield from _structs(child)
