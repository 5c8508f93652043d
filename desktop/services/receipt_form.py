"""The form of this till's papers: read, changed as a fact, used from the next paper on."""

from typing import Final

from desktop.services.books import Books
from desktop.store.settings import RECEIPT_FORM, read_value
from shared.errors import DomainError
from shared.ids import OperatorId
from shared.receipt.form import check_form, shop_of
from shared.receipt.issue import Shop
from shared.trade.fact import Approval
from shared.trade.paper import ReceiptForm, ReceiptFormChanged
from shared.trade.writing import Writing

ACTION: Final = "receipt-form"
"""What a manager approves."""


class ReceiptFormDesk:
    """The form is what the newest fact about it says; it is kept in that fact's transaction."""

    def __init__(self, books: Books) -> None:
        self._books = books
        with books.reading() as connection:
            self._form = read_value(connection, RECEIPT_FORM, ReceiptForm) or ReceiptForm()

    @property
    def form(self) -> ReceiptForm:
        """What papers look like now."""
        return self._form

    def shop(self, form: ReceiptForm | None = None) -> Shop:
        """What stands at head and foot by the form in use, or by one that is tried."""
        identity = self._books.identity
        return shop_of(form or self._form, store_name=identity.store_name, zone=identity.zone)

    def checked(self, form: ReceiptForm) -> ReceiptForm:
        """A form that could be used; DomainError as ``check_form``."""
        return check_form(form)

    def change(
        self, form: ReceiptForm, *, operator_id: OperatorId | None, approvals: tuple[Approval, ...]
    ) -> ReceiptForm:
        """Use another form from the next paper on; the same one again writes nothing.

        Somebody at the till needs approval; who has the till's files (``operator_id`` None) has
        more than that already. DomainError as ``check_form``, and ``approval-needed``.
        """
        if operator_id is not None and not any(one.action == ACTION for one in approvals):
            raise DomainError("approval-needed", action=ACTION)
        checked = check_form(form)
        if checked == self._form:
            return checked
        identity = self._books.identity
        fact = ReceiptFormChanged(
            store_id=identity.store_id,
            till_id=identity.till_id,
            operator_id=operator_id,
            form=checked,
            approvals=approvals,
        )
        self._books.record(Writing(fact))
        self._form = checked
        return checked
