"""Values of variables that are numbers."""

import os
import re
from decimal import Decimal

from settings.environments import SettingsError


def number(variable: str, default: float) -> float:
    """A number that is not negative."""
    text = os.environ.get(variable) or str(default)
    if not re.fullmatch(r"[0-9]+([.][0-9]+)?", text):
        raise SettingsError(f"{variable} must be a number, not {text!r}")
    return float(text)


def amount(variable: str, default: str, *, least: int | None = None) -> Decimal:
    """A number that is not negative; a whole one, and no less than `least`, if that is given."""
    text = os.environ.get(variable) or default
    form = r"[0-9]{1,9}" if least is not None else r"[0-9]{1,9}([.][0-9]{1,9})?"
    if not re.fullmatch(form, text) or Decimal(text) < (least or 0):
        kind = f"a whole number from {least}" if least is not None else "an amount such as 1 or 0.25"
        raise SettingsError(f"{variable} must be {kind}, not {text!r}")
    return Decimal(text)
