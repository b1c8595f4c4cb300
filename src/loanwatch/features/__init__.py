"""Clean, engineer, encode: the way from an application to the model's inputs."""

from loanwatch.features.cleaning import Cleaned, clean
from loanwatch.features.encoding import Input
from loanwatch.features.engineering import engineer, engineer_values
from loanwatch.features.plan import ISSUES
from loanwatch.features.preprocessor import Preprocessor
from loanwatch.features.rows import clean_values
from loanwatch.features.text import number_value, word_value

__all__ = [
    "ISSUES",
    "Cleaned",
    "Input",
    "Preprocessor",
    "clean",
    "clean_values",
    "engineer",
    "engineer_values",
    "number_value",
    "word_value",
]
