"""What an application looks like: the one place that names columns."""

from loanwatch.contract.loader import contract_values, default_contract, load_contract, parse_contract
from loanwatch.contract.model import (
    Audit,
    CalendarPart,
    Column,
    Contract,
    Encoding,
    Engineered,
    Keys,
    Kind,
    Label,
    Policy,
    Preprocessing,
    Reason,
    Table,
    TimeColumn,
    Training,
)

__all__ = [
    "Audit",
    "CalendarPart",
    "Column",
    "Contract",
    "Encoding",
    "Engineered",
    "Keys",
    "Kind",
    "Label",
    "Policy",
    "Preprocessing",
    "Reason",
    "Table",
    "TimeColumn",
    "Training",
    "contract_values",
    "default_contract",
    "load_contract",
    "parse_contract",
]
