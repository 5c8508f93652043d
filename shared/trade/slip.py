"""What has a paper of its own beside sales and returns."""

from shared.ids import OperatorId, ShiftId, StoreId, TillId
from shared.trade.fact import Fact


class Slip(Fact, frozen=True, kw_only=True):
    """Who wrote it, in which shift, under which number; what it says follows."""

    receipt_no: str
    store_id: StoreId
    till_id: TillId
    shift_id: ShiftId
    operator_id: OperatorId
    currency: str
