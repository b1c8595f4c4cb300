"""What is wrong with the rows of the current table, and not with the reference's."""

import numpy as np
import polars as pl
import pytest

import loanwatch
from loanwatch.monitoring import Severity, Status

ROWS = 3_000
WORD = "0#0"
DAY = np.timedelta64(86_400_000_000, "us")


def table(seed, rows=ROWS, **more):
    rng = np.random.default_rng(seed)
    income = rng.lognormal(11, 0.5, rows)
    return pl.DataFrame(
        {
            "loan_id": [f"L-{seed}-{i}" for i in range(rows)],
            "income": income,
            "debt": rng.lognormal(7, 0.7, rows),
            "town": rng.choice(["rome", "oslo", "lima"], rows),
            "paid": rng.random(rows) < 0.8,
            **more,
        }
    )


def found(current, reference=None, **options):
    compared = loanwatch.compare(table(0) if reference is None else reference, current, **options)
    return {f.check.removeprefix("data_quality."): f for f in compared.reports["data_quality"].findings}, compared


def test_sound_rows_have_no_findings():
    findings, compared = found(table(1), label="paid")
    assert not findings
    assert compared.reports["data_quality"].status is Status.PASS
    assert not compared.drifted


@pytest.mark.parametrize(("share", "told"), [(0.0, set()), (0.0004, set()), (0.03, {"unreadable"})])
def test_values_that_can_no_longer_be_read_are_named(share, told):
    def amounts(seed, broken):
        rng = np.random.default_rng(seed)
        amount = rng.lognormal(7, 0.7, ROWS).round(2).astype(str)
        amount[rng.random(ROWS) < broken] = WORD
        return table(seed, amount=amount)

    findings, _ = found(amounts(2, share), amounts(1, 0.0))
    assert {name for name, f in findings.items() if f.subject == "amount"} - {"missing"} == told
    assert not told or "cannot be read, in " in findings["unreadable"].sentence
    findings, _ = found(amounts(3, share), amounts(4, share))
    assert not findings


def dated(seed, first, *, without=()):
    days = pl.Series("at", np.datetime64(first, "us") + np.sort(np.random.default_rng(seed).uniform(0, 30, ROWS)) * DAY)
    frame = table(seed).with_columns(days)
    return frame.filter(~pl.col("at").dt.day().is_in(without))


def test_days_without_rows_and_times_after_now_are_notices():
    findings, compared = found(dated(1, "2024-04-01", without=[11, 12, 13]), dated(0, "2024-03-01"), time="at")
    assert "from 11 April 2024 to 13 April 2024 (3 days), where about" in findings["gap"].sentence
    assert not compared.drifted
    findings, compared = found(dated(1, "2034-04-01"), dated(0, "2024-03-01"), time="at")
    assert (findings["future_time"].severity, compared.drifted) == (Severity.LOW, False)
    for reference in (dated(0, "2034-03-01"), dated(0, "2034-03-01", without=range(3, 12))):
        findings, _ = found(dated(1, "2034-04-01", without=[11, 12, 13]), reference, time="at")
        assert set(findings) == ({"gap"} if reference.height == ROWS else set())


def test_a_unit_that_changed_is_named_with_its_factor():
    current = table(1).with_columns(pl.col("debt") * 12)
    findings, _ = found(current)
    assert findings["unit_change"].subject == "debt"
    assert findings["unit_change"].details["factor"] == 12.0


def test_a_table_delivered_twice_holds_copies():
    current = table(1)
    findings, _ = found(pl.concat([current, current]))
    assert findings["duplicate_rows"].severity is Severity.HIGH
    assert findings["duplicate_rows"].details["rows"] == ROWS
    assert findings["duplicate_ids"].subject == "loan_id"


def test_rows_that_coincide_by_chance_are_no_copies():
    few = [pl.DataFrame({"town": np.random.default_rng(s).choice(list("abc"), n)}) for s, n in ((0, 900), (1, 2_700))]
    findings, _ = found(few[1], few[0])
    assert not findings


def test_copies_in_both_tables_are_a_limitation_unless_rows_coincide_by_chance():
    twice = [pl.concat([table(s).drop("loan_id")] * 2) for s in (0, 1)]
    findings, compared = found(twice[1], twice[0])
    assert "duplicate_rows" not in findings
    told = [line for line in compared.reports["data_quality"].limitations if "exact copies" in line]
    assert len(told) == 1
    assert told[0].startswith("50 % of the reference's rows and 50 % of the current table's")
    for few in (table(1), table(1).select("town"), pl.concat([table(1), table(1)[:100]]).drop("loan_id")):
        other = few if few.width == 1 else table(0)
        assert not any("exact copies" in line for line in found(few, other)[1].reports["data_quality"].limitations)


