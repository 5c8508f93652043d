"""One thing that was looked at."""

from dataclasses import dataclass
from enum import StrEnum

from desktop.presenters.text import Text


class Verdict(StrEnum):
    """How it is."""

    WELL = "well"
    ATTENTION = "attention"
    """It works, or may work; somebody should know."""
    BAD = "bad"
    """Something has to be done."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and in words what to do."""

    what: Text
    verdict: Verdict
    said: Text


def is_well(findings: list[Finding]) -> bool:
    """Whether nothing has to be done."""
    return all(finding.verdict is not Verdict.BAD for finding in findings)
