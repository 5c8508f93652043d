"""The writers' lock: in order, and free again whatever happens to those who wait."""

import signal
import sys
from threading import Event, Thread

import pytest

from sync_server.database.fair_lock import FairLock


def test_it_is_given_in_the_order_of_asking() -> None:
    lock, order = FairLock(), list[int]()

    def ask(number: int) -> None:
        with lock:
            order.append(number)

    threads = [Thread(target=ask, args=(number,)) for number in range(5)]
    with lock:
        for number, thread in enumerate(threads):
            thread.start()
            while len(lock._waiting) <= number:
                pass
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


@pytest.mark.skipif(sys.platform == "win32", reason="no timer signals there")
def test_who_is_interrupted_while_waiting_leaves_it_to_the_others() -> None:
    lock, is_held, may_end = FairLock(), Event(), Event()

    def hold() -> None:
        with lock:
            is_held.set()
            may_end.wait()

    def interrupt(_number: int, _frame: object) -> None:
        raise InterruptedError

    holder = Thread(target=hold)
    holder.start()
    is_held.wait()
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    with pytest.raises(InterruptedError), lock:
        pass
    signal.signal(signal.SIGALRM, before)
    may_end.set()
    holder.join()
    assert not lock._is_held
    with lock:
        assert lock._is_held
    assert not lock._is_held
