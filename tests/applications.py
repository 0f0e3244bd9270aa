"""Running applications. Making one costs a second, so those that no test uses at the moment are used again.

And what their templates are compiled to is kept below ``var``: all processes of the tests need the same, run after run.
"""

import contextlib
import hashlib
from collections.abc import AsyncIterator, Hashable
from importlib.metadata import version
from pathlib import Path

from jinja2 import FileSystemBytecodeCache
from litestar import Litestar

from samlad import app as composition
from samlad.faces.design import rendering
from samlad.kernel.settings import Settings

# Other settings of Jinja make other code of the same text.
_kind = f"{version('jinja2')}-{hashlib.sha256(Path(rendering.__file__).read_bytes()).hexdigest()[:12]}"
_templates = Path(__file__).parents[1] / "var" / "templates" / _kind
_templates.mkdir(parents=True, exist_ok=True)
rendering.compiled = FileSystemBytecodeCache(str(_templates))

_idle: dict[Hashable, tuple[object, list[Litestar]]] = {}
"""By what they are made of; beside them the routes, so that an identity in a key stays theirs."""


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Litestar]:
    """The application over the database of these settings, with the routes that the composition root has now."""
    routes = tuple(composition.ROUTES)
    # Everything else is asked of the settings that it runs with.
    made_of = (tuple(map(id, routes)), settings.trusted_proxies, settings.public_url, settings.body_limit)
    _, idle = _idle.setdefault(made_of, (routes, []))
    application = idle.pop() if idle else composition.create(settings)
    known = set(application.state.dict())
    try:
        async with composition.serving(application, settings):
            yield application
    finally:
        for learnt in set(application.state.dict()) - known:
            del application.state[learnt]
        idle.append(application)
