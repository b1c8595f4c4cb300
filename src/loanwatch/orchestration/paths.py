"""Which tasks follow, from what a stage recorded; the names are those of the tasks of `ml_pipeline_monitoring`."""

from collections.abc import Mapping
from typing import Any

__all__ = ["after_comparison", "after_data_quality", "after_decision"]

_ENDINGS = {
    "halt": "halted",
    "notice": "notice",
    "none": "nothing_to_do",
    "train_first": "training_data",
    "retrain": "training_data",
}


def after_data_quality(result: Mapping[str, Any]) -> list[str]:
    """Go on; and tell at once when the data are not fit to judge or train a model.

    The other checks are done all the same: what they find in a broken window helps to mend it.
    """
    from loanwatch.monitoring import CheckReport, halt_reasons

    halts = halt_reasons(CheckReport.from_dict(result["report"]))
    return ["preprocess", "data_quality_alert"] if halts else ["preprocess"]


def after_decision(result: Mapping[str, Any]) -> list[str]:
    """Train, or end without training; and tell what the checks found.

    >>> after_decision({"action": "notice", "alerts": ["data_drift"]})
    ['notice', 'data_drift_alert']
    """
    return [_ENDINGS[result["action"]], *(f"{event}_alert" for event in result["alerts"])]


def after_comparison(result: Mapping[str, Any], *, approval: bool) -> list[str]:
    """Deploy the challenger, with a person's approval where that is asked for, or keep the deployed model.

    >>> after_comparison({"promote": True}, approval=True)
    ['approve']
    """
    if not result["promote"]:
        return ["keep_champion"]
    return ["approve"] if approval else ["deploy"]
