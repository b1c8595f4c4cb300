import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from loanwatch.cli import main
from loanwatch.cli.compare import write_page
from loanwatch.errors import StorageError


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name, shift in (("before", 0.0), ("same", 0.0), ("notice", 0.08), ("after", 1.0)):
        pl.DataFrame({"income": rng.normal(shift, 1.0, 8_000), "town": rng.choice(["a", "b"], 8_000)}).write_parquet(
            f"{name}.parquet"
        )
    return tmp_path


def run(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["loanwatch", "compare", *arguments])
    try:
        return main()
    except SystemExit as ended:
        return ended.code or 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["before.parquet", "same.parquet"], 0),
        (["before.parquet", "notice.parquet"], 0),
        (["before.parquet", "notice.parquet", "--drift-from", "low"], 2),
        (["before.parquet", "after.parquet"], 2),
        (["before.parquet", "nothing.parquet"], 1),
        (["before.parquet", "same.parquet", "--label", "y"], 1),
    ],
)
def test_the_exit_code_tells_drift_from_errors(files, monkeypatch, capsys, arguments, code):
    assert run(monkeypatch, *arguments) == code
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    if code == 1:
        assert len(said.err.strip().splitlines()) == 1


def test_the_terminal_says_what_moved(files, monkeypatch, capsys):
    run(monkeypatch, "before.parquet", "after.parquet")
    said = capsys.readouterr().out
    assert "after.parquet (8,000 rows) against before.parquet (8,000 rows)" in said
    assert "Income rose" in said


def test_the_terminal_says_what_is_behind_a_change_of_the_model(files, monkeypatch, capsys):
    rng = np.random.default_rng(1)
    for name, turned in (("then", False), ("now", True)):
        score = rng.uniform(0.1, 0.9, 4_000)
        paid = rng.random(4_000) < (1 - score if turned else score)
        pl.DataFrame({"income": rng.normal(size=4_000), "p": score, "paid": paid}).write_parquet(f"{name}.parquet")
    options = ["--label", "paid", "--score", "p"]
    assert run(monkeypatch, "then.parquet", "now.parquet", *options) == 2
    assert "cause: Relation changed, mostly through the score: retrain on recent data" in capsys.readouterr().out
    assert run(monkeypatch, "then.parquet", "then.parquet", *options) == 0
    assert "cause:" not in capsys.readouterr().out


def test_what_came_of_a_change_is_told_before_what_moved(files, monkeypatch, capsys):
    rng = np.random.default_rng(2)
    for name, turned in (("then", 0.0), ("now", 2.0)):
        score = rng.uniform(0.1, 0.9, 4_000)
        paid = rng.random(4_000) < (1 - score if turned else score)
        pl.DataFrame({"income": rng.normal(turned, size=4_000), "p": score, "paid": paid}).write_parquet(
            f"{name}.parquet"
        )
    assert run(monkeypatch, "then.parquet", "now.parquet", "--label", "paid", "--score", "p", "--json") == 2
    values = json.loads(capsys.readouterr().out)
    assert {values["checks"][check]["severity"] for check in ("data_drift", "model_drift")} == {"high"}
    assert values["summary"] == values["checks"]["model_drift"]["summary"]


def test_nothing_to_compare_is_not_called_no_drift(files, monkeypatch, capsys):
    pl.read_parquet("before.parquet").head(0).write_parquet("empty.parquet")
    assert run(monkeypatch, "before.parquet", "empty.parquet") == 1
    said = capsys.readouterr()
    assert "nothing could be compared" in said.out
    assert "no drift" not in said.out
    assert said.err.startswith("loanwatch: nothing could be compared: ")


def test_labels_younger_than_their_delay_are_not_judged(files, monkeypatch, capsys):
    rng = np.random.default_rng(2)
    days = np.datetime64("2024-01-01") + rng.integers(0, 60, 4_000) * np.timedelta64(1, "D")
    score = rng.random(4_000)
    for name, late in (("then", False), ("now", True)):
        paid = rng.random(4_000) < score
        known = (days < np.datetime64("2024-01-20")) | ~paid | (not late)  # of the young ones only bad ends are known
        label = pl.Series(np.where(known, paid, np.nan)).fill_nan(None)
        frame = pl.DataFrame({"x": rng.normal(size=4_000), "day": days, "p": score, "paid": label})
        frame.write_parquet(f"{name}.parquet")
    roles = ["then.parquet", "now.parquet", "--label", "paid", "--score", "p", "--time", "day", "--json"]
    assert run(monkeypatch, *roles) == 2
    capsys.readouterr()
    assert run(monkeypatch, *roles, "--as-of", "2024-03-01", "--label-delay", "45") == 0
    values = json.loads(capsys.readouterr().out)
    assert any("too young" in line for line in values["checks"]["model_drift"]["limitations"])
    assert run(monkeypatch, *roles[:-3], "--label-delay", "45") == 1
    assert "--time" in capsys.readouterr().err


