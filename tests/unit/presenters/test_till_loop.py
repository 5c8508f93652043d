"""One queue: in order, nothing lost, and a bug ends nothing."""

import threading

from desktop.presenters.intent import Intent, Key, Scan, Typed
from desktop.presenters.text import Message, Tone
from desktop.presenters.till_loop import TillLoop
from desktop.presenters.view import Page, Sheet, TillView
from shared.language import Language
from tests.support.till_fixture import CHIPS, RICE, WATER

WAIT_S = 10


class Recorder:
    """A presenter that writes down what it was given."""

    def __init__(self) -> None:
        self.handled: list[str] = []
        self.confessed: list[str] = []

    def handle(self, intent: Intent) -> None:
        assert isinstance(intent, Typed)
        if intent.text == "bug":
            raise RuntimeError(intent.text)
        self.handled.append(intent.text)

    def confess(self, error: Exception) -> None:
        self.confessed.append(str(error))

    def view(self) -> TillView:
        return TillView(
            page=Page.FAULT,
            top=None,
            body=Sheet("recorder", str(len(self.handled)), ()),
            overlay=None,
            message=Message(" ".join(self.confessed), Tone.INFO),
            hints=(),
            language=Language.ENGLISH,
            currency="CNY",
        )


def recording() -> tuple[TillLoop, Recorder, list[TillView]]:
    loop, recorder, views = TillLoop(), Recorder(), []
    loop.attach(recorder, views.append)
    return loop, recorder, views


def test_what_is_posted_before_the_start_is_handled_first():
    loop, recorder, _ = recording()
    for number in range(100):
        loop.post(Typed(str(number)))
    loop.start()
    loop.post(Typed("last"))
    loop.close()
    assert recorder.handled == [*map(str, range(100)), "last"]


def test_every_poster_keeps_its_own_order():
    loop, recorder, _ = recording()
    loop.start()

    def post(name: str) -> None:
        for number in range(200):
            loop.post(Typed(f"{name}{number}"))

    posters = [threading.Thread(target=post, args=(name,)) for name in "abc"]
    for poster in posters:
        poster.start()
    for poster in posters:
        poster.join()
    assert loop.wait_idle(WAIT_S)
    loop.close()
    for name in "abc":
        mine = [text for text in recorder.handled if text.startswith(name)]
        assert mine == [f"{name}{number}" for number in range(200)]


def test_a_view_is_published_after_every_intent():
    loop, _, views = recording()
    for text in "abc":
        loop.post(Typed(text))
    loop.run_waiting()
    assert [view.body.title for view in views if isinstance(view.body, Sheet)] == ["1", "2", "3"]


def test_a_bug_is_confessed_and_the_next_intent_is_handled():
    loop, recorder, views = recording()
    for text in ("a", "bug", "b"):
        loop.post(Typed(text))
    loop.run_waiting()
    assert (recorder.handled, recorder.confessed) == (["a", "b"], ["bug"])
    assert loop.wait_idle(0)
    assert len(views) == 3


def test_posting_never_waits_for_a_handler_that_takes_long():
    loop, recorder, _ = recording()
    busy, may_go_on = threading.Event(), threading.Event()

    class Slow(Recorder):
        def handle(self, intent: Intent) -> None:
            busy.set()
            assert may_go_on.wait(WAIT_S)
            recorder.handle(intent)

    loop.attach(Slow(), lambda _view: None)
    loop.start()
    loop.post(Typed("slow"))
    assert busy.wait(WAIT_S)
    for number in range(50):
        loop.post(Typed(str(number)))
    assert recorder.handled == []
    may_go_on.set()
    loop.close()
    assert recorder.handled == ["slow", *map(str, range(50))]


def test_what_follows_the_finish_key_belongs_to_the_next_sale(selling):
    selling.scan(WATER.barcodes[0])
    selling.do(
        selling.pressed(Key.F12),
        Scan(CHIPS.barcodes[0]),
        Typed("2"),
        selling.pressed(Key.TIMES),
        Scan(RICE.barcodes[0]),
    )
    assert selling.tickets == 1
    assert selling.amounts == [750, 2 * 6990]


def test_what_was_scanned_before_the_finish_key_belongs_to_this_sale(selling):
    selling.do(Scan(WATER.barcodes[0]), Scan(CHIPS.barcodes[0]), selling.pressed(Key.F12))
    assert selling.sale.change is not None
    assert selling.sale.change.total == 950
    assert selling.amounts == []
