"""Which release of the program this is."""

from functools import cache


@cache
def release() -> str:
    """As the distribution says: ``1.4.0``."""
    from importlib.metadata import version  # noqa: PLC0415 - asked for once, away from the start

    return version("evertill")
