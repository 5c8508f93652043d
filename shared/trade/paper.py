"""How a till's papers look, as a fact: whoever shows an older paper again shows it as it was."""

from typing import ClassVar

import msgspec

from shared.ids import OperatorId, StoreId, TillId
from shared.trade.fact import Approval, Fact, Value


class ReceiptForm(Value, frozen=True, kw_only=True):
    """What a shop puts on its papers; texts by language (``zh``, ``en``), empty where none."""

    names: dict[str, str] = msgspec.field(default_factory=dict)
    """Of the shop; without any it is called as the server calls the store."""
    address: dict[str, str] = msgspec.field(default_factory=dict)
    phone: str = ""
    tax_number: str = ""
    conditions: dict[str, str] = msgspec.field(default_factory=dict)
    """Under which goods are taken back."""
    greeting: dict[str, str] = msgspec.field(default_factory=dict)
    logo: str = ""
    """A picture in the folder of the till's files."""
    web: str = ""
    """Where customers look receipts up: scheme and host; no QR code where empty."""
    invoice: str = ""
    """Where an e-invoice is asked for, with ``{number}``, ``{code}`` and ``{total}``."""
    left_out: tuple[str, ...] = ()
    """Blocks that are not printed; those of later releases are passed over."""


class ReceiptFormChanged(Fact, frozen=True, kw_only=True):
    """From the next entry on papers of this till look like this."""

    kind: ClassVar[str] = "receipt_form_changed"

    store_id: StoreId
    till_id: TillId
    operator_id: OperatorId | None
    """Null where it was changed on the command line."""
    form: ReceiptForm
    approvals: tuple[Approval, ...] = ()
