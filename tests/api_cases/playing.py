"""Cases of schemathesis, played against a world: generated, sent, and the answers judged."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi import checks as openapi_checks
from schemathesis.specs.openapi.checks import negative_data_rejection

from tests.api_cases import wire
from tests.api_cases.truth import body_of, learn, make_sendable, make_true
from tests.api_cases.world import World, move

CHECKS: Final = [
    schemathesis.checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.unsupported_method,
]
"""Whether valid data is accepted is not asked: a code, a key, a cursor must be known besides."""
REJECTED: Final = [*map(str, (303, 400, 401, 403, 404, 405, 409, 410, 413, 415, 426, 429))]
NEVER: Final = frozenset({500, 502, 504})
TRUE: Final = 0.9
"""Of the valid cases, to which so much is made true as can be."""
STRANGERS: Final = 0.05
"""Of the cases of operations that ask who is there."""
STORY_STEPS: Final = 12
MODES: Final = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
SETTINGS: Final = settings(
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    verbosity=hypothesis.Verbosity.quiet,
)


@dataclass
class Played:
    """What came of cases."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    """By what is wrong, the first case that showed it."""

    @property
    def cases(self) -> int:
        """How many were sent."""
        return self.answers.total()


class Player:
    """Plays cases of all operations of a server's own description."""

    def __init__(self, world: World) -> None:
        assert wire.INTEGERS  # registers msgpack with schemathesis
        self.world = world
        self.played = Played()
        config = schemathesis.Config.from_dict(
            {
                # Credentials are the world's: a signature that is text is refused and no more.
                "generation": {"with-security-parameters": False},
                "checks": {"negative_data_rejection": {"expected-statuses": REJECTED}},
            }
        )
        self.schema = schemathesis.openapi.from_url(
            f"{world.child.url}/openapi.json", config=config
        )
        self.operations = [found.ok() for found in self.schema.get_all_operations()]

    def play_round(self, number: int, *, each: int, steps: int) -> None:
        """So many cases of each operation, valid and invalid, and steps of stories along links."""
        self.world.refresh_nonce()
        for place, operation in enumerate(self.operations):
            for mode in MODES:
                move(self.world.session, Random(f"{number} {place} {mode}"))
                self._play(operation, mode, each, number)
        if steps:
            self._play_stories(number, steps)

    def _play(self, operation: Any, mode: GenerationMode, count: int, number: int) -> None:
        try:
            cases = operation.as_strategy(generation_mode=mode)

            @seed(number)
            @settings(SETTINGS, max_examples=count)
            @given(case=cases)
            def play(case: Any) -> None:
                # Not drawn: what hypothesis draws first is all zeros, and much of it comes again.
                self.send(case, Random(f"{number} {self.played.cases}"))

            play()
        except hypothesis.errors.Unsatisfiable:
            pass  # an operation without parameters has no invalid data

    def _play_stories(self, number: int, count: int) -> None:
        player = self

        class Story(self.schema.as_state_machine()):  # type: ignore[misc]  # made at run time
            """A way along the links of the description."""

            def call(self, case: Any, **_more: Any) -> Any:
                player.steps += 1
                self.is_valid = is_meant_valid(case)
                return player.ask(case, Random(f"{number} {player.steps}"))

            def validate_response(self, response: Any, case: Any, **_more: Any) -> None:
                player.judge(case, response, is_valid=self.is_valid)

        wanted = self.steps + count
        for attempt in range(count):
            if self.steps >= wanted:
                return

            @seed(number * count + attempt)
            class Seeded(Story):
                """With a seed of its own."""

            told = settings(SETTINGS, max_examples=count, stateful_step_count=STORY_STEPS)
            # The same beginning of a story ends otherwise on a server that remembers, which is
            # all that this error says here: another story then.
            with suppress(hypothesis.errors.FlakyStrategyDefinition):
                hypothesis.stateful.run_state_machine_as_test(Seeded, settings=told)

    steps = 0

    def send(self, case: Any, random: Random) -> None:
        """One case and its judgement."""
        is_valid = is_meant_valid(case)
        self.judge(case, self.ask(case, random), is_valid=is_valid)

    def ask(self, case: Any, random: Random) -> Any:
        """Send a case, some of it made true."""
        label = case.operation.label
        make = make_true if is_meant_valid(case) and random.random() < TRUE else None
        # What a strategy drew may be drawn again: it is changed in copies. A case that is to be
        # refused keeps what it drew, for schemathesis looks whether it was exchanged.
        if make or label.startswith(("POST /office/", "POST /v1/sync/wait")):
            case.body = own_copy(case.body)
            case.query, case.path_parameters = own_copy(case.query), own_copy(case.path_parameters)
        if make:
            make(self.world, random, label, case)
        make_sendable(self.world, random, label, case)
        if is_guarded(case) and random.random() < STRANGERS:
            return self._as_stranger(case)
        response = case.call(session=self.world.session, allow_redirects=False, timeout=60)
        self.played.answers[label, response.status_code] += 1
        learn(self.world, label, case, response)
        return response

    def _as_stranger(self, case: Any) -> Any:
        """Send a case without signature or session, which no guarded operation may obey."""
        session = self.world.stranger
        response = case.call(session=session, allow_redirects=False, timeout=60)
        self.played.answers[case.operation.label, response.status_code] += 1
        goes_to = response.headers.get("location", [""])[0]
        if response.status_code < 400 and not goes_to.startswith("/office/sign-in"):
            self._fail(case, response, f"a stranger is answered ({response.status_code})")
        return response

    def judge(self, case: Any, response: Any, *, is_valid: bool) -> None:
        """Note what is wrong with an answer."""
        checks = CHECKS if is_valid else [*CHECKS, negative_data_rejection]
        try:
            case.validate_response(response, checks=checks)
        except FailureGroup as found:
            for failure in found.exceptions:
                self._note(case, response, failure)
        except Failure as failure:
            self._note(case, response, failure)
        if response.status_code in NEVER:
            self._fail(case, response, f"status {response.status_code}")

    def _note(self, case: Any, response: Any, failure: BaseException) -> None:
        title = getattr(failure, "title", type(failure).__name__)
        self._fail(case, response, f"{title} ({response.status_code})\n{str(failure)[:600]}")

    def _fail(self, case: Any, response: Any, said: str) -> None:
        what = f"{case.operation.label}: {said.splitlines()[0]}"
        shown = f"{said}\npath {case.formatted_path} query {case.query}\n"
        body = body_of(case)
        self.played.failures.setdefault(
            what,
            f"{shown}headers {case.headers}\nbody {body[:3000]!r}\ngot {response.content[:500]!r}",
        )


def is_meant_valid(case: Any) -> bool:
    """Whether a case keeps to the description; asked before anything of it is exchanged."""
    return case.meta is None or case.meta.generation.mode is GenerationMode.POSITIVE


def own_copy(drawn: Any) -> Any:
    """Containers of one's own around the same leaves."""
    if isinstance(drawn, dict):
        return type(drawn)({name: own_copy(each) for name, each in drawn.items()})
    return [own_copy(each) for each in drawn] if isinstance(drawn, list) else drawn


def is_guarded(case: Any) -> bool:
    """Whether the description says that the operation asks who is there."""
    return "security" in case.operation.definition.raw
