"""Every command has help and stands in the documentation."""

from pathlib import Path

DOCUMENT = Path(__file__).parents[3] / "docs" / "commands.md"


def test_every_command_has_a_help_text_for_itself_and_its_options(name, command):
    assert command.help, name
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{name}: {parameter.name} has no help"


def test_every_command_has_a_section_in_the_documentation(name, command):
    assert command
    assert f"`loanwatch {name}" in DOCUMENT.read_text(), f"docs/commands.md does not mention `loanwatch {name}`"
