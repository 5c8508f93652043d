"""PINs, their lock-out, and what a manager allows."""

from datetime import timedelta

import msgspec
import pytest

from desktop.services.operators import FAILURES_MAX, LOCK_FIRST, LOCK_MAX
from desktop.store.operators import Attempts, apply_operators, write_attempts
from shared.catalogue.code_table import CodeKind
from shared.catalogue.codes import approval_code, own_digits
from shared.errors import DomainError
from shared.ids import OperatorId
from shared.trade.profile import KeyKind, lookup_hash
from tests.support.desk import Desk, open_desk
from tests.support.enrolled_till import CASHIER, MANAGER, PEOPLE, PINS, operator_row


def refused(call, *arguments, **named) -> DomainError:
    with pytest.raises(DomainError) as caught:
        call(*arguments, **named)
    return caught.value


def guess_wrong(desk: Desk, times: int) -> list[DomainError]:
    return [refused(desk.till.operators.sign_in, CASHIER, "0000") for _ in range(times)]


def test_everybody_signs_in_with_their_own_pin(desk):
    assert desk.till.operators.sign_in(CASHIER, "1234").name == "王芳"
    assert refused(desk.till.operators.sign_in, CASHIER, PINS[MANAGER]).code == "wrong-pin"
    assert refused(desk.till.operators.sign_in, OperatorId("x"), "1234").code == "unknown-operator"
    assert {operator.name for operator in desk.till.operators.all()} == {"王芳", "李强"}


def test_wrong_pins_lock_and_the_right_one_is_not_even_looked_at(desk):
    errors = guess_wrong(desk, FAILURES_MAX)
    assert [error.code for error in errors] == ["wrong-pin"] * FAILURES_MAX
    assert [error.fields["left"] for error in errors[:-1]] == [4, 3, 2, 1]
    locked = refused(desk.till.operators.sign_in, CASHIER, "1234")
    assert (locked.code, locked.fields) == ("pin-locked", {"minutes": 2})
    assert desk.till.operators.sign_in(MANAGER, PINS[MANAGER]).role == "manager"
    desk.clock.at += LOCK_FIRST
    assert desk.till.operators.sign_in(CASHIER, "1234").operator_id == CASHIER


def test_a_restart_or_a_clock_set_back_does_not_unlock(folder):
    desk = open_desk(folder)
    guess_wrong(desk, FAILURES_MAX)
    desk.till.close()
    desk = open_desk(folder)
    assert refused(desk.till.operators.sign_in, CASHIER, "1234").code == "pin-locked"
    desk.clock.at -= timedelta(hours=1)
    assert refused(desk.till.operators.sign_in, CASHIER, "1234").code == "pin-locked"
    desk.till.close()


def test_a_clock_set_back_by_a_year_locks_for_an_hour_not_for_a_year(desk):
    guess_wrong(desk, FAILURES_MAX)
    desk.clock.at -= timedelta(days=365)
    locked = refused(desk.till.operators.sign_in, CASHIER, "1234")
    assert (locked.code, locked.fields) == ("pin-locked", {"minutes": 61})
    desk.clock.at += LOCK_MAX - timedelta(minutes=1)
    assert refused(desk.till.operators.sign_in, CASHIER, "1234").fields == {"minutes": 2}
    desk.clock.at += timedelta(minutes=1)
    assert desk.till.operators.sign_in(CASHIER, "1234").operator_id == CASHIER


def test_after_a_thousand_wrong_pins_the_next_round_still_locks(desk):
    kept = Attempts(1000 * FAILURES_MAX - 1, None)
    desk.till.books.change(lambda work: write_attempts(work.connection, CASHIER, kept))
    assert guess_wrong(desk, 1)[0].code == "wrong-pin"
    assert refused(desk.till.operators.sign_in, CASHIER, "1234").fields == {"minutes": 61}


def test_each_further_round_of_guesses_locks_longer(desk):
    waits = []
    for _ in range(3):
        guess_wrong(desk, FAILURES_MAX)
        waits.append(refused(desk.till.operators.sign_in, CASHIER, "1234").fields["minutes"])
        desk.clock.at += timedelta(hours=1)
    assert waits == sorted(set(waits))


def test_a_right_pin_forgets_the_wrong_ones_before_it(desk):
    guess_wrong(desk, FAILURES_MAX - 1)
    desk.till.operators.sign_in(CASHIER, "1234")
    assert guess_wrong(desk, 1)[0].fields["left"] == FAILURES_MAX - 1


def test_only_a_manager_approves_and_guesses_at_approvals_count(desk):
    approve = desk.till.operators.approve
    error = refused(approve, CASHIER, "1234", action="price")
    assert (error.code, error.fields) == ("not-a-manager", {"name": "王芳"})
    approval = approve(MANAGER, PINS[MANAGER], action="price", amount=150)
    assert (approval.approver_id, approval.action, approval.amount) == (MANAGER, "price", 150)
    for _ in range(FAILURES_MAX):
        refused(approve, MANAGER, "0000", action="price")
    assert refused(approve, MANAGER, PINS[MANAGER], action="price").code == "pin-locked"


def test_an_approval_card_names_a_person_and_the_pin_still_follows(desk):
    code = approval_code("7" * own_digits(CodeKind.APPROVAL))
    hashed = lookup_hash(desk.till.identity.lookup_key, KeyKind.CARD, code)
    row = msgspec.structs.replace(operator_row(PEOPLE[1]), card_hash=hashed)
    desk.till.books.change(lambda work: apply_operators(work.connection, [row]))
    assert desk.till.operators.by_card(code).operator_id == MANAGER
    assert desk.counter.scanning.scan(code).operator.operator_id == MANAGER
    other = approval_code("8" * own_digits(CodeKind.APPROVAL))
    assert refused(desk.till.operators.by_card, other).code == "unknown-operator"


def test_somebody_who_left_cannot_sign_in(desk):
    row = msgspec.structs.replace(operator_row(PEOPLE[0]), active=False)
    desk.till.books.change(lambda work: apply_operators(work.connection, [row]))
    assert refused(desk.till.operators.sign_in, CASHIER, "1234").code == "unknown-operator"
