"""How often the search for segments speaks when nothing changed, and how often it finds one whose relation flipped.

    OPENBLAS_NUM_THREADS=1 python benchmarks/segments.py --pairs 60

A fresh hold-out and a fresh window each time; every fifth time a new gradient boosting. The planted segment is
`home improvements`, about one application in seventeen: there the order of the scores is turned round.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from concept_drift import CONTRACT, PAIRS_PER_MODEL, Scorer

from loanwatch.monitoring import CheckReport, ScoredWindow, Severity, performance

SIZES = ((15_000, 6_700), (1_320, 4_400), (15_000, 500))
TRAIN = 12_000
SEGMENT = "home improvements"


def flipped(window: ScoredWindow, seed: int) -> ScoredWindow:
    """Give the segment labels that follow the mirror image of its scores."""
    inside = (window.frame["purpose"] == SEGMENT).fill_null(value=False).to_numpy()
    score = window.probability[inside]
    mirrored = np.empty_like(score)
    order = np.argsort(score)
    mirrored[order] = score[order][::-1]
    label = window.label.copy()
    label[inside] = np.random.default_rng(seed).random(mirrored.size) < mirrored
    return replace(window, label=label)


def reports(hold_out: int, rows: int, *, pairs: int, planted: bool) -> Iterator[CheckReport]:
    seed = 77_000_000 + rows + planted
    for turn in range(pairs):
        if turn % PAIRS_PER_MODEL == 0:
            scorer = Scorer(TRAIN, seed + 30 * turn)
        reference = scorer.window(hold_out, seed + 30 * turn + 1)
        current = scorer.window(rows, seed + 30 * turn + 2)
        yield performance.check(reference, flipped(current, turn) if planted else current, CONTRACT)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=60)
    pairs = parser.parse_args().pairs
    print(f"{'hold-out':>9} {'window':>7} {'planted':>8} {'any':>7} {'medium':>7} {'named':>7} {'s':>6}")
    for hold_out, rows in SIZES:
        for planted in (False, True):
            began = time.perf_counter()
            found = [
                [f for f in report.findings if f.check == "model_drift.segment"]
                for report in reports(hold_out, rows, pairs=pairs, planted=planted)
            ]
            spoke = sum(bool(each) for each in found) / pairs
            medium = sum(any(f.severity >= Severity.MEDIUM for f in each) for each in found) / pairs
            named = sum(any(f.subject == "purpose" and SEGMENT in f.sentence for f in each) for each in found) / pairs
            seconds = (time.perf_counter() - began) / pairs
            print(
                f"{hold_out:>9,} {rows:>7,} {'yes' if planted else 'no':>8} {spoke:>7.1%} {medium:>7.1%} "
                f"{f'{named:.1%}' if planted else '–':>7} {seconds:>6.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
