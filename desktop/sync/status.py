"""How sync stands, for the top bar: values and codes, words are made where they are shown."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    """A moment's truth about sync."""

    is_online: bool
    unsent: int
    since: datetime
    """Online or offline since when."""
    last_contact: datetime | None = None
    error_code: str = ""
    error_fields: dict[str, object] = field(default_factory=dict)
    next_try_s: float = 0.0
    backup_at: datetime | None = None
    """When the server was last copied to another device; None where it never was."""
    enrol_again: bool = False
    """The journal was found forked: this till should get a key of its own."""
    release_needed: str = ""
    """Head office needs this release of the program or a later one; selling goes on."""

    @property
    def is_all_sent(self) -> bool:
        """Online with nothing waiting."""
        return self.is_online and self.unsent == 0
