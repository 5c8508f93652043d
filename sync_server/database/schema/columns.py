"""Columns that many tables have, and what all tables belong to."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String

metadata = MetaData()


def shard() -> Column[int]:
    """Part of every key, so that tables can be distributed later."""
    return Column("shard", Integer, primary_key=True, autoincrement=False)


def key(name: str) -> Column[str]:
    """Text that is part of the key."""
    return Column(name, String, primary_key=True)


def number(name: str) -> Column[int]:
    """A number that is part of the key."""
    return Column(name, BigInteger, primary_key=True, autoincrement=False)


def text(name: str) -> Column[str]:
    """Text that is empty where nothing is known."""
    return Column(name, String, nullable=False, server_default="")


def required(name: str) -> Column[str]:
    """Text that is always told."""
    return Column(name, String, nullable=False)


def big(name: str) -> Column[int]:
    """A number that is always told."""
    return Column(name, BigInteger, nullable=False)


def raw(name: str) -> Column[bytes]:
    """Bytes that are always there."""
    return Column(name, LargeBinary, nullable=False)