@pytest.mark.parametrize("kept", [300, 2_000, 10_000])
def test_categories_too_many_to_count_are_told_apart_by_a_sample_of_them(kept):
    rng = np.random.default_rng(kept)

    def towns(prefix, low=0):
        return pl.DataFrame({"town": [f"{prefix}{i}" for i in rng.integers(low, low + kept, 20_000)]})

    def drift(current):
        return loanwatch.compare(towns("k"), current).reports["data_drift"]

    for current, share in ((towns("j"), 1.0), (towns("k", kept // 2), 0.5)):
        report = drift(current)
        assert report.severity is Severity.HIGH
        measured = {m.name: m.value for m in report.measurements["town"]}
        assert measured["unseen_share"] == pytest.approx(share, abs=0.2)
        assert "the reference never held" in report.findings[0].sentence
    assert drift(towns("k")).severity is Severity.NONE


@pytest.mark.parametrize("kept", [300, 1_000, 3_000])
def test_categories_too_many_to_count_that_vanished_are_missed(kept):
    rng = np.random.default_rng(kept)

    def branches(rows, step):
        return pl.DataFrame({"branch": [f"B{i:05d}" for i in rng.integers(0, kept // step, rows) * step]})

    reference = branches(12_000, 1)
    report = loanwatch.compare(reference, branches(6_000, 2)).reports["data_drift"]
    assert report.severity is Severity.HIGH
    assert "among categories that are too many to count" in report.findings[0].sentence
    assert all(loanwatch.compare(reference, branches(6_000, 1)).findings == () for _ in range(10))


def test_what_the_reference_shows_as_well_is_no_finding():
    both = [table(s).with_columns(country=pl.lit("it")) for s in (0, 1)]
    assert not found(both[1], both[0])[0]
    stuck = both[1].with_columns(income=pl.lit(5.0))
    assert found(stuck, both[0])[0]["constant"].subject == "income"


@pytest.mark.parametrize("side", ["current", "reference"])
def test_a_leak_is_found_on_either_side_with_a_label(side):
    tables = {"reference": table(0), "current": table(1)}
    whole = tables[side]
    leaking = pl.Series(np.random.default_rng(5).random(ROWS) < 0.1)
    tables[side] = whole.with_columns(
        town=pl.when(leaking).then(pl.lit("closed")).otherwise("town"),
        paid=pl.when(leaking).then(False).otherwise("paid"),
    )
    findings, compared = found(tables["current"], tables["reference"], label="paid")
    assert findings["leakage"].subject == "town"
    assert findings["leakage"].details["rows"] == int(leaking.sum())
    assert findings["leakage"].sentence.startswith("In the reference: ") == (side == "reference")
    assert compared.drifted
    blamed = "reference" if side == "reference" else "current table"
    assert f"The {blamed} cannot be trusted" in compared.to_html()


def test_values_that_vanished_are_told():
    findings, _ = found(table(1).with_columns(debt=pl.when(pl.arange(ROWS) % 3 == 0).then("debt")))
    assert findings["missing"].subject == "debt"
    assert findings["missing"].severity is Severity.HIGH


def test_a_new_category_has_a_bar_of_its_own():
    before, now = (pl.DataFrame({"purpose": ["car", "house"] * 500 + extra}) for extra in ([], ["crypto"] * 150))
    details = loanwatch.compare(before, now).reports["data_drift"].details["columns"]["purpose"]
    shown = {row["name"]: row["current"] for row in details["categories"]}
    assert shown["crypto"] == pytest.approx(150 / 1150)


def spoilt(column, values, share, seed=3):
    """A second table with some values of a column replaced, scored before that happened."""
    chosen = pl.Series(np.random.default_rng(seed).random(1_500) < share)
    return table(seed, 1_500).with_columns(pl.when(chosen).then(values).otherwise(pl.col(column)).alias(column))


@pytest.mark.parametrize(("share", "severity"), [(0.05, Severity.LOW), (0.15, Severity.MEDIUM), (0.4, Severity.HIGH)])
def test_one_number_beyond_the_reference_again_and_again_is_a_code(share, severity):
    findings, _ = found(spoilt("income", pl.lit(-5.0), share), table(0, 6_000))
    assert (findings["foreign_value"].subject, findings["foreign_value"].severity) == ("income", severity)
    assert "-5 in" in findings["foreign_value"].sentence


def test_values_beyond_the_reference_that_differ_are_no_code():
    further = pl.col("income") * 40 + pl.int_range(pl.len()) % 977
    assert "foreign_value" not in found(spoilt("income", further, 0.3), table(0, 6_000))[0]
    assert "foreign_value" not in found(table(1, 1_500), table(0, 6_000))[0]


def test_categories_in_another_spelling_are_told_and_new_ones_are_not():
    findings, _ = found(spoilt("town", pl.col("town").str.to_uppercase() + " ", 0.4), table(0, 6_000))
    assert (findings["other_spelling"].subject, findings["other_spelling"].severity) == ("town", Severity.HIGH)
    assert "the spelling changed, not the applicants" in findings["other_spelling"].sentence
    assert "other_spelling" not in found(spoilt("town", pl.lit("atlantis"), 0.4), table(0, 6_000))[0]


def test_a_number_that_is_suddenly_frequent_is_a_default_or_a_stuck_feed():
    usual = float(table(0, 6_000)["income"].median())
    findings, _ = found(spoilt("income", pl.lit(usual), 0.5), table(0, 6_000))
    assert (findings["spike"].subject, findings["spike"].severity) == ("income", Severity.HIGH)
    zeros = [table(s).with_columns(income=np.random.default_rng(s).poisson(m, ROWS)) for s, m in ((0, 0.5), (1, 0.1))]
    assert "spike" not in found(zeros[1], zeros[0])[0]


def test_rows_of_the_reference_in_the_current_table_are_a_limitation():
    reference = table(0)
    for current, told in ((reference.tail(900), True), (pl.concat([reference.tail(300), table(1, 900)]), False)):
        _, compared = found(current, reference)
        lines = compared.reports["data_quality"].limitations
        assert any("stand in the reference as well" in line for line in lines) == told
        assert not compared.drifted
