"""A number with its uncertainty."""

from loanwatch.records import record

__all__ = ["Z_95", "Estimate", "normal_estimate"]

Z_95 = 1.959963984540054
"""The 97.5 % point of the standard normal distribution."""


@record
class Estimate:
    """A value, its standard error and the 95 % interval; `nan` where the data do not determine them."""

    value: float
    standard_error: float
    lower: float
    upper: float


def normal_estimate(
    value: float, standard_error: float, *, minimum: float = float("-inf"), maximum: float = float("inf")
) -> Estimate:
    """Return the estimate whose interval is value ± 1.96 standard errors, cut to [minimum, maximum].

    Examples
    --------
    >>> normal_estimate(0.99, 0.01, maximum=1.0).upper
    1.0
    """
    return Estimate(
        value=value,
        standard_error=standard_error,
        lower=_cut(value - Z_95 * standard_error, minimum, maximum),
        upper=_cut(value + Z_95 * standard_error, minimum, maximum),
    )


def _cut(value: float, minimum: float, maximum: float) -> float:
    return value if value != value else min(max(value, minimum), maximum)  # noqa: PLR0124  (nan stays nan)
