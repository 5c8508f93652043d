"""Percentiles of durations."""

from collections.abc import Sequence


def percentile(durations: Sequence[float], share: float) -> float:
    """The duration that ``share`` of all do not exceed (nearest rank)."""
    ordered = sorted(durations)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def milliseconds(durations: Sequence[float]) -> dict[str, float]:
    """p50 and p99 in milliseconds."""
    return {
        "p50_ms": percentile(durations, 0.50) * 1000,
        "p99_ms": percentile(durations, 0.99) * 1000,
    }
