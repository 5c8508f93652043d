"""A coupon on a paper of its own: to give away, or where the receipt was lost."""

from dataclasses import replace

from shared.receipt.document import Document, Rule
from shared.receipt.issue import Issue
from shared.receipt.parts import coupon_block, foot, head
from shared.trade.fact import CouponIssued


def coupon_slip(coupon: CouponIssued, issue: Issue) -> Document:
    """One coupon that a sale or a top-up issued. It is good once, on however many papers it is."""
    blocks = head(issue, title="paper.title.coupon", number=issue.barcode)
    # The receipt's own bar code would be scanned instead of the coupon's.
    bare = replace(issue, barcode="", code="")
    return Document(
        (*blocks, *coupon_block(issue, coupon), Rule(), *foot(bare, with_conditions=False))
    )
