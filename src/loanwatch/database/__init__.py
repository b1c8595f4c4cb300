"""The user's PostgreSQL, or the embedded one: connections, migrations, and statements kept in `.sql` files."""

from loanwatch.database.connection import Database, open_database, sql
from loanwatch.database.embedded import EmbeddedServer, ServerStatus
from loanwatch.database.explain import explained
from loanwatch.database.migrate import Migration, migrate, migrations, pending

__all__ = [
    "Database",
    "EmbeddedServer",
    "Migration",
    "ServerStatus",
    "explained",
    "migrate",
    "migrations",
    "open_database",
    "pending",
    "sql",
]
