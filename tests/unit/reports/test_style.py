"""Colours that can be told apart, in light, in the dark and on paper."""

import re
from importlib import resources

import pytest

CSS = (resources.files("loanwatch.reports") / "templates" / "style.css").read_text(encoding="utf-8")
LIGHT, DARK, PAPER = (
    {
        name: colour if len(colour) == 7 else "#" + "".join(2 * c for c in colour[1:])
        for name, colour in re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", block.partition("}")[0])
    }
    for block in CSS.split(":root {")[1:]
)
TEXTS = [(text, ground) for text in ("ink", "soft", "accent") for ground in ("paper", "card")]
BADGES = [(tone, f"{tone}-tint") for tone in ("pass", "low", "medium", "high", "skipped")]
BARS = [("reference", "card"), ("current", "card")]


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(scheme, first, second):
    low, high = sorted((luminance(scheme[first]), luminance(scheme[second])))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_definition():
    assert contrast({"a": "#ffffff", "b": "#000000"}, "a", "b") == pytest.approx(21)


@pytest.mark.parametrize("scheme", [LIGHT, DARK, PAPER], ids=["light", "dark", "paper"])
def test_text_stands_out_from_its_ground_and_bars_do(scheme):
    assert {pair: contrast(scheme, *pair) for pair in TEXTS + BADGES if contrast(scheme, *pair) < 4.5} == {}
    assert {pair: contrast(scheme, *pair) for pair in BARS if contrast(scheme, *pair) < 3.0} == {}


def test_paper_is_white_whatever_the_system_shows():
    assert PAPER["paper"] == PAPER["card"] == "#ffffff"
    assert CSS.index("@media print") > CSS.index("prefers-color-scheme: dark")
