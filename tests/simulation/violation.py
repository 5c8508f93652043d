"""How a judge says that something does not hold."""


class Violation(AssertionError):
    """Something that must hold does not."""


def must(holds: object, *what: object) -> None:
    """Raise Violation unless it holds."""
    if not holds:
        raise Violation(" ".join(map(str, what)))
