"""A few of the cases that ``make api-cases`` makes by the hundred thousand."""

from pathlib import Path

import pytest

from tests.api_cases.playing import Player
from tests.api_cases.world import new_world

EACH, STEPS = 3, 40


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
def test_every_operation_answers_as_it_is_described(tmp_path: Path) -> None:
    with new_world(tmp_path / "server") as world:
        player = Player(world)
        player.play_round(1, each=EACH, steps=STEPS)

    played = player.played
    assert not played.failures, "\n".join(played.failures.values())
    assert {label for label, _status in played.answers} == {
        operation.label for operation in player.operations
    }
    taken = {label for label, status in played.answers if status == 200}
    assert {
        "POST /v1/enrol",
        "POST /v1/sync/push",
        "POST /v1/sync/pull",
        "POST /v1/leases",
    } <= taken
