"""Points, growth and other loyalty units: integers of the programme's smallest unit."""

from shared.money import format_decimal

POINT_DECIMALS_MAX = 2


def format_points(points: int, decimals: int) -> str:
    """Write points of a programme with ``decimals`` decimals (0 to 2): ``1,284`` or ``2.30``."""
    assert 0 <= decimals <= POINT_DECIMALS_MAX
    return format_decimal(points, decimals)
