"""How a run can end."""

from enum import StrEnum

__all__ = ["Outcome"]


class Outcome(StrEnum):
    """The ending of a run, as the database and the reports name it."""

    DEPLOYED = "deployed"
    """The first model went online."""
    NO_CHANGE = "no_change"
    """Nothing is wrong, nothing was done."""
    NOTICE = "notice"
    """Something moved but the model is still good; nothing was done."""
    RETRAINED = "retrained"
    """A challenger replaced the deployed model."""
    CHALLENGER_REJECTED = "challenger_rejected"
    """New models were trained, none was good enough to go online."""
    HALTED = "halted"
    """The data are not fit to judge or train a model."""
    FAILED = "failed"
    """The run could not be completed; asking for it again continues it."""
