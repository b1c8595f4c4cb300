"""Figures and lists in the sentences of findings."""

from collections.abc import Iterable

__all__ = ["count", "listing", "percent", "sentence"]


def percent(share: float) -> str:
    """Return a share as a percentage that a person reads at a glance.

    >>> percent(0.3512), percent(0.0042), percent(0.00004), percent(0.9999)
    ('35 %', '0.4 %', 'less than 0.1 %', '99.9 %')
    """
    if 0 < share < 0.001:
        return "less than 0.1 %"
    if 0 < share < 0.0995:
        return f"{share:.1%}".replace("%", " %").replace(".0 %", " %")
    if 0.995 <= share < 1:
        return f"{min(share, 0.999):.1%}".replace("%", " %")
    return f"{share:.0%}".replace("%", " %")


def count(rows: int, noun: str) -> str:
    """Return a number with its noun in the right form.

    >>> count(1, "application"), count(1187, "application")
    ('1 application', '1,187 applications')
    """
    return f"{rows:,} {noun}" if rows == 1 else f"{rows:,} {noun}s"


def listing(names: Iterable[str], *, limit: int = 3) -> str:
    """Return names as a person lists them, the rest of a long list as a number.

    >>> listing(["term"]), listing(["term", "purpose", "income"]), listing("abcde")
    ('term', 'term, purpose and income', 'a, b, c and 2 more columns')
    """
    words = list(names)
    if len(words) > limit:
        more = len(words) - limit
        return f"{', '.join(words[:limit])} and {count(more, 'more column')}"
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def sentence(text: str) -> str:
    """Return a text that opens with a capital letter.

    >>> sentence("credit score is missing.")
    'Credit score is missing.'
    """
    return text[:1].upper() + text[1:]
