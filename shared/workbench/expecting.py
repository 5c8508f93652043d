"""Comparing what came out with what a scenario expects."""

from typing import Any


def unlike(expected: Any, found: Any, place: str = "$") -> list[str]:
    """Where what was expected is not what was found; only what is stated is compared."""
    if isinstance(expected, dict) and isinstance(found, dict):
        missing = [f"{place}.{key}: there is no such value" for key in expected if key not in found]
        return missing + [
            difference
            for key, value in expected.items()
            if key in found
            for difference in unlike(value, found[key], f"{place}.{key}")
        ]
    if isinstance(expected, list) and isinstance(found, list | tuple):
        if len(expected) != len(found):
            return [f"{place}: {len(found)} found, {len(expected)} expected"]
        return [
            difference
            for index, (one, other) in enumerate(zip(expected, found, strict=True))
            for difference in unlike(one, other, f"{place}[{index}]")
        ]
    return [] if expected == found else [f"{place}: {found!r} found, {expected!r} expected"]
