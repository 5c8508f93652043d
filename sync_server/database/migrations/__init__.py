"""Alembic migrations; imported only when a schema is made or upgraded."""
