"""A column may have any name, also one that a library takes for its own or for a pattern."""

import json

import numpy as np
import polars as pl
import pytest

import loanwatch

ROWS = 400
NAMES = [
    *("count", "rows", "len", "value", "text", "label", "time", "index", "literal", "issues", "missing", "key"),
    *("*", "^.*$", "^x$", "^", "", " ", "\n", "a.b", "[red]x[/red]", "{{ 7 * 7 }}", "<b>x</b>", "\x1b[31mred"),
    *("nul\0", "__proto__", "ünï 🙂", "a" * 5_000, "\u202eabc", "None", "%s", "-"),
]


def table(name, seed, *, moved=0.0):
    rng = np.random.default_rng(seed)
    score = rng.random(ROWS)
    return pl.DataFrame(
        {
            name: rng.normal(moved, 1.0, ROWS),
            "y ": (rng.random(ROWS) < score).astype(int),
            "p ": score,
            "words ": rng.choice(["rome", "oslo"], ROWS),
        }
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("words", [False, True], ids=["numbers", "words"])
def test_a_column_of_any_name_is_compared_and_named(name, words):
    tables = [table(name, 0), table(name, 1, moved=2.0)]
    if words:
        tables = [t.with_columns(pl.Series(name, t[name].to_numpy() > 1).cast(pl.String)) for t in tables]
    found = loanwatch.compare(*tables, label="y ", score="p ")
    assert found.drifted
    shown = name or "column without a name"
    assert {f.subject.strip("'") for f in found.reports["data_drift"].findings} == {shown}
    json.dumps(found.to_dict(), allow_nan=False)
    page = found.to_html()
    assert "<b>x</b>" not in page
    assert "\x1b" not in page


@pytest.mark.parametrize("name", [n for n in NAMES if n and n != "*" and not n.endswith("$")])
@pytest.mark.parametrize("role", ["label", "score", "time"])
def test_a_column_of_any_name_may_have_a_role(name, role):
    rng = np.random.default_rng(0)
    values = {
        "label": rng.integers(0, 2, ROWS),
        "score": rng.random(ROWS),
        "time": pl.Series(["2024-01-05", "2024-02-11"] * (ROWS // 2)),
    }
    both = pl.DataFrame({"x ": rng.normal(size=ROWS), name: values[role]})
    found = loanwatch.compare(both, both, **{role: name})
    assert not found.findings
    found.to_html()
