"""Plays the parts of a backtest on all cores; the outcome does not depend on how many there are."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from typing import Final

from shared.backtest.events import Event, Part, in_parts, whole
from shared.backtest.figures import Played
from shared.backtest.player import Terms, has_shared_limits, play
from shared.errors import EnvironmentFault
from shared.loyalty.programme import Programme

WAITING_PER_WORKER: Final = 2
"""Parts handed out beyond those that are played: enough that nobody waits, few in memory."""

Tell = Callable[[int], None]
"""Told how many lines, of each programme, were played."""


@dataclass(frozen=True, slots=True)
class _Job:
    """A part to be played under some of the programmes."""

    part: Part
    sides: tuple[int, ...]

    @property
    def weight(self) -> int:
        return self.part.weight * len(self.sides)


@dataclass(slots=True)
class _Worker:
    """What a process of the pool was given when it began."""

    programmes: tuple[Programme, ...]
    terms: Terms

    def do(self, job: _Job) -> list[Played]:
        return [play(job.part, self.programmes[side], self.terms) for side in job.sides]


_worker: list[_Worker] = []


def _begin(programmes: tuple[Programme, ...], terms: Terms) -> None:
    _worker[:] = [_Worker(programmes, terms)]


def _do(job: _Job) -> list[Played]:
    return _worker[0].do(job)


def play_all(
    events: Sequence[Event],
    programmes: tuple[Programme, ...],
    terms: Terms,
    *,
    workers: int,
    tell: Tell,
) -> list[Played]:
    """What each programme would have brought.

    Raises the DomainErrors of ``shared.backtest.player.play``, and EnvironmentFault
    ``backtest-worker-died``.
    """
    jobs = _jobs(events, programmes)
    done: dict[int, list[Played]] = {}
    order = sorted(range(len(jobs)), key=lambda number: (-jobs[number].weight, number))
    for number, played in _played(jobs, order, _Worker(programmes, terms), workers):
        done[number] = played
        tell(jobs[number].weight)
    totals = [Played() for _ in programmes]
    for number, job in enumerate(jobs):
        for side, played_part in zip(job.sides, done[number], strict=True):
            totals[side].add(played_part)
    return totals


def _jobs(events: Sequence[Event], programmes: tuple[Programme, ...]) -> list[_Job]:
    """Parts for the programmes whose members are independent, all in one for the others."""
    shared = [side for side, one in enumerate(programmes) if has_shared_limits(one)]
    apart = tuple(side for side in range(len(programmes)) if side not in shared)
    jobs = [_Job(whole(events), (side,)) for side in shared]
    return jobs + [_Job(part, apart) for part in in_parts(events) if apart]


def _played(
    jobs: Sequence[_Job], order: Sequence[int], worker: _Worker, workers: int
) -> Iterator[tuple[int, list[Played]]]:
    if workers == 1:
        yield from ((number, worker.do(jobs[number])) for number in order)
        return
    waiting = iter(order)
    with ProcessPoolExecutor(
        workers,
        # Threads of a progress bar may hold locks: a forked child could wait for them for ever.
        mp_context=get_context("spawn"),
        initializer=_begin,
        initargs=(worker.programmes, worker.terms),
    ) as pool:
        try:
            running = _submitted(pool, jobs, islice(waiting, workers * WAITING_PER_WORKER))
            while running:
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield running.pop(future), future.result()
                running |= _submitted(pool, jobs, islice(waiting, len(finished)))
        except BrokenProcessPool as error:
            raise EnvironmentFault("backtest-worker-died", workers=workers) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _submitted(
    pool: ProcessPoolExecutor, jobs: Sequence[_Job], numbers: Iterator[int]
) -> dict[Future[list[Played]], int]:
    return {pool.submit(_do, jobs[number]): number for number in numbers}
