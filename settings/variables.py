"""Base class of settings that are read from environment variables."""

import re
from typing import Any, ClassVar

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from settings.environments import SettingsError

# Errors of pydantic's own types that are clearer with the value. All others may be about a secret.
_SHOWN = re.compile(r"literal_error|bool_type|(\w+_parsing)|((greater|less)_than\w*)")


class EnvSettings(BaseSettings):
    """Settings that are read from environment variables; an empty variable counts as not set.

    Raises:
        SettingsError: a variable has an invalid value; the message names the variable and what is allowed, and
            repeats no secret.
    """

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    # What to do about variables that are not set.
    _hint: ClassVar[str] = ""

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
            return
        except ValidationError as error:
            # Without those that only follow from another one.
            errors = [each for each in error.errors() if each["type"] != "default_factory_not_called"]
        problems = [self._problem(each) for each in errors if each["type"] != "missing"]
        missing = [self.variable(str(each["loc"][0])) for each in errors if each["type"] == "missing"]
        if missing:
            problems.append(
                f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set{self._hint}"
            )
        # Raised outside the handler, because the text of pydantic's error contains the values.
        raise SettingsError("; ".join(problems))

    @classmethod
    def variable(cls, field: str) -> str:
        """Return the name of the environment variable of a field."""
        info = cls.model_fields.get(field)
        # pydantic reports a field with an alias under the alias.
        alias = info.validation_alias if info else field
        return str(alias or f"{cls.model_config['env_prefix']}{field}".upper())

    @classmethod
    def _problem(cls, error: ErrorDetails) -> str:
        message = error["msg"].replace("Input should", "must").partition(", unable to parse")[0]
        if not error["loc"]:  # about several variables, which the message names
            return message
        given = f", not {error['input']!r}" if _SHOWN.fullmatch(error["type"]) else ""
        return f"{cls.variable(str(error['loc'][0]))}: {message}{given}"

    def environment(self) -> dict[str, str]:
        """Return the variables that give a child process these settings, secrets included."""
        values = [(name, getattr(self, name)) for name in type(self).model_fields]
        found = {
            self.variable(name): _text(value)
            for name, value in values
            if value not in (None, (), "") and not isinstance(value, EnvSettings)
        }
        for _, value in values:
            if isinstance(value, EnvSettings):
                found |= value.environment()
        return found


def _text(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return ",".join(value)
    return str(int(value)) if isinstance(value, bool) else str(value)
