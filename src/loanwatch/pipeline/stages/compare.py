"""Choose among the candidates, hold the choice against the deployed model, register it."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from psycopg import Connection

from loanwatch import __version__
from loanwatch.alerts import Event
from loanwatch.contract import Contract
from loanwatch.features import Cleaned
from loanwatch.monitoring import Comparison, ScoredWindow, Severity, compare_champion
from loanwatch.monitoring.labels import label_numbers
from loanwatch.monitoring.profile import Profile, profile_window
from loanwatch.pipeline.bundle import DeployedModel, model_files
from loanwatch.pipeline.context import RunContext, moments_of, what_a_model_judges
from loanwatch.pipeline.stages.alert import open_run_alert
from loanwatch.pipeline.stages.train import load_candidate, relation_since, training_rows, training_split
from loanwatch.pipeline.steps import StepResult, StepStatus
from loanwatch.registry import register, save_artifact

if TYPE_CHECKING:
    from loanwatch.training import Candidate

__all__ = ["compare"]

_SMALLEST_CLASS = 30
"""Held-out rows of the rarer label below which an interval of the AUC difference says nothing."""


def compare(context: RunContext, connection: Connection[Any]) -> StepResult:
    """Register the best qualified candidate and say whether it should replace the deployed model."""
    from loanwatch.training import select  # noqa: PLC0415  (scikit-learn: no other stage waits for it)

    contract = context.contract
    candidates = [load_candidate(context, name) for name in contract.training.candidates]
    selection = select(candidates, contract.policy)
    reasons = dict(selection.reasons)
    if selection.winner is None:
        why = "No candidate qualified. " + " ".join(reasons.values())
        _tell_rejected(context, connection, why)
        return StepResult(
            status=StepStatus.FAIL, message=why, result={"promote": False, "reasons": reasons, "reason": why}
        )
    winner = selection.winner
    comparison = _against_champion(context, winner)
    promote = comparison is None or comparison.winner == "challenger"
    first = "First model" if context.run.champion_id is None else "First model under this contract"
    why = comparison.reason if comparison else f"{first}: {reasons[winner.name]}"
    digest = save_artifact(context.models, contract.name, model_files(_challenger(context, winner)))
    version = register(
        connection, name=contract.name, run_id=context.run.id, digest=digest, metadata=_metadata(context, winner)
    )
    if context.run.champion_id is not None:
        message = f"{version.title} was trained ({winner.name})."
        open_run_alert(context, connection, event=Event.RETRAINED, severity=Severity.LOW, message=message)
    if not promote:
        _tell_rejected(context, connection, why)
    return StepResult(
        status=StepStatus.PASS if promote else StepStatus.FAIL,
        message=why,
        result={
            "promote": promote,
            "winner": winner.name,
            "model_id": version.id,
            "version": version.version,
            "reason": why,
            "reasons": reasons,
            "comparison": comparison.to_dict() if comparison else None,
        },
    )


def _against_champion(context: RunContext, challenger: "Candidate") -> Comparison | None:
    """Hold both models against the same held-out rows."""
    if context.champion is None:
        return None
    test = training_split(context).test
    label = label_numbers(test, context.contract) == 1
    unseen = ~context.champion.was_fitted_to(moments_of(test, context.contract))
    if min(np.count_nonzero(label[unseen]), np.count_nonzero(~label[unseen])) < _SMALLEST_CLASS:
        unseen[:] = True  # what is left says nothing; the champion is favoured, and in doubt it stays
    return compare_champion(
        label=label[unseen],
        champion_probability=context.champion.scoring.score(test)[unseen],
        challenger_probability=challenger.test_probability[unseen],
        challenger_train_auc=challenger.train_auc,
        policy=context.contract.policy,
    )


def _challenger(context: RunContext, winner: "Candidate") -> DeployedModel:
    """Return the winner with the reference that later windows are compared with."""
    contract, rows = context.contract, training_rows(context)
    test = training_split(context).test
    holdout = ScoredWindow(
        frame=test.select(column.name for column in contract.monitored),
        label=label_numbers(test, contract),
        probability=winner.test_probability,
        time=moments_of(test, contract),
    )
    return DeployedModel.of(
        scoring=winner.model,
        reference=_reference(rows, test, winner, contract),
        holdout=holdout,
        card=_metadata(context, winner),
        contract=contract,
    )


def _reference(rows: Cleaned, test: pl.DataFrame, winner: "Candidate", contract: Contract) -> Profile:
    """Profile what the model learnt from; its scores from the hold-out alone, for those of training rows flatter it."""
    label = label_numbers(rows.frame, contract)
    profile = profile_window(rows.frame, contract, issues=rows.issues, label=label)
    return replace(profile, score=profile_window(test, contract, probability=winner.test_probability).score)


def _metadata(context: RunContext, winner: "Candidate") -> Mapping[str, Any]:
    data, since = context.result("training_data"), relation_since(context)
    return {
        "algorithm": winner.name,
        "parameters": dict(winner.parameters),
        "importance": dict(winner.feature_importance),
        "training_window": {"start": data["start"], "end": data["end"]},
        "train_metrics": {m.name: m.to_dict() for m in winner.train_metrics},
        "test_metrics": {m.name: m.to_dict() for m in winner.test_metrics},
        "preprocessing": asdict(context.contract.preprocessing),
        "leakage": context.contract.policy.leakage,
        "leaks": [leak.to_dict() for leak in context.leaks] if context.contract.policy.leakage == "exclude" else [],
        "relation_since": since.isoformat() if since else None,
        "judges": what_a_model_judges(context.contract),
        "code_version": __version__,
    }


def _tell_rejected(context: RunContext, connection: Connection[Any], why: str) -> None:
    open_run_alert(context, connection, event=Event.CHALLENGER_REJECTED, severity=Severity.MEDIUM, message=why)
