"""Every command has help and stands in the documentation."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from loanwatch.cli.app import app

DOCUMENT = Path(__file__).parents[3] / "docs" / "commands.md"


def commands() -> Iterator[tuple[str, object]]:
    group = get_command(app)
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        if hasattr(command, "commands"):
            for child, inner in command.commands.items():
                yield f"{name} {child}", inner
        else:
            yield name, command


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_every_command_has_a_help_text_for_itself_and_its_options(name: str, command: object) -> None:
    assert command.help, name  # type: ignore[attr-defined]
    for parameter in command.params:  # type: ignore[attr-defined]
        assert getattr(parameter, "help", None), f"{name}: {parameter.name} has no help"


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_every_command_has_a_section_in_the_documentation(name: str) -> None:
    assert f"`loanwatch {name}" in DOCUMENT.read_text(), f"docs/commands.md does not mention `loanwatch {name}`"


def test_the_application_is_a_typer_application() -> None:
    assert isinstance(app, typer.Typer)
