"""Coupon codes that a till can check without a network: random digits sealed with a chain's key.

A code is ``prefix, 10 random digits, 8 digits of HMAC-SHA256, check digit``. Nobody without the key
can make one; which coupon of the programme it claims follows from the seal. Journals keep a keyed
hash of the code, never the code: it is worth money until it is used.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import Final

from shared.catalogue.code_table import CodeKind
from shared.catalogue.codes import coupon_code, own_digits, random_digits
from shared.ids import CouponId, RandomBytes
from shared.loyalty.offers import Coupon

SEAL_DIGITS: Final = 8


def new_coupon_code(
    key: bytes, coupon: str, random_bytes: RandomBytes = secrets.token_bytes
) -> str:
    """A fresh code that claims the programme's coupon ``coupon``, as often as that one says."""
    digits = random_digits(own_digits(CodeKind.COUPON) - SEAL_DIGITS, random_bytes)
    return coupon_code(digits + _seal(key, coupon, digits))


def issued_coupon_code(key: bytes, coupon: str, sale: str, number: int) -> str:
    """The code of the ``number``-th coupon that a sale issues.

    It follows from the sale's entry, so that a receipt can be printed again; without the key nobody
    can reckon it.
    """

    def derived(count: int) -> bytes:
        seed = f"coupon-issue:{sale}:{coupon}:{number}".encode()
        return hashlib.shake_256(hmac.digest(key, seed, "sha256")).digest(count)

    return new_coupon_code(key, coupon, derived)


def coupon_of_code(key: bytes, code: str, coupons: Iterable[Coupon]) -> Coupon | None:
    """The coupon a code claims; None for a code that is not ours or of another programme."""
    free = own_digits(CodeKind.COUPON)
    body = code[-1 - free : -1]
    digits, seal = body[:-SEAL_DIGITS], body[-SEAL_DIGITS:]
    for coupon in coupons:
        if hmac.compare_digest(_seal(key, coupon.id, digits), seal):
            return coupon
    return None


def coupon_instance(key: bytes, code: str) -> CouponId:
    """What journals call one coupon: 32 hex digits of a keyed hash of its code."""
    return CouponId(hmac.new(key, f"coupon:{code}".encode(), hashlib.sha256).hexdigest()[:32])


def _seal(key: bytes, coupon: str, digits: str) -> str:
    digest = hmac.new(key, f"coupon-seal:{coupon}:{digits}".encode(), hashlib.sha256).digest()
    return f"{int.from_bytes(digest, 'big') % 10**SEAL_DIGITS:0{SEAL_DIGITS}d}"
