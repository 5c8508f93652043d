"""What `make torture` is made of: parts with cases that can each be repeated alone."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import ExitStack
from typing import ClassVar, Self


class Part(ABC):
    """One kind of torture; a context, for what its cases share is made once."""

    name: ClassVar[str]
    about: ClassVar[str]
    """For whoever reads the list of parts."""

    def __init__(self) -> None:
        self._shared = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            self._open(opening)
            self._shared = opening.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        self._shared.close()

    @abstractmethod
    def _open(self, shared: ExitStack) -> None:
        """Make what the cases share."""

    @abstractmethod
    def cases(self) -> Iterable[str]:
        """All of them, by names that mean the same in every run."""

    @abstractmethod
    def run(self, case: str) -> None:
        """Play one; raises what does not hold."""

    def told(self) -> str:
        """Figures of this run beyond the number of cases."""
        return ""
