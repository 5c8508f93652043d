"""The three kinds of expected failure, each with a stable code and fields instead of a sentence.

Words are made at the edge (``shared.language``) from ``error.<code>`` and the fields, so a message
follows the language of whoever reads it. Anything that is not one of these is a bug: it is not
caught, except at the outermost edges, where it is reported.
"""

from collections.abc import Callable
from typing import ClassVar


class EvertillError(Exception):
    """Something that went wrong in a way that is foreseen.

    ``code`` is stable, lower-case and dash-separated (``unknown-barcode``); ``fields`` name what it
    happened to. ``retryable`` tells whether the same call may succeed later unchanged.
    """

    retryable: ClassVar[bool] = False

    def __init__(self, code: str, /, **fields: object) -> None:
        super().__init__(code, fields)
        self.code = code
        self.fields = fields

    def __reduce__(self) -> tuple[Callable[..., "EvertillError"], tuple[object, ...]]:
        """Errors cross processes; what is made on the other side has the same code and fields."""
        return _again, (type(self), self.code, self.fields)

    def __str__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in self.fields.items())
        return f"{self.code}({told})"


def _again(kind: type[EvertillError], code: str, fields: dict[str, object]) -> EvertillError:
    error = kind.__new__(kind)
    EvertillError.__init__(error, code, **fields)
    return error


class DomainError(EvertillError):
    """Something an operator did or asked for cannot be done; said to the operator."""


class EnvironmentFault(EvertillError):
    """Disk, port, file or network is not as needed; may pass by itself or need a hand."""

    retryable = True


class ProtocolError(EvertillError):
    """The other side of a connection said something that cannot be right."""


def unusable_file(error: OSError) -> EnvironmentFault:
    """A file or folder that a command was given and cannot use."""
    reason = error.strerror or str(error)
    return EnvironmentFault("file-unusable", file=str(error.filename), reason=reason)
