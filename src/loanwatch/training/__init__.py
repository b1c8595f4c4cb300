"""Train candidates on the same rows, evaluate what will serve, choose."""

from loanwatch.training.candidate import Candidate, train_candidate
from loanwatch.training.export import node_covers, to_onnx
from loanwatch.training.selection import Selection, select
from loanwatch.training.split import Split, labels_of, split

__all__ = [
    "Candidate",
    "Selection",
    "Split",
    "labels_of",
    "node_covers",
    "select",
    "split",
    "to_onnx",
    "train_candidate",
]
