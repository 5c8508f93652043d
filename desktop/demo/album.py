"""Pictures of the pages that an enrolled, working till does not show."""

from pathlib import Path

from desktop.bootstrap import Surroundings
from desktop.demo.shop import SCREENS
from desktop.presenters.first_run import FaultPresenter, FirstRunPresenter
from desktop.presenters.till_loop import Presenter, TillLoop
from desktop.till_window import build_window
from shared.errors import DomainError, EnvironmentFault
from shared.language import Language

SIZE = (1366, 768)


def picture_first_pages(folder: Path) -> None:
    """The first run, and what stops a till from starting, in both languages."""
    fault = EnvironmentFault("till-already-running", folder="~/.local/share/evertill/till")
    for language in Language:
        _picture(folder, "first-run", language, FirstRunPresenter(_refuse, language=language))
        presenter = FaultPresenter(fault, language=language, close=_nothing)
        _picture(folder, "fault", language, presenter)


def _refuse(_url: str, _code: str) -> None:
    raise DomainError("not-enrolled", folder="")


def _nothing() -> None:
    pass


def _picture(folder: Path, name: str, language: Language, presenter: Presenter) -> None:
    loop = TillLoop()
    window = build_window(loop, Surroundings(language=language.value))
    loop.attach(presenter, window.publish)
    window.resize(*SIZE)
    window.show()
    loop.show()
    window.settle()
    screens = folder / SCREENS
    screens.mkdir(parents=True, exist_ok=True)
    short = language.value.partition("_")[0]
    window.grab().save(str(screens / f"{short}-{name}.png"))
    window.close()
