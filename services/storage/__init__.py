"""PostgreSQL: connections, errors by their kind, migrations. Must not know any table."""
