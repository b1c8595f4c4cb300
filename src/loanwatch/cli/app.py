"""The `loanwatch` command: one Typer application, its commands in the modules beside this one."""

import atexit
import errno
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer

from loanwatch import __version__
from loanwatch.cli.context import Shared
from loanwatch.cli.listing import plain
from loanwatch.errors import LoanwatchError, shorten
from loanwatch.logging import configure_logging

__all__ = ["COMMANDS", "application", "main"]

# The base class of all that can be wrong with a command line; Typer gives it no public name.
_UsageError: Any = typer.BadParameter.__base__

COMMANDS = {
    "demo": ("demo",),
    "db": ("db",),
    "load": ("load",),
    "compare": ("compare",),
    "simulate": ("simulate",),
    "run": ("run", "backfill", "runs"),
    "report": ("report",),
    "drift": ("drift",),
    "models": ("models",),
    "serve": ("serve",),
    "predict": ("predict",),
    "tokens": ("tokens",),
    "alerts": ("alerts",),
    "rules": ("rules",),
    "dispatch": ("dispatch",),
    "doctor": ("doctor",),
}
"""Modules beside this one, and the commands that `register(app)` of each adds; the help lists them in this order."""


def application(words: Sequence[str] = ()) -> typer.Typer:
    """Build the command line.

    Parameters
    ----------
    words : sequence of str
        Of a command line. Where it begins with a command the others are left out, which saves a short command a
        twentieth of its time.
    """
    app = typer.Typer(
        name="loanwatch",
        help="Train, serve and watch a loan-eligibility model whose applications lie in PostgreSQL.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(prepare)
    named = [module for module, commands in COMMANDS.items() if words and words[0] in commands]
    for module in named or COMMANDS:
        import_module(f"loanwatch.cli.{module}").register(app)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"loanwatch {__version__}")
        raise typer.Exit


def prepare(
    context: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(help="Folder of the embedded server, models and reports.", show_default=".loanwatch"),
    ] = None,
    contract: Annotated[Path | None, typer.Option(help="Contract file, if not the shipped loan contract.")] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[  # noqa: ARG001  (the callback prints it)
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Make ready what every command shares."""
    here = Shared(home=home, contract=contract)
    level, as_json = (here.settings.log_level, here.settings.log_json) if here.are_set else ("warning", False)
    configure_logging(level="debug" if debug else level, as_json=as_json)
    context.obj = here


def main() -> int:
    """Run the command line; return the exit code.

    It is 0 only on success, 1 on any error, 130 after Ctrl-C; `compare` alone answers 2, for drift.
    """
    # Read when numpy loads: threads of the linear algebra spin while they wait, and take a core from the real work.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    atexit.register(gc.freeze)  # else the interpreter ends with a tenth of a second of looking for cycles
    debug = "--debug" in sys.argv
    _make_writable()
    try:
        ended = application(sys.argv[1:])(standalone_mode=False)  # or a usage error would be 2, as drift is
        sys.stdout.flush()  # a full disk is told here, and not by the interpreter as it ends
    except _UsageError as error:
        return _failed(_misuse(error))
    except typer.Abort:
        return _failed("aborted")
    except BaseException as error:
        # polars lets its panics pass by `Exception`
        if debug or not (isinstance(error, Exception) or type(error).__name__ == "PanicException"):
            raise
        return _failed(_in_one_line(error))
    return ended if isinstance(ended, int) else 0


def _make_writable() -> None:
    """Let a terminal or log that does not know a character show `?` instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _failed(told: str) -> int:
    """Say why on one line, without what moves a terminal's cursor."""
    if told:
        sys.stderr.write(f"loanwatch: {plain(told)}\n")
    return 1


def _misuse(error: Any) -> str:  # noqa: ANN401  (a usage error)
    """Say what is wrong with the command line; nothing where a group of commands has shown its help instead."""
    told = error.format_message().strip().rstrip(".")
    return f"{told} (see {error.ctx.command_path if error.ctx else 'loanwatch'} --help)" if told else ""


def _in_one_line(error: BaseException) -> str:
    if isinstance(error, LoanwatchError):
        return str(error)
    psycopg = sys.modules.get("psycopg")  # a command that never came to the database need not import it now
    if psycopg is not None and isinstance(error, psycopg.Error):
        from loanwatch.database.explain import statement_error

        return str(statement_error(error.sqlstate or "", error.diag.message_primary or str(error)))
    if isinstance(error, OSError) and error.filename is None and error.errno == errno.ENOSPC:
        return f"what is printed, or a temporary file, cannot be written: {os.strerror(errno.ENOSPC).lower()}"
    told = shorten(error, 300)
    return f"internal error ({type(error).__name__}: {told}); run the command again with --debug for the details"
