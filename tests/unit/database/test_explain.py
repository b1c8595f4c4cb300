import pytest

from loanwatch.database.explain import connection_error, statement_error
from loanwatch.errors import DatabaseError, DatabaseUnavailableError, SourceError


@pytest.mark.parametrize(
    ("state", "text", "kind"),
    [
        ("42P01", 'relation "loans" does not exist', SourceError),
        ("42P01", 'relation "loanwatch.run" does not exist', DatabaseError),
        ("42501", "permission denied for table loans", SourceError),
        ("53100", "could not extend file: No space left on device", DatabaseUnavailableError),
        ("57P01", "terminating connection due to administrator command", DatabaseUnavailableError),
        ("", "server closed the connection unexpectedly", DatabaseUnavailableError),
        ("23505", "duplicate key value violates unique constraint", DatabaseError),
    ],
)
def test_the_kind_of_an_error_follows_from_its_state(state, text, kind):
    assert type(statement_error(state, text)) is kind


def test_a_message_of_many_lines_becomes_one():
    raised = (
        'connection failed: connection to server at "x", port 1 failed: Connection refused\n\tIs the server running?'
    )
    message = str(connection_error(OSError(raised), "host x"))
    advice = "is the server running, and are host and port right?"
    assert message == f"the database cannot be reached: Connection refused (host x); {advice}"


def test_only_what_a_later_call_may_cure_is_retryable():
    assert connection_error(OSError("FATAL: the database system is starting up"), "a").retryable
    assert not connection_error(OSError('FATAL: role "x" does not exist'), "a").retryable
