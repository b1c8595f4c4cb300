"""What every command shares: settings, output for people or machines, progress."""

import contextlib
import getpass
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from loanwatch.cli.listing import Card, Listing
from loanwatch.errors import LoanwatchError, WindowError
from loanwatch.records import record

if TYPE_CHECKING:
    from rich.console import Console

    from loanwatch.settings import Settings

__all__ = ["AsJson", "Shared", "actor_name", "parse_span", "parse_time", "shared"]

_PIPE_COLUMNS = 160

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


@record
class Shared:
    """One process's settings and its two consoles, each made when it is first asked for."""

    home: Path | None
    """As the command line says it, before any setting."""
    contract: Path | None
    """Likewise."""

    @cached_property
    def out(self) -> "Console":
        """Results."""
        from rich.console import Console

        return Console() if _has_width() else Console(width=_PIPE_COLUMNS)

    @cached_property
    def err(self) -> "Console":
        """Progress and notes; never mixed into `--json` output."""
        from rich.console import Console

        return Console(stderr=True)

    @property
    def width(self) -> int | None:
        """Columns that lists keep to; None where nobody has to read them on a screen."""
        return self.out.width if _has_width() else None

    @cached_property
    def settings(self) -> "Settings":
        """The settings, read when they are first asked for: reading them takes longer than many a command."""
        from loanwatch.settings import load_settings

        return load_settings(home=self.home, contract_file=self.contract)

    @property
    def are_set(self) -> bool:
        """Whether a variable or a file sets anything; otherwise all but the command line's words are the defaults."""
        return Path("loanwatch.toml").exists() or any(name.upper().startswith("LOANWATCH_") for name in os.environ)

    @property
    def contract_file(self) -> Path | None:
        """The contract file of the command line or of the settings."""
        return self.settings.contract_file if self.are_set else self.contract

    def show(self, values: Any, text: str | Callable[[], Any], *, as_json: bool) -> None:  # noqa: ANN401
        """Print `values` as JSON, or else the text (or what the callable returns: a listing, a card, a rich table)."""
        if as_json:
            sys.stdout.write(json.dumps(values, indent=2, default=str, ensure_ascii=False) + "\n")
            return
        shown = text() if callable(text) else text
        if isinstance(shown, Listing | Card):
            shown = Text("\n").join(shown.lines(self.width))
        if isinstance(shown, str | Text):
            self.out.print(shown, markup=False, highlight=False, soft_wrap=True)
        else:
            self.out.print(shown)

    @contextlib.contextmanager
    def progress(self, description: str, *, total: float | None = None) -> Iterator[Callable[[float], None]]:
        """Show a bar on standard error while work is done; yields a function to call with how far it got."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.err, transient=True, disable=not self.err.is_terminal) as bar:
            task = bar.add_task(description, total=total)
            yield lambda completed: bar.update(task, completed=completed)

    @contextlib.contextmanager
    def stages(self, description: str) -> Iterator[Callable[[str], None]]:
        """Show which stage is being worked on; yields a function to call with its name."""
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=self.err, transient=True, disable=not self.err.is_terminal) as bar:
            task = bar.add_task(description, total=None)
            yield lambda stage: bar.update(task, description=f"{description}: {stage.replace('_', ' ')}")


def _has_width() -> bool:
    """Whether somebody reads on a screen; who shows a pipe on one, such as `watch`, sets COLUMNS."""
    return sys.stdout.isatty() or "COLUMNS" in os.environ


def shared(context: typer.Context) -> Shared:
    """Return what the top-level callback prepared."""
    prepared: Shared = context.obj
    return prepared


def actor_name() -> str:
    """Return the login's name, for the history."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a user id without a name
        return "unknown"


def parse_time(text: str, *, option: str) -> datetime:
    """Read a date or a date with time; without a zone it is UTC.

    >>> parse_time("2015-03-01", option="--start").isoformat()
    '2015-03-01T00:00:00+00:00'

    Raises
    ------
    WindowError
        If the text is neither; the message names the option.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise WindowError(f"{option} {text!r} is not a date: write it as 2015-03-01 or 2015-03-01T08:00") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def parse_span(text: str, *, option: str) -> timedelta:
    """Read a length of time: a number with m, h or d.

    >>> parse_span("8h", option="--for")
    datetime.timedelta(seconds=28800)

    Raises
    ------
    LoanwatchError
        If it is not one; the message names the option.
    """
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)([mhd])", text.strip())
    if match is None:
        raise LoanwatchError(f"{option} {text!r} is not a length of time: write it as 30m, 8h or 2d")
    return float(match[1]) * {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}[match[2]]
