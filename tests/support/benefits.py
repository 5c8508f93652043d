"""An action and a prize draw, as programmes have them."""

from datetime import datetime

from shared.loyalty.engagement import Action, Prize, PrizeDraw
from tests.pricing_builders import names

SURVEY = Action(id="survey", names=names("survey"), points=40, per_member=2, per_member_and_day=1)
SPRING = PrizeDraw(
    id="spring",
    names=names("spring"),
    prizes=(Prize(id="mug", names=names("mug")),),
    entry_points=30,
    opens=datetime.fromisoformat("2026-01-01T00:00:00"),
    closes=datetime.fromisoformat("2026-12-31T00:00:00"),
    seed_sha256="ab" * 32,
    per_member=2,
)
OVER = datetime.fromisoformat("2026-01-02T00:00:00")
"""When the draw closes in tests that come too late."""
