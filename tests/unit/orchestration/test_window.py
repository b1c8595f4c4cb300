from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from loanwatch.errors import WindowError
from loanwatch.orchestration import Window, window_of

NOW = datetime(2015, 3, 2, 0, 30, tzinfo=UTC)
DAY = Window(start=datetime(2015, 3, 1, tzinfo=UTC), end=datetime(2015, 3, 2, tzinfo=UTC))


def window(**given: Any) -> Window:
    nothing = {"start_date": None, "end_date": None, "interval_start": None, "interval_end": None, "run_after": NOW}
    return window_of(**{**nothing, **given})


def test_the_dates_of_the_trigger_win_over_the_interval() -> None:
    asked = window(start_date="2015-01-01", end_date="2015-02-01", interval_start=DAY.start, interval_end=DAY.end)
    assert asked == Window(start=datetime(2015, 1, 1, tzinfo=UTC), end=datetime(2015, 2, 1, tzinfo=UTC))


def test_the_interval_is_the_window_without_dates() -> None:
    assert window(interval_start=DAY.start, interval_end=DAY.end, run_after=NOW + timedelta(days=9)) == DAY


def test_an_interval_in_another_zone_is_read_in_utc() -> None:
    zone = timezone(timedelta(hours=2))
    asked = window(interval_start=DAY.start.astimezone(zone), interval_end=DAY.end.astimezone(zone))
    assert (asked.start.tzinfo, asked) == (UTC, DAY)


def test_without_both_it_is_the_last_whole_day() -> None:
    assert window() == DAY


def test_an_interval_without_length_is_no_window() -> None:
    assert window(interval_start=NOW, interval_end=NOW) == DAY


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"start_date": "2015-03-01"}, "end_date is missing"),
        ({"end_date": "2015-03-01"}, "start_date is missing"),
        ({"start_date": "01.03.2015", "end_date": "2015-04-01"}, "start_date '01.03.2015' is not a date"),
        ({"start_date": "2015-03-01", "end_date": "2015-02-30"}, "end_date '2015-02-30' is not a date"),
        ({"start_date": "2015-03-01", "end_date": "2015-03-01"}, "first day after the window"),
        ({"start_date": "2015-03-02", "end_date": "2015-03-01"}, "first day after the window"),
    ],
)
def test_dates_that_make_no_window_are_refused_by_name(given: dict[str, str], complaint: str) -> None:
    with pytest.raises(WindowError, match=complaint):
        window(**given)
