"""Read planted events from a TOML file; every complaint names the key and what was expected."""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from datetime import date
from pathlib import Path
from typing import Any

from loanwatch.errors import ContractError, shorten
from loanwatch.simulator.events import EVENT_KINDS, Event

__all__ = ["load_events", "parse_events"]


def load_events(path: Path) -> tuple[Event, ...]:
    """Read a schedule of events: a TOML file of `[[events]]` tables with `kind`, `start`, `end` and parameters.

    Raises
    ------
    ContractError
        If the file cannot be read, or a key is unknown, missing or has a value that cannot be used.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ContractError(f"events {path} cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ContractError(f"events {path} is not valid TOML: {error}") from error
    return parse_events(values, source=str(path))


def parse_events(values: Mapping[str, Any], *, source: str = "events") -> tuple[Event, ...]:
    """Turn the content of a schedule file into events.

    Examples
    --------
    >>> parse_events({"events": [{"kind": "prior_shift", "points": -5}]})
    (PriorShift(start=None, end=None, points=-5),)

    Raises
    ------
    ContractError
        With the number of the event (from 1), the key, and what was expected there.
    """
    if unknown := sorted(set(values) - {"events"}):
        raise ContractError(f"{source}: {unknown[0]}: unknown key, expected [[events]]")
    entries = values.get("events", [])
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise ContractError(f"{source}: events: expected [[events]] tables")
    return tuple(_event(entry, f"{source}: events.{number}") for number, entry in enumerate(entries, start=1))


def _event(entry: Mapping[str, Any], where: str) -> Event:
    kind = entry.get("kind")
    if not isinstance(kind, str) or kind not in EVENT_KINDS:
        raise ContractError(f"{where}.kind: expected one of {', '.join(EVENT_KINDS)}, got {shorten(kind)!r}")
    event_class = EVENT_KINDS[kind]
    known = {field.name: field for field in fields(event_class)}
    given = {key: value for key, value in entry.items() if key != "kind"}
    if unknown := sorted(set(given) - set(known)):
        raise ContractError(f"{where}.{unknown[0]}: unknown key, {kind} takes {', '.join(known)}")
    for name, field in known.items():
        if field.default is MISSING and name not in given:
            raise ContractError(f"{where}.{name}: missing, {kind} needs it")
    for name, value in given.items():
        _check_type(known[name], value, f"{where}.{name}")
    try:
        return event_class(**given)
    except ContractError as error:
        raise ContractError(f"{where}: {error}") from error


def _check_type(field: Field[Any], value: object, where: str) -> None:
    """Compare a TOML value with the field's annotation."""
    annotation = str(field.type)
    for word, expected, name in (
        ("date", date, "a date such as 2015-06-01"),
        ("bool", bool, "true or false"),
        ("float", int | float, "a number"),
        ("str", str, "text"),
    ):
        if word in annotation:
            fits = isinstance(value, expected) and not (word == "float" and isinstance(value, bool))
            if not fits:
                raise ContractError(f"{where}: expected {name}, got {shorten(value)!r}")
            return
