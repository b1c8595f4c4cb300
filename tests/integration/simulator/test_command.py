"""`loanwatch simulate`."""

import json

import pytest

from loanwatch.cli import main

PERIOD = ["--start", "2015-01-01", "--end", "2015-01-15"]


@pytest.fixture
def run(database, monkeypatch, capsys, tmp_path):
    """Call the command on the test's database; returns exit code, output and error."""
    monkeypatch.setenv("DATABASE_URL", database.conninfo)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["loanwatch", "simulate", *arguments])
        try:
            code = main()
        except SystemExit as ending:
            code = int(ending.code or 0)
        output = capsys.readouterr()
        return code, output.out, output.err

    return call


def tables_exist(database) -> bool:
    with database.connect() as connection:
        return connection.execute("SELECT to_regclass('loan_details')").fetchone() != (None,)


def test_it_says_what_it_wrote_also_to_machines(run, tmp_path, database):
    events = tmp_path / "events.toml"
    events.write_text('[[events]]\nkind = "prior_shift"\npoints = -5\n')
    code, out, _ = run(*PERIOD, "--per-month", "1000", "--events", str(events), "--leak", "tenfold-score", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["events"][0]["points"] == -5
    assert told["leaks"] == ["tenfold_score"]
    with database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM loan_details").fetchone() == (told["rows"]["loan_details"],)


def test_a_second_call_is_refused_unless_it_replaces(run):
    assert run(*PERIOD)[0] == 0
    code, _, err = run(*PERIOD)
    assert code == 1
    assert "in loan_details already" in err
    assert run(*PERIOD, "--replace")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--start", "2015-02-01", "--end", "2015-01-01"], "start 2015-02-01 is not before end 2015-01-01"),
        (["--start", "soon", "--end", "2015-01-01"], "--start 'soon' is not a date"),
        ([*PERIOD, "--events", "nowhere.toml"], "events nowhere.toml cannot be read: No such file"),
    ],
)
def test_bad_input_gets_one_line_and_writes_nothing(run, database, arguments, message):
    code, out, err = run(*arguments)
    assert code == 1
    assert message in err
    assert err.count("\n") == 1
    assert out == ""
    assert not tables_exist(database)
