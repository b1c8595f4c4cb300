"""Any days against any others, from their stored profiles: no application is read."""

import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from loanwatch.cli.app import application
from loanwatch.errors import ModelNotFoundError, WindowError
from loanwatch.pipeline import compare_days, run_window
from loanwatch.simulator import FeatureShift, simulate, write

JANUARY, MARCH, APRIL = (datetime(2015, month, 1, tzinfo=UTC) for month in (1, 3, 4))
FIRST, SECOND, THIRD, FIFTH = (datetime(2015, 3, day, tzinfo=UTC) for day in (1, 8, 15, 29))
MOVED = "annual_income"


@pytest.fixture
def judged(database, settings):
    """Two quiet months, and a March whose second week has higher incomes, of which three weeks were judged."""
    moved = FeatureShift(column=MOVED, factor=1.5, start=SECOND, end=THIRD)
    write(database, simulate(start=JANUARY, end=APRIL, seed=11, per_month=3_000, events=[moved]))
    run_window(settings, database, start=JANUARY, end=MARCH)
    rows = [
        run_window(settings, database, start=start, end=end).summary["rows"]
        for start, end in ((FIRST, SECOND), (SECOND, THIRD), (THIRD, datetime(2015, 3, 22, tzinfo=UTC)))
    ]
    with database.connect() as connection:
        connection.execute("DROP TABLE loan_details, customer_details, credit_details")
    return rows


def test_any_days_are_compared_with_the_model_and_with_any_others(database, settings, judged):
    found = compare_days(settings, database, window=(SECOND, THIRD))
    assert found.current_rows == judged[1]
    assert MOVED in [finding.subject for finding in found.report.findings]
    across = (datetime(2015, 3, 4, tzinfo=UTC), datetime(2015, 3, 18, tzinfo=UTC))  # of three runs
    assert judged[1] < compare_days(settings, database, window=across).current_rows < sum(judged)
    weeks = compare_days(settings, database, window=(SECOND, THIRD), reference=(FIRST, SECOND))
    assert (weeks.reference_rows, weeks.current_rows) == tuple(judged[:2])
    assert MOVED in [finding.subject for finding in weeks.report.findings]
    after = compare_days(settings, database, window=(THIRD, FIFTH), reference=(FIRST, SECOND))
    assert MOVED not in [finding.subject for finding in after.report.findings]
    assert after.limitations == (
        f"No run has profiled 2015-03-22 … 2015-03-29 under {settings.contract().name} v1: it is not in the figures.",
    )


def test_the_command_tells_it_by_its_exit_code_on_the_terminal_as_json_and_as_a_page(
    database, settings, judged, monkeypatch, tmp_path
):
    monkeypatch.setenv("LOANWATCH_DATABASE_URL", database.conninfo)

    def drift(*options):
        return CliRunner().invoke(application(), ["--home", str(settings.home), "drift", *options])

    page = tmp_path / "drift.html"
    second = ("--start", "2015-03-08", "--end", "2015-03-15")
    moved = drift(*second, "--html", str(page), "--drift-from", "low", "--json")
    assert moved.exit_code == 2, moved.output
    told = json.loads(moved.stdout)
    assert (told["severity"], told["current"]["rows"]) == ("low", judged[1])
    assert drift(*second).exit_code == 0  # a notice asks nobody to act
    assert told["current"]["name"] == "2015-03-08 … 2015-03-15"
    assert "annual income" in page.read_text().lower()
    quiet = drift(
        "--start",
        "2015-03-15",
        "--end",
        "2015-03-22",
        "--reference-start",
        "2015-03-01",
        "--reference-end",
        "2015-03-08",
    )
    assert quiet.exit_code == 0, quiet.output
    assert "no drift" in quiet.stdout


def test_what_cannot_be_compared_is_told_in_one_line(database, settings, judged):
    later = datetime(2016, 1, 1, tzinfo=UTC), datetime(2016, 2, 1, tzinfo=UTC)
    with pytest.raises(WindowError, match="of 2016-01-01 … 2016-02-01 no application is stored under"):
        compare_days(settings, database, window=later)
    with pytest.raises(WindowError, match="the start must be before the end"):
        compare_days(settings, database, window=(SECOND, FIRST))
    with pytest.raises(ModelNotFoundError, match="no version 7"):
        compare_days(settings, database, window=(FIRST, SECOND), version=7)


def test_before_the_first_deployment_there_is_nothing_to_compare_with(database, settings):
    with pytest.raises(ModelNotFoundError, match=r"no version of .* is online"):
        compare_days(settings, database, window=(FIRST, SECOND))
