"""Lists and cards for the terminal: what has no room goes beneath, and nothing is cut."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from loanwatch.cli.styles import SEVERITY_STYLES
from loanwatch.records import record

__all__ = ["Card", "Listing", "paragraph", "plain", "words"]

_GAP = "  "
_INDENT = "    "
_LEAST_ROOM = 50
"""Columns beside which a text that is longer is wrapped; where there are fewer it goes beneath."""


@record
class Listing:
    """Records as lines.

    Columns that do not fit the width, from the right, are told beneath a record by name; so is its text where it does
    not fit beside them. Without a width, as in a pipe, every record is one line.
    """

    headings: tuple[str, ...]
    """Of the columns, the most important first."""
    rows: Sequence[tuple[str, ...]]
    """Of each record, a cell for each heading."""
    texts: Sequence[str] = ()
    """Of each record, a sentence of any length."""
    text_heading: str = ""

    def lines(self, width: int | None) -> list[Text]:
        """Return the lines for a terminal of so many columns."""
        rows = [tuple(plain(cell) for cell in row) for row in self.rows]
        texts = [plain(text) for text in self.texts] or [""] * len(rows)
        widths = [max(map(cell_len, column)) for column in zip(self.headings, *rows, strict=True)]
        kept = _fitting(widths, width)
        room = None if width is None else width - sum(widths[:kept]) - len(_GAP) * kept
        longest = max(map(cell_len, texts), default=0)
        beside = room is None or (kept == len(widths) and room >= min(_LEAST_ROOM, longest))
        heading = (*self.headings[:kept], *([self.text_heading] if beside and self.texts else []))
        found = [_line(heading, widths, "bold")]
        for row, text in zip(rows, texts, strict=True):
            found += self._record(row, text, widths=widths, kept=kept, beside=beside, width=width)
        return found

    def _record(
        self, row: tuple[str, ...], text: str, *, widths: list[int], kept: int, beside: bool, width: int | None
    ) -> Iterator[Text]:
        line = _line(row[:kept], widths, *self._styles(row[:kept]))
        beneath = [f"{name}: {cell}" for name, cell in zip(self.headings[kept:], row[kept:], strict=True) if cell]
        if beside and text:
            offset = sum(widths) + len(_GAP) * len(widths)
            first, *more = [text] if width is None else _wrapped(text, width - offset)
            line.pad_right(offset - line.cell_len)
            yield line.append(first)
            yield from (Text(" " * offset + piece) for piece in more)
            return
        yield line
        for part in (_GAP.join(beneath), text):
            yield from (Text(_INDENT + piece) for piece in _wrapped(part, (width or 0) - len(_INDENT)))

    def _styles(self, cells: tuple[str, ...]) -> Iterator[str]:
        return (
            SEVERITY_STYLES.get(cell, "") if name == "severity" else ""
            for name, cell in zip(self.headings, cells, strict=False)
        )


@record
class Card:
    """What is known of one record, by name."""

    pairs: Sequence[tuple[str, str]]

    def lines(self, width: int | None) -> list[Text]:
        """Return the lines for a terminal of so many columns; without a width, one line a name."""
        offset = max(cell_len(name) for name, _ in self.pairs) + len(_GAP)
        found = []
        for name, value in self.pairs:
            told = plain(value)
            first, *more = (width and _wrapped(told, width - offset)) or [told]
            found.append(Text(name + " " * (offset - cell_len(name)) + first))
            found += [Text(" " * offset + piece) for piece in more]
        return found


def plain(text: str) -> str:
    """Return the text on one line and without what moves a terminal's cursor."""
    return "".join(c if c.isprintable() else "�" for c in " ".join(text.split()))


def paragraph(text: str, width: int | None) -> list[str]:
    """Return the lines of a text, all but the first indented; one line without a width, none for no text."""
    told = plain(text)
    first, *more = [told] if width is None else _wrapped(told, width - len(_INDENT)) or [""]
    return [first, *(_INDENT + line for line in more)] if told else []


def words(value: Any) -> str:  # noqa: ANN401  (whatever JSON holds)
    """Return a value as a person would write it.

    >>> words({"rescaling": "standardise", "depth": None}), words([])
    ('rescaling standardise, depth –', 'none')
    """
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {words(part)}" for name, part in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(words, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _fitting(widths: Sequence[int], width: int | None) -> int:
    """Return how many columns fit, at least one."""
    if width is None:
        return len(widths)
    fits = [n for n in range(1, len(widths) + 1) if sum(widths[:n]) + len(_GAP) * (n - 1) <= width]
    return max(fits, default=1)


def _line(cells: Sequence[str], widths: Sequence[int], *styles: str) -> Text:
    line = Text()
    for at, cell in enumerate(cells):
        line.append(cell, style=styles[min(at, len(styles) - 1)] if styles else "")
        if at < len(cells) - 1:
            line.append(" " * (widths[at] - cell_len(cell)) + _GAP)
    line.rstrip()
    return line


def _wrapped(text: str, width: int) -> list[str]:
    # a name that is longer than the line stays whole: it may be meant to be copied
    return textwrap.wrap(text, max(width, 20), break_long_words=False, break_on_hyphens=False)
