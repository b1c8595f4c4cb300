"""Many profiles as one."""

from collections.abc import Iterable
from functools import reduce

from loanwatch.monitoring.profile.profile import Profile

__all__ = ["merge_profiles"]


def merge_profiles(profiles: Iterable[Profile]) -> Profile | None:
    """Return the profile of all windows together; None of none.

    Raises
    ------
    ValueError
        If two of them were counted over different bins; names the column.
    """
    found = list(profiles)
    return reduce(Profile.merge, found) if found else None
