"""Reads the gettext catalogues and fills in fields."""

from enum import StrEnum
from functools import cache
from importlib.resources import files

from babel.messages.pofile import read_po

from shared.errors import EvertillError


class Language(StrEnum):
    """A language the product speaks completely."""

    CHINESE = "zh_CN"
    """简体中文, the default."""
    ENGLISH = "en"

    @property
    def own_name(self) -> str:
        """How speakers call it; shown in the switch, whatever language is on."""
        return {Language.CHINESE: "简体中文", Language.ENGLISH: "English"}[self]


class Words:
    """All messages of one language."""

    def __init__(self, language: Language, messages: dict[str, str]) -> None:
        self.language = language
        self._messages = messages

    def __call__(self, key: str, /, **fields: object) -> str:
        """The message ``key`` with ``{field}`` places filled in.

        A key that is not in the catalogue is a bug (KeyError); a test reads every key in the code.
        """
        return self._messages[key].format(**fields)

    def __contains__(self, key: str) -> bool:
        return key in self._messages

    def error(self, error: EvertillError) -> str:
        """What happened, to what, and what to do."""
        return self(f"error.{error.code}", **error.fields)

    def keys(self) -> set[str]:
        """Every key of the catalogue."""
        return set(self._messages)


@cache
def words(language: Language) -> Words:
    """The catalogue of a language, read once."""
    folder = files("shared.language") / language.value
    messages: dict[str, str] = {}
    for area in sorted(folder.iterdir(), key=lambda file: file.name):
        if area.name.endswith(".po"):
            with area.open("rb") as file:
                for message in read_po(file, locale=language.value):
                    if message.id:
                        assert isinstance(message.id, str)
                        assert message.id not in messages, message.id
                        messages[message.id] = str(message.string)
    return Words(language, messages)
