"""Labels that contradict each other, and words that are no label."""

import numpy as np
import polars as pl

from loanwatch.errors import shorten
from loanwatch.monitoring.data_quality.inspection import Inspection, Outcome
from loanwatch.monitoring.data_quality.wording import count, percent
from loanwatch.monitoring.result import Finding, Measurement, Severity

__all__ = ["check_conflicting_labels", "check_label_words"]

MATERIAL_CONFLICT = 0.05
"""Share of comparable rows from which contradicting labels cap what any model can reach."""

KNOWN_SHARE = 0.5
"""Rows with fewer of the predictors known are alike because nothing is known of them, not because they are."""

DISTINCT_SHARE = 0.5
"""Where fewer than half of the comparable rows are distinct, rows coincide by chance and are not compared."""


def check_conflicting_labels(inspection: Inspection) -> Outcome:
    """Return a finding if applications with the same predictors have different labels."""
    names = [c.name for c in inspection.predictors]
    known = pl.sum_horizontal(pl.col(n).is_not_null() for n in names) >= max(1.0, KNOWN_SHARE * len(names))
    # No column of any table has names with a NUL in front.
    labelled = inspection.frame.select(*names, known.alias("\0known")).with_columns(
        pl.Series("\0label", inspection.label, nan_to_null=True)
    )
    comparable = labelled.filter(pl.col("\0known") & pl.col("\0label").is_not_null())
    if comparable.height == 0:
        return Outcome(limitations=("Contradicting labels were not looked for: no labelled row can be compared.",))
    groups = comparable.group_by(names).agg(pl.len().alias("\0rows"), pl.col("\0label").n_unique().alias("\0labels"))
    conflicting = int(groups.filter(pl.col("\0labels") > 1)["\0rows"].sum())
    share = Measurement(
        name="conflicting_label_rate", value=conflicting / comparable.height, n_current=comparable.height
    )
    by_chance = groups.height < DISTINCT_SHARE * comparable.height
    finding = None if conflicting == 0 or by_chance else _conflict(conflicting, share)
    return Outcome(findings=(finding,) if finding else (), measurements={"label": (share,)})


def check_label_words(inspection: Inspection) -> Outcome:
    """Return a finding if the label column holds other words than the contract's two."""
    label = inspection.contract.label
    if label.column not in inspection.frame.columns:
        return Outcome()
    unknown = np.isnan(inspection.label)
    words = inspection.frame[label.column].cast(pl.String).filter(pl.Series(unknown)).drop_nulls()
    if words.is_empty():
        return Outcome()
    counts = words.value_counts(sort=True, name="\0rows")
    named = ", ".join(f"“{shorten(word, 40)}”" for word in counts[label.column].head(3).to_list())
    share = Measurement(name="unknown_label_rate", value=len(words) / inspection.rows, n_current=inspection.rows)
    finding = Finding(
        check="data_quality.label_words",
        subject=label.column,
        severity=_word_severity(share.value),
        sentence=(
            f"{count(len(words), 'label')} ({percent(share.value)} of the rows) are neither “{label.positive}” nor "
            f"“{label.negative}”: {named}. These rows count as not labelled."
        ),
        measurements=(share,),
        details={"rows": len(words), "words": [shorten(w, 40) for w in counts[label.column].head(10).to_list()]},
    )
    return Outcome(findings=(finding,))


def _conflict(rows: int, share: Measurement) -> Finding:
    return Finding(
        check="data_quality.conflicting_labels",
        subject="label",
        severity=Severity.MEDIUM if share.value >= MATERIAL_CONFLICT else Severity.LOW,
        sentence=(
            f"{count(rows, 'application')} ({percent(share.value)}) have a twin with the same predictors and the other "
            "label. No model can be right on both."
        ),
        measurements=(share,),
        details={"rows": rows},
    )


def _word_severity(share: float) -> Severity:
    if share >= 0.2:
        return Severity.HIGH
    return Severity.MEDIUM if share >= 0.01 else Severity.LOW
