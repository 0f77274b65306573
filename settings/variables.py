"""Base class of settings that are read from environment variables."""

from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from settings.environments import SettingsError


class EnvSettings(BaseSettings):
    """Settings that are read from environment variables; an empty variable counts as not set.

    Raises:
        SettingsError: a variable has an invalid value. The message names the variable and never repeats the value,
            which may be a secret.
    """

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
            return
        except ValidationError as error:
            problems = [f"{self.variable(str(each['loc'][0]))}: {each['msg']}" for each in error.errors()]
        # Raised outside the handler, because the text of pydantic's error contains the values.
        raise SettingsError("; ".join(problems))

    @classmethod
    def variable(cls, field: str) -> str:
        """Return the name of the environment variable of a field."""
        info = cls.model_fields.get(field)
        # pydantic reports a field with an alias under the alias.
        alias = info.validation_alias if info else field
        return str(alias or f"{cls.model_config['env_prefix']}{field}".upper())
