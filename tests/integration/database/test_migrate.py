from loanwatch.database import Database, migrate, pending


def test_migrating_twice_changes_nothing(database: Database):
    assert pending(database) == ()
    assert migrate(database) == ()
