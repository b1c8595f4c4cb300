"""Negative numbers as arguments, which look like options."""

import re
from typing import Any

from typer.core import TyperCommand

__all__ = ["NumbersCommand"]

_NEGATIVE = re.compile(r"-(\d|\.\d|inf)[\w.+-]*", re.IGNORECASE)


class NumbersCommand(TyperCommand):
    """A command to which `-5` is a number and not an option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  (its class depends on Typer's release)
        """Take a negative number for what it is; `float` and `int` read past the space."""
        return super().parse_args(ctx, [f" {text}" if _NEGATIVE.fullmatch(text) else text for text in args])
