"""The three perfect label leaks of the real data, each behind a switch."""

import numpy as np
from numpy.typing import NDArray

from loanwatch.errors import ContractError
from loanwatch.records import record
from loanwatch.simulator.batch import Batch
from loanwatch.simulator.population import Population
from loanwatch.simulator.relation import Relation

__all__ = ["Leaks"]


@record
class Leaks:
    """Which flaws of the records give the label away. By default none: an honest population.

    The share given stays what the population says: the other applicants are given less (or more) often.
    """

    missing_record: bool = False
    """No unambiguous customer record: always given."""
    sentinel_amount: bool = False
    """Loan amount 99,999,999: always given."""
    tenfold_score: bool = False
    """Credit score recorded tenfold: always refused."""

    @property
    def names(self) -> tuple[str, ...]:
        """The switches that are on."""
        return tuple(name for name, on in vars(self).items() if on)

    def check(self, population: Population) -> None:
        """Raise ContractError if the leaks decide more than the population's approval rate leaves room for."""
        if not 0 < self._rate_of_the_rest(population) < 1:
            raise ContractError(
                f"leaks {', '.join(self.names)}: approval rate {population.approval_rate} leaves nothing to decide"
            )

    def apply(
        self, batch: Batch, log_odds: NDArray[np.float64], *, relation: Relation, population: Population
    ) -> NDArray[np.float64]:
        """Return the log-odds with the leaks: infinite where a flaw decides."""
        if not self.names:
            return log_odds
        given = np.zeros(batch.rows, dtype=np.bool_)
        given |= batch.ambiguous & self.missing_record
        given |= batch.sentinel & self.sentinel_amount
        refused = batch.tenfold & self.tenfold_score
        rest = log_odds + relation.recentred({}, rate=self._rate_of_the_rest(population))
        return np.where(given, np.inf, np.where(refused, -np.inf, rest))

    def _rate_of_the_rest(self, population: Population) -> float:
        honest_given = (1 - population.ambiguous_share * self.missing_record) * (
            1 - population.sentinel_share * self.sentinel_amount
        )
        scored = (1 - population.ambiguous_share) * (1 - population.income_score_missing)
        refused = scored * population.tenfold_share * self.tenfold_score
        return (population.approval_rate - (1 - honest_given)) / (honest_given - refused)
