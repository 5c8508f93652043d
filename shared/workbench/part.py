"""What every part of a scenario's document has in common."""

import msgspec


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of a scenario."""


class StepPart(Part, frozen=True, kw_only=True):
    """A step; ``refused`` where it is to be refused: for any reason, or with this code."""

    refused: bool | str = False
