"""Alembic migrations of the till's database; imported only when a schema is old."""
