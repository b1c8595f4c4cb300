"""What a model decided when it was asked, for those who judge it later."""

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from loanwatch.database import sql

__all__ = ["logged_probabilities"]


def logged_probabilities(
    connection: Connection[Any], *, model_id: int, application_ids: Sequence[str]
) -> dict[str, float]:
    """Return the probability that a model last gave to each application that it was asked about.

    Parameters
    ----------
    model_id : int
        Row of the model; what other versions decided does not count.
    application_ids : sequence of str
        As `features.clean` leaves them.

    Returns
    -------
    dict
        Application → calibrated probability in (0, 1); without the applications that the model never saw.
    """
    values = {"model_id": model_id, "application_ids": list(application_ids)}
    return dict(connection.execute(sql("prediction_logged"), values).fetchall())
