"""Every compared column is found on the page, with the figures that the report recorded."""

import numpy as np
import polars as pl

from loanwatch.comparison import compare
from loanwatch.monitoring import CheckReport, Finding, Measurement, Severity, Status
from loanwatch.reports.columns import MAXIMUM_COLUMNS, columns_of


def report(psi: dict[str, float], severities: dict[str, Severity]) -> CheckReport:
    return CheckReport(
        check="data_drift",
        status=Status.PASS,
        summary="",
        findings=tuple(
            Finding(check="data_drift.univariate", subject=name, severity=severity, sentence="It moved.")
            for name, severity in severities.items()
        ),
        measurements={
            "domain_classifier": (Measurement(name="domain_auc", value=0.5),),
            **{
                name: (
                    Measurement(name="psi", value=value, p_value=0.2),
                    Measurement(name="missing_rate_change", value=0.05),
                )
                for name, value in psi.items()
            },
        },
    )


def test_the_worst_stands_first_then_the_farthest() -> None:
    table = columns_of(
        report({"a": 0.01, "b": 0.3, "c": float("nan"), "d": 0.05}, {"d": Severity.HIGH, "a": Severity.LOW}),
        {"a": "annual_income"},
    )
    assert table is not None
    assert [row.title for row in table.rows] == ["D", "Annual income", "B", "C"]
    assert [row.badge.word for row in table.rows] == ["Serious", "Notice", "Pass", "Pass"]
    assert [row.psi for row in table.rows] == ["0.050", "0.010", "0.300", "–"]
    assert (table.rows[0].chance, table.rows[0].missing, table.more) == ("p = 0.200", "+5.0 points", 0)


def test_without_columns_there_is_no_table() -> None:
    assert columns_of(None, {}) is None
    assert columns_of(report({}, {}), {}) is None


def test_a_wide_table_is_cut_and_counted() -> None:
    table = columns_of(report({f"x{i}": i / 1_000 for i in range(400)}, {}), {})
    assert table is not None
    assert (len(table.rows), table.more) == (MAXIMUM_COLUMNS, 400 - MAXIMUM_COLUMNS)
    assert table.rows[0].title == "X399"


def test_the_page_names_columns_that_did_not_move_and_escapes_them() -> None:
    rng = np.random.default_rng(0)
    before, after = ({"calm": rng.normal(size=500), "<b>bold</b>": rng.normal(size=500)} for _ in range(2))
    page = compare(pl.DataFrame(before), pl.DataFrame(after)).to_html()
    assert "2 columns were compared" in page
    assert '<th scope="row">Calm</th>' in page
    assert "<b>bold" not in page.lower()