def test_json_is_one_document(files, monkeypatch, capsys):
    assert run(monkeypatch, "before.parquet", "after.parquet", "--json") == 2
    values = json.loads(capsys.readouterr().out)
    assert values["drift"] is True
    assert values["checks"]["data_drift"]["findings"][0]["subject"] == "income"


def test_the_page_is_written_where_it_is_wanted(files, monkeypatch, capsys):
    assert run(monkeypatch, "before.parquet", "after.parquet", "--html", "page.html") == 2
    page = (files / "page.html").read_text()
    assert page.lstrip().startswith("<!DOCTYPE html>")
    assert "Income" in page
    assert run(monkeypatch, "before.parquet", "after.parquet", "--html", "no/such/folder.html") == 1
    assert "--html" in capsys.readouterr().err


def test_in_a_pipe_each_finding_is_one_line_and_nothing_moves_the_cursor(files, monkeypatch, capsys):
    name = "\x1b[31m" + "a long name with words " * 12
    for file in ("before", "after"):
        frame = pl.read_parquet(f"{file}.parquet")
        frame.rename({"income": name}).write_parquet(f"long {file}.parquet")
    assert run(monkeypatch, "long before.parquet", "long after.parquet") == 2
    lines = capsys.readouterr().out.splitlines()
    assert not any("\x1b" in line or line.endswith(" ") for line in lines)
    assert sum(line.startswith("high") for line in lines) == 1


def test_on_a_narrow_terminal_no_finding_is_wider(files, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "70")
    assert run(monkeypatch, "before.parquet", "after.parquet") == 2
    said = capsys.readouterr().out
    assert max(len(line) for line in said.splitlines() if not line.startswith("note")) <= 70
    assert "Income rose" in said


def test_a_page_whose_name_holds_a_nul_is_one_line():
    with pytest.raises(StorageError, match="--html"):  # no command line can hold one, a caller in Python can
        write_page(Path("\0.html"), "")


@pytest.mark.parametrize("target", [".", "no/such/page.html"])
def test_a_page_that_cannot_be_written_is_one_line(files, monkeypatch, capsys, target):
    assert run(monkeypatch, "before.parquet", "same.parquet", "--html", target) == 1
    said = capsys.readouterr().err
    assert "--html" in said
    assert len(said.strip().splitlines()) == 1


def test_a_page_that_is_there_is_replaced(files, monkeypatch, capsys):
    (files / "page.html").write_text("old")
    assert run(monkeypatch, "before.parquet", "before.parquet", "--html", "page.html") == 0
    assert "No drift" in (files / "page.html").read_text()


def test_what_draws_the_page_is_not_missed_with_a_traceback(files, monkeypatch, capsys):
    monkeypatch.setattr("loanwatch.cli.compare.import_module", lambda name: (_ for _ in ()).throw(ImportError(name)))
    assert run(monkeypatch, "before.parquet", "same.parquet", "--html", "page.html") == 0
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("page", ["same.parquet", "./before.parquet"])
def test_the_page_does_not_replace_a_table(files, monkeypatch, capsys, page):
    held = (files / page).read_bytes()
    assert run(monkeypatch, "before.parquet", "same.parquet", "--html", page) == 1
    assert "is one of the tables" in capsys.readouterr().err
    assert (files / page).read_bytes() == held


def test_a_console_that_does_not_know_a_character_gets_another_one(files):
    command = [sys.executable, "-m", "loanwatch", "compare", "before.parquet", "after.parquet"]
    done = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}, check=False)
    assert (done.returncode, done.stderr) == (2, b"")
    assert b"Income rose" in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
def test_a_full_disk_is_told_in_one_line(files):
    command = [sys.executable, "-m", "loanwatch", "compare", "before.parquet", "same.parquet"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "loanwatch: what is printed, or a temporary file, cannot be written: no space left on device"
    ]


def test_notes_are_wrapped_between_words(files, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "60")
    pl.DataFrame({"income": [1.0, 2.0], "town": ["a", None]}).write_parquet("two.parquet")
    run(monkeypatch, "before.parquet", "two.parquet")
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 60
    assert any(line.startswith("note: ") for line in lines)


@pytest.mark.parametrize(
    ("content", "words"),
    [('{"income": "much"}', "importance of income"), ("[1]", "give an object of numbers"), ("{", "is no JSON")],
)
def test_an_importance_that_cannot_be_used_is_told_in_one_line(files, monkeypatch, capsys, content, words):
    Path("weights.json").write_text(content)
    assert run(monkeypatch, "before.parquet", "after.parquet", "--importance", "weights.json") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line


def test_what_the_model_does_not_use_matters_less(files, monkeypatch, capsys):
    Path("weights.json").write_text('{"income": 0, "town": 1}')
    assert run(monkeypatch, "before.parquet", "after.parquet", "--importance", "weights.json", "--json") == 2
    (finding,) = json.loads(capsys.readouterr().out)["checks"]["data_drift"]["findings"]
    assert finding["severity"] == "medium"
    assert "large; the model does not use it" in finding["sentence"]
