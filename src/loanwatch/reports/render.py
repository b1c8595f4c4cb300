"""The page of a run: one file, no network, no script."""

import contextlib
import sys
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemBytecodeCache, PackageLoader, StrictUndefined
from jinja2.bccache import Bucket

from loanwatch.reports.formatting import brief, day, moment, text
from loanwatch.reports.page import page_of
from loanwatch.reports.summary import RunSummary

__all__ = ["environment", "render_run_report"]

_COMPILED = Path(__file__).parent / "templates" / "__pycache__"


class _Compiled(FileSystemBytecodeCache):
    """Keeps compiled templates where Python keeps compiled modules, and likewise does without where it may not write.

    Compiling takes longer than comparing two small tables.
    """

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Write one template's code."""
        if sys.dont_write_bytecode:
            return
        with contextlib.suppress(OSError):
            _COMPILED.mkdir(exist_ok=True)
            super().dump_bytecode(bucket)


def render_run_report(summary: RunSummary) -> str:
    """Return the HTML page of a run.

    Everything that comes from data is escaped and cut, so that the page stays under 500 KB whatever the run holds.

    Parameters
    ----------
    summary : RunSummary

    Returns
    -------
    str
        A whole document in UTF-8, light and dark, fit for print.
    """
    return environment().get_template("run.html.j2").render(page=page_of(summary), run=summary)


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Return the templates of the pages."""
    templates = Environment(
        loader=PackageLoader("loanwatch.reports"),
        bytecode_cache=_Compiled(str(_COMPILED)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"brief": brief, "day": day, "moment": moment, "text": text}
    return templates
