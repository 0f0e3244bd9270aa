"""Reference pages made from the program itself at build time, so that they are never wrong."""

import re
from typing import Any

import msgspec
import typer.main
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from samlad import app, cli
from samlad.access.permissions import permissions
from samlad.kernel import log, openapi
from samlad.kernel.problems import Problem
from samlad.kernel.settings import load, settings_table


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    for name, text in {
        "http": http_reference(),
        "events": events_reference(),
        "problems": problems_reference(),
        "permissions": permissions_reference(),
        "settings": settings_reference(),
        "commands": commands_reference(),
    }.items():
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    return files


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


def http_reference() -> str:
    """Every operation of the OpenAPI document, by tag."""
    document = openapi.document(app.create(load({})))
    by_tag: dict[str, list[str]] = {}
    for path, item in sorted(document["paths"].items()):
        if not path.startswith(("/api", "/live", "/health", "/metrics")):
            continue
        for method, operation in item.items():
            if method in ("get", "post", "put", "patch", "delete"):
                for tag in operation.get("tags") or ["other"]:
                    by_tag.setdefault(tag, []).append(_operation(method, path, operation, document))
    parts = [
        "# HTTP reference",
        "Made from the OpenAPI 3.1 document that a running server answers at `/api/docs/openapi.json`; the same "
        "server has it to try at `/api/docs`. Every write takes an `Idempotency-Key`; errors are "
        "[problems](problems.md); what a permission allows is in [permissions](permissions.md).",
    ]
    for tag in sorted(by_tag):
        parts += [f"## {tag}", *by_tag[tag]]
    return "\n\n".join(parts) + "\n"


def _operation(method: str, path: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    lines = [f"### `{method.upper()} {path}`", operation.get("summary") or "", operation.get("description") or ""]
    parameters = operation.get("parameters") or []
    if parameters:
        rows = [
            f"| `{p['name']}` | {p['in']} | {_cell(_type(p.get('schema', {})))} | {_cell(p.get('description') or '')} |"
            for p in parameters
        ]
        lines.append("\n".join(["| parameter | in | type | meaning |", "|---|---|---|---|", *rows]))
    body = (operation.get("requestBody") or {}).get("content", {})
    for media_type, content in body.items():
        lines += [f"Body, `{media_type}`:", _fields(content.get("schema", {}), document)]
    answers = ", ".join(sorted(operation.get("responses") or {}))
    lines.append(f"Answers: {answers}")
    return "\n\n".join(line for line in lines if line)


def _resolve(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rsplit("/", 1)[-1]
    return document["components"]["schemas"][name] if name else schema


def _fields(schema: dict[str, Any], document: dict[str, Any]) -> str:
    resolved = _resolve(schema, document)
    properties = resolved.get("properties", {})
    required = set(resolved.get("required", []))
    rows = [
        f"| `{name}`{'' if name in required else ' (optional)'} | {_cell(_type(field))} "
        f"| {_cell(field.get('description') or '')} |"
        for name, field in properties.items()
    ]
    return "\n".join(["| field | type | meaning |", "|---|---|---|", *rows]) if rows else _cell(_type(schema))


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return schema["$ref"].rsplit("/", 1)[-1]
    for word in ("oneOf", "anyOf"):
        if word in schema:
            return " or ".join(_type(choice) for choice in schema[word])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    kind = schema.get("type", "anything")
    return f"{kind} ({schema['format']})" if "format" in schema else str(kind)


def events_reference() -> str:
    """Every declared type of event with its payload."""
    parts = ["# Events", "What the log can hold. A field marked *personal* is stored apart so that it can be erased."]
    for name, fact in log.declared().items():
        rows = [
            f"| `{field.name}` | {_cell(_annotation(field.type))} | {'personal' if field.name in fact.personal else ''} |"
            for field in msgspec.structs.fields(fact)
        ]
        parts += [f"## `{name}`", fact.__doc__ or "", "\n".join(["| field | type | |", "|---|---|---|", *rows])]
    return "\n\n".join(parts) + "\n"


def _annotation(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) and not hasattr(kind, "__args__") else re.sub(r"[\w.]+\.", "", str(kind))


def problems_reference() -> str:
    """Every kind of problem."""
    parts = ["# Problems", "Errors are `application/problem+json` (RFC 9457). Their `type` is `/problems/<code>`."]
    for code, kind in sorted(Problem.kinds().items()):
        parts += [f"## {code} {{ #{code} }}", f"**{kind.status}** · {kind.title}", (kind.__doc__ or "").strip()]
    return "\n\n".join(parts) + "\n"


def permissions_reference() -> str:
    """Every permission and the roles that have it."""
    rows = [
        f"| `{name}` | {_cell(info.description)} | {', '.join(sorted(info.roles))} |"
        for name, info in permissions().items()
    ]
    return "\n".join(["# Permissions", "", "| permission | allows | roles |", "|---|---|---|", *rows]) + "\n"


def settings_reference() -> str:
    """The one table of settings."""
    rows = [f"| `{name}` | {_cell(default) or '–'} | {_cell(meaning)} |" for name, default, meaning in settings_table()]
    head = (
        "# Settings\n\nEach is an environment variable, or (without `SAMLAD_`, in lower case) a key of "
        "`$SAMLAD_HOME/samlad.toml`. The environment wins.\n\n"
    )
    return head + "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows]) + "\n"


def commands_reference() -> str:
    """The help of every command."""
    root = typer.main.get_command(cli.app)
    parts = ["# Commands", "`samlad --help` says the same."]
    for name, command in sorted(getattr(root, "commands", {}).items()):
        parts += [f"## samlad {name}", (command.help or "").strip()]
        rows = [
            f"| `{' '.join(parameter.opts)}` | {_cell(getattr(parameter, 'help', None) or '')} |"
            for parameter in command.params
            if parameter.name != "help"
        ]
        if rows:
            parts.append("\n".join(["| option | meaning |", "|---|---|", *rows]))
        for child_name, child in sorted(getattr(command, "commands", {}).items()):
            parts += [f"### samlad {name} {child_name}", (child.help or "").strip()]
    return "\n\n".join(parts) + "\n"
