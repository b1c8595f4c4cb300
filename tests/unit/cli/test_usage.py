"""A command line that cannot be understood ends with 1, since `compare` answers 2 for drift."""

import subprocess
import sys

import pytest
from typer.main import get_command

from loanwatch.cli import main
from loanwatch.cli.app import COMMANDS, application


def run(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["loanwatch", *arguments])
    return main()


def test_an_unknown_option_of_any_command_is_one_line_and_exit_code_1(name, command, monkeypatch, capsys):
    assert command
    assert run(monkeypatch, *name.split(), "--no-such-option") == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "--no-such-option" in said.err
    assert f"{name} --help" in said.err
    assert len(said.err.strip().splitlines()) == 1


def test_a_missing_argument_of_any_command_is_named_and_exit_code_1(name, command, monkeypatch, capsys):
    missing = [p.name for p in command.params if p.required]
    if not missing:
        return
    assert run(monkeypatch, *name.split()) == 1
    told = capsys.readouterr().err
    assert missing[0].replace("_", "-") in told.lower()
    assert len(told.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-command"],
        ["models", "no-such-command"],
        ["compare", "a.csv"],
        ["compare", "a.csv", "b.csv", "c.csv"],
        ["compare", "a.csv", "b.csv", "--label"],
        ["compare", "a.csv", "b.csv", "--drift-from", "never"],
        ["serve", "--port", "many"],
    ],
    ids=" ".join,
)
def test_any_other_misuse_is_one_line_and_exit_code_1(arguments, monkeypatch, capsys):
    assert run(monkeypatch, *arguments) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


@pytest.mark.parametrize("arguments", [[], ["models"], ["db"]], ids=" ".join)
def test_a_group_of_commands_alone_shows_its_help_and_is_no_success(arguments, monkeypatch, capsys):
    assert run(monkeypatch, *arguments) == 1
    said = capsys.readouterr()
    assert "Usage" in said.out + said.err


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["compare", "--help"]], ids=" ".join)
def test_help_and_version_are_a_success(arguments, monkeypatch, capsys):
    assert run(monkeypatch, *arguments) == 0
    assert capsys.readouterr().out


def test_the_process_ends_with_the_code():
    ended = subprocess.run(
        [sys.executable, "-m", "loanwatch", "compare", "--nope"], capture_output=True, check=False, text=True
    )
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("module", COMMANDS)
def test_each_module_adds_the_commands_it_is_listed_with(module):
    assert set(get_command(application(COMMANDS[module])).commands) == set(COMMANDS[module])


@pytest.mark.parametrize(
    "words", [(), ("--help",), ("no-such-command",), ("--help", "compare"), ("--home", "x", "runs")]
)
def test_a_line_that_begins_otherwise_knows_all_commands(words):
    assert set(get_command(application(words)).commands) == {c for added in COMMANDS.values() for c in added}


def test_a_misspelt_command_is_guessed_whatever_follows(monkeypatch, capsys):
    assert run(monkeypatch, "comapre", "runs", "b.csv") == 1
    assert "compare" in capsys.readouterr().err
