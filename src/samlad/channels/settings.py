"""Channel settings: one table of what there is, with types. What is not in it is refused.

They are written down by subject, in the modules beside this one.
"""

from typing import Any

import msgspec

from samlad.channels.setting import Setting
from samlad.channels.settings_after import AFTER
from samlad.channels.settings_money import MONEY
from samlad.channels.settings_selling import SELLING
from samlad.channels.settings_site import SITE
from samlad.kernel.problems import FieldError, InvalidInput

SETTINGS: dict[str, Setting] = {setting.name: setting for setting in (*SELLING, *MONEY, *AFTER, *SITE)}


def default_of(name: str) -> Any:
    """The declared default. Raises KeyError for a setting that is not declared."""
    return SETTINGS[name].default


def check_settings(values: dict[str, Any]) -> None:
    """Refuse settings that are not declared or whose value has the wrong type; null is allowed and means *inherit*.

    Raises:
        InvalidInput: with one error for each faulty setting.
    """
    errors = []
    for name, value in values.items():
        if name not in SETTINGS:
            errors.append(FieldError(f"settings/{name}", f"unknown; there are {', '.join(SETTINGS)}"))
        elif value is not None:
            try:
                msgspec.convert(value, SETTINGS[name].type)
            except msgspec.ValidationError as error:
                errors.append(FieldError(f"settings/{name}", str(error)))
    if errors:
        raise InvalidInput("Some settings are not right.", errors=tuple(errors))
