"""Times as the tables keep them."""

from datetime import UTC, datetime


def format_time(at: datetime) -> str:
    """RFC 3339 in UTC with milliseconds: of one width, so it sorts as text."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def parse_time(text: str) -> datetime:
    """Read a time back."""
    return datetime.fromisoformat(text)
