"""Which candidate goes on: those that pass the thresholds, and of them the best."""

from collections.abc import Mapping, Sequence

from loanwatch.contract import Policy
from loanwatch.records import record
from loanwatch.training.candidate import Candidate

__all__ = ["Selection", "select"]


@record
class Selection:
    """The candidate that goes on, and a sentence for each of them."""

    winner: Candidate | None
    """None where no candidate qualifies."""
    reasons: Mapping[str, str]
    """Candidate name → why it was or was not chosen."""


def select(candidates: Sequence[Candidate], policy: Policy) -> Selection:
    """Choose the best of the candidates that qualify.

    A candidate qualifies with a test AUC of at least `policy.minimum_auc` and a training AUC at most
    `policy.maximum_degradation` above it. The best has the highest test AUC; of equals, the lowest Brier score.

    Parameters
    ----------
    candidates : sequence of Candidate
        Trained on the same split, with different names.
    policy : Policy
        The thresholds.
    """
    shortfalls = {candidate.name: _shortfall(candidate, policy) for candidate in candidates}
    qualified = [candidate for candidate in candidates if shortfalls[candidate.name] is None]
    winner = max(qualified, key=lambda each: (each.test_auc, -each.test_brier), default=None)
    return Selection(
        winner=winner,
        reasons={each.name: shortfalls[each.name] or _standing(each, winner) for each in candidates},
    )


def _shortfall(candidate: Candidate, policy: Policy) -> str | None:
    """Return why the candidate does not qualify, None where it does; an AUC that is nan never does."""
    title, test, train = _title(candidate), candidate.test_auc, candidate.train_auc
    if not test >= policy.minimum_auc:
        return f"{title} does not qualify: its test AUC {test:.3f} is below {policy.minimum_auc:g}."
    if not train - test <= policy.maximum_degradation:
        return (
            f"{title} does not qualify: its AUC falls by {train - test:.3f} from training ({train:.3f}) to test "
            f"({test:.3f}), more than {policy.maximum_degradation:g}."
        )
    return None


def _standing(candidate: Candidate, winner: Candidate | None) -> str:
    title, test = _title(candidate), candidate.test_auc
    if winner is None or candidate is winner:
        fall = candidate.train_auc - test
        return f"{title} is chosen: the best test AUC of those that qualify, {test:.3f}, {fall:.3f} below training."
    if test == winner.test_auc:
        return f"{title} qualifies with the same test AUC, {test:.3f}, but a Brier score of {candidate.test_brier:.4f}."
    return f"{title} qualifies with a test AUC of {test:.3f}, but {_title(winner)} reaches {winner.test_auc:.3f}."


def _title(candidate: Candidate) -> str:
    return candidate.name.replace("_", " ")
