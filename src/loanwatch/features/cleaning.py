"""From the source's values to typed ones, with the reason for every value that was changed or dropped."""

import polars as pl

from loanwatch.contract import Contract
from loanwatch.features.columns import clean_columns
from loanwatch.features.plan import plans_of
from loanwatch.features.rows import can_clean_row, clean_row
from loanwatch.records import record

__all__ = ["Cleaned", "clean"]


@record
class Cleaned:
    """Typed values, and why a value was changed or dropped."""

    frame: pl.DataFrame
    """The contract's columns in order (numeric Float64; categorical, id and text String; time in UTC, microseconds),
    then the other columns as they came. Null where a value is not known."""
    issues: pl.DataFrame
    """Of the same height: for each column that has any, the issue of each row or null. An Enum of `ISSUES`."""


def clean(frame: pl.DataFrame, contract: Contract) -> Cleaned:
    """Type the values of a window or of a request, and say what was wrong with them.

    A number may stand in text (`$1,234.50`, `-12`, `(12)`, `1.5e3`). A sentinel and a value out of range become null;
    a value recorded ten times too large is divided by ten. Categories are trimmed, in lower case and respelled; the
    empty text is null. Values of another type than the column can hold are `unreadable` and become null.

    Parameters
    ----------
    frame : DataFrame of n rows
        Columns of the contract in any type. One that is missing counts as null in every row; others pass through.
    contract : Contract
        Names the columns and says what is valid.

    Returns
    -------
    Cleaned
        n rows in both frames. A row's values do not depend on the rows beside it.

    Examples
    --------
    >>> from loanwatch.contract import default_contract
    >>> raw = pl.DataFrame({"monthly_debt": ["$1,234.50", "#VALUE!"], "credit_score": [7510, 751]})
    >>> cleaned = clean(raw, default_contract())
    >>> cleaned.frame.select("monthly_debt", "credit_score").rows()
    [(1234.5, 751.0), (None, 751.0)]
    >>> cleaned.issues.rows()
    [('rescaled', None), (None, 'unreadable')]
    """
    plans = plans_of(contract)
    if can_clean_row(frame, plans):
        cleaned, issues = clean_row(frame, contract)
    else:
        cleaned, issues = clean_columns(frame, plans)
    known = set(contract.column_names)
    others = [frame.get_column(name) for name in frame.columns if name not in known]
    return Cleaned(frame=cleaned.hstack(others) if others else cleaned, issues=issues)
