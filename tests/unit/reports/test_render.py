"""The page itself: whole, safe, small, and usable without a mouse, a script or a network."""

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from loanwatch.monitoring import CheckReport, Finding, Measurement, Severity, Status
from loanwatch.reports import CandidateFigures, Headline, HistoryPoint, ModelFigures, render_run_report
from loanwatch.reports.comparison import ComparisonSummary, render_comparison

VOID = {"meta", "link", "br", "rect", "line", "path", "circle", "img", "hr", "input"}


class Reader(HTMLParser):
    """Checks that tags nest, and collects ids, references and texts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.ids: list[str] = []
        self.references: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.headings: list[int] = []

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        for name, value in attrs:
            self.attributes.append((name, value or ""))
            if name == "id":
                self.ids.append(value)
            elif name in ("aria-labelledby", "aria-describedby"):
                self.references |= set(value.split())
            elif name == "href":
                assert value.startswith("#"), f"the page must not lead to {value}"
                self.references.add(value[1:])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


@pytest.fixture(params=["minimal", "full"])
def any_summary(request):
    return request.getfixturevalue(request.param)


def test_tags_nest_ids_are_unique_and_every_reference_leads_somewhere(any_summary):
    reader = read(render_run_report(any_summary))
    assert [name for name, times in Counter(reader.ids).items() if times > 1] == []
    assert reader.references <= set(reader.ids)


def test_the_page_needs_no_script_and_no_network(any_summary):
    page = render_run_report(any_summary)
    reader = read(page)
    assert reader.tags["script"] == reader.tags["link"] == reader.tags["img"] == reader.tags["iframe"] == 0
    assert not [a for a in reader.attributes if a[0].startswith("on") or a[0] == "src"]
    assert "url(" not in page
    assert "@import" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_the_page_can_be_walked_by_ear_and_by_keyboard(full):
    page = render_run_report(full)
    reader = read(page)
    assert '<html lang="en">' in page
    assert reader.tags["main"] == reader.tags["h1"] == 1
    assert reader.tags["caption"] == reader.tags["table"] > 4
    assert all(later - earlier <= 1 for earlier, later in zip(reader.headings, reader.headings[1:], strict=False))
    assert page.count('role="img"') == reader.tags["svg"] == page.count("<desc")
    assert page.count('class="scroll"') == page.count('tabindex="0"')


def test_light_dark_print_and_phone_are_thought_of(minimal):
    page = render_run_report(minimal)
    for words in ("prefers-color-scheme: dark", "@media print", "max-width: 40rem", "width=device-width"):
        assert words in page


def test_every_part_of_the_summary_is_on_the_page(full):
    page = render_run_report(full)
    for words in (
        "Something moved, and the model still fits",
        "Annual income moved.",
        "0.751 to 0.791",
        "PSI 0.130 (p &lt; 0.001)",
        "Volume was not compared.",
        "41 held-out applications",
        "random forest",
        "ab" * 32,
        "1,651 applications",
        "27 April 2015",
    ):
        assert words in page, words


@pytest.fixture
def two_tables(full):
    windows = [
        {"window": f"2024-0{at}-01", "table": "current", "auc": 0.7, "lower": 0.6, "upper": 0.8, "estimate": 0.75}
        for at in range(1, 6)
    ]
    segment = {"subject": "annual_income", "name": "above 9", "rows": 9, "auc": 0.6, "auc_reference": 0.7}
    details = {"windows": windows, "segments": [segment]}
    return ComparisonSummary(
        reference="january.csv",
        current="february.csv",
        reference_rows=5_000,
        current_rows=4_000,
        reports={
            "columns": replace(full.concept_drift, check="columns"),
            "data_quality": full.data_quality,
            "data_drift": full.data_drift,
            "model_drift": replace(full.model_drift, details=details),
            "concept_drift": full.concept_drift,
        },
        limitations=tuple(f"{name} is not compared." for name in "abcdefghijkl"),
        column_titles=full.column_titles,
        cause={
            "sentence": "Features moved (annual income).",
            "measurements": [{"name": "loss_from_features", "value": -0.0031, "lower": -0.005, "upper": -0.001}],
            "features": {"annual_income": {"value": -0.0031}},
        },
    )


def test_the_page_of_two_tables_is_as_sound_as_that_of_a_run(two_tables):
    page = render_comparison(two_tables)
    reader = read(page)
    assert [name for name, times in Counter(reader.ids).items() if times > 1] == []
    assert reader.references <= set(reader.ids)
    assert reader.tags["main"] == reader.tags["h1"] == 1
    assert reader.tags["caption"] == reader.tags["table"] > 4
    assert all(later - earlier <= 1 for earlier, later in zip(reader.headings, reader.headings[1:], strict=False))
    assert page.count('role="img"') == reader.tags["svg"] == page.count("<desc")
    assert reader.tags["script"] == reader.tags["link"] == reader.tags["img"] == 0
    assert "default-src 'none'" in page
    assert page.count("<th ") == page.count('scope="')


def test_the_page_of_two_tables_holds_every_part(two_tables):
    page = render_comparison(two_tables)
    for words in (
        "Does it matter?",
        "What shall I do?",
        "Annual income moved.",
        "With what moves along, it changes the Brier score by −0.0031.",
        "From moved features",
        "−0.0050 to −0.0010",
        "AUC of the scores by window",
        "2024-05-01 (current)",
        "Segments that lost most",
        "And 4 more.",
    ):
        assert words in page, words


HOSTILE = "\"><script>alert(1)</script>'& \x00\x1b\ud800 {{ 7 * 7 }} {% raw %}"


def hostile_summary(summary, text):
    finding = Finding(
        check=text,
        subject=text,
        severity=Severity.HIGH,
        sentence=text,
        measurements=(Measurement(name=text, value=1.0),),
        details={
            "categories": [{"name": text, "reference": 0.5, "current": 0.5}],
            "missing_rate": {"reference": 0.1, "current": 0.1},
            "absent": {text: {"reference": 1, "current": 2}},
        },
    )
    report = CheckReport(
        check=text,
        status=Status.FAIL,
        summary=text,
        findings=(finding,) * 500,
        limitations=(text,) * 100,
        measurements={"dataset": tuple(Measurement(name=f"{i}{text}", value=1.0) for i in range(200))},
    )
    distinct = tuple(replace(finding, subject=f"{i}{text}") for i in range(300))
    figures = ModelFigures(name=text, version=text, algorithm=text, digest=text, training_window=(text, text))
    return replace(
        summary,
        run_id=text,
        title=text,
        outcome=text,
        headline=Headline(happened=text, matters=text, advice=text),
        champion=figures,
        new_model=figures,
        reasons=(text,) * 100,
        data_quality=report,
        data_drift=replace(report, findings=distinct),
        concept_drift=report,
        model_drift=report,
        candidates=(CandidateFigures(name=text, chosen=True, test=report.measurements["dataset"], reason=text),) * 50,
        comparison={"reason": text, "measurements": [{"name": text, "value": 1.0}], "swap_set": {}},
        history=tuple(HistoryPoint(window=text, auc=0.7, lower=0.6, upper=0.8) for _ in range(1000)),
        code_version=text,
    )


def test_nothing_from_data_becomes_markup_or_template(minimal):
    page = render_run_report(hostile_summary(minimal, HOSTILE))
    reader = read(page)
    assert reader.tags["script"] == 0
    assert "<script>" not in page
    assert "{{ 7 * 7 }}" in page
    page.encode("utf-8")


@pytest.mark.parametrize("text", ["é<" * 20_000, '"' * 50_000, "語" * 20_000])
def test_the_page_stays_small_whatever_the_data(minimal, text):
    page = render_run_report(hostile_summary(minimal, text))
    assert len(page.encode()) < 500_000
    read(page)


def test_the_same_summary_gives_the_same_page(full):
    assert render_run_report(full) == render_run_report(full)


def test_a_text_of_ten_megabytes_is_cut(full):
    page = render_run_report(replace(full, title="x" * 10_000_000, reasons=("y" * 10_000_000,)))
    assert len(page.encode()) < 100_000
