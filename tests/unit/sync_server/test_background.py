"""Work behind a server: again and again, and never in the way of its end."""

from threading import Event

from sync_server.background import Repeated


def test_works_that_have_more_to_do_are_called_in_turn_before_the_next_pause() -> None:
    done = Event()
    order: list[str] = []

    def several() -> bool:
        order.append("several")
        if len(order) < 4:
            return True
        done.set()
        return False

    def other() -> None:
        order.append("other")

    with Repeated("test", several, other, pause_s=0.001):
        done.wait()
    assert order[:4] == ["several", "other", "several", "several"]


def test_a_work_without_an_end_keeps_no_other_from_beginning() -> None:
    done = Event()
    with Repeated("test", lambda: True, done.set, pause_s=0.001):
        assert done.wait()


def test_a_work_without_an_end_ends_with_the_server() -> None:
    begun = Event()

    def endless() -> bool:
        begun.set()
        return True

    repeated = Repeated("test", endless, pause_s=0.001)
    with repeated:
        begun.wait()
    assert not repeated.is_alive


def test_a_work_that_fails_keeps_no_other_from_being_done() -> None:
    done = Event()

    def fail() -> None:
        raise ZeroDivisionError

    with Repeated("test", fail, done.set, pause_s=0.001):
        assert done.wait()
