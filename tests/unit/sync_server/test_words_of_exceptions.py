"""Head office is told of every exception what happened, by which rule, and what can be done."""

import pytest

from shared.language import Language, words
from sync_server.ledger.finding import Rule


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("rule", Rule)
def test_every_rule_says_what_happened_and_what_can_be_done(rule: Rule, language: Language) -> None:
    say = words(language)
    keys = [f"web.rule.{rule}{part}" for part in ("", ".about", ".do")]
    told = [say(key) for key in keys]
    assert len({*told}) == len(told)
    assert not set(told) & set(keys), "no words for it"


@pytest.mark.parametrize("rule", Rule)
def test_no_language_is_left_in_another(rule: Rule) -> None:
    for part in ("", ".about", ".do"):
        chinese, english = (
            words(one)(f"web.rule.{rule}{part}") for one in (Language.CHINESE, Language.ENGLISH)
        )
        assert any("\u4e00" <= one <= "\u9fff" for one in chinese)
        assert english.isascii()
