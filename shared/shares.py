"""Exact splitting of integers: shares that always sum to the total."""

from collections.abc import Sequence

from shared.money import divide_rounded


def largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """Split ``total`` over ``weights`` so that the parts sum to it exactly.

    Each part is its exact share rounded towards zero, and the units left over go to the largest
    remainders, earlier positions first. Weights are not negative; where all are zero the first
    position takes everything. Negative totals split as their positive mirror.
    """
    assert weights
    assert min(weights) >= 0
    if total < 0:
        return [-part for part in largest_remainder(-total, weights)]
    whole = sum(weights)
    if total == whole:
        return list(weights)
    if whole == 0:
        return [total, *[0] * (len(weights) - 1)]
    products = [total * weight for weight in weights]
    parts = [product // whole for product in products]
    if left := total - sum(parts):
        remainders = [product % whole for product in products]
        # Sorting in reverse keeps equal ones in their order.
        largest = sorted(range(len(weights)), key=remainders.__getitem__, reverse=True)
        for index in largest[:left]:
            parts[index] += 1
    return parts


def cumulative_share(share: int, done_before: int, doing: int, of: int) -> int:
    """What the next ``doing`` of ``of`` units give back of ``share`` after ``done_before`` units.

    ``round(share × k / n)`` after each step, the step being the difference, so any sequence of
    partial returns sums to the original and their order does not matter.
    """
    assert 0 <= done_before <= done_before + doing <= of
    after = divide_rounded(share * (done_before + doing), of)
    return after - divide_rounded(share * done_before, of)
