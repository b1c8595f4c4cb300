"""Tests that ask for `name` and `command` run once for every command."""

from collections.abc import Iterator

import pytest
from typer.main import get_command

from loanwatch.cli.app import application


def commands() -> Iterator[tuple[str, object]]:
    group = get_command(application())
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        if hasattr(command, "commands"):
            for child, inner in command.commands.items():
                yield f"{name} {child}", inner
        else:
            yield name, command


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if {"name", "command"} <= set(metafunc.fixturenames):
        found = list(commands())
        metafunc.parametrize(("name", "command"), found, ids=[name for name, _ in found])
