"""Reads the gettext catalogues and fills in fields."""

from enum import StrEnum
from functools import cache
from importlib.resources import files

from babel import Locale
from babel.messages.pofile import read_po

from shared.errors import EvertillError
from shared.language.details import parts_of

_PLURAL_TAGS = ("zero", "one", "two", "few", "many", "other")
"""CLDR's plural forms in the order in which gettext numbers them."""


class Language(StrEnum):
    """A language the product speaks completely."""

    CHINESE = "zh_CN"
    """简体中文, the default."""
    ENGLISH = "en"

    @property
    def own_name(self) -> str:
        """How speakers call it; shown in the switch, whatever language is on."""
        return {Language.CHINESE: "简体中文", Language.ENGLISH: "English"}[self]


COUNT = "count"
"""The field whose number chooses between the forms of a message."""

Forms = tuple[str, ...]
"""A message in each plural form of its language, in the order of the gettext file; or the one."""


class Words:
    """All messages of one language."""

    def __init__(self, language: Language, messages: dict[str, Forms]) -> None:
        self.language = language
        self._messages = messages
        plural = Locale.parse(language.value).plural_form
        self._plural = plural
        self._order = [tag for tag in _PLURAL_TAGS if tag in plural.tags or tag == "other"]

    def __call__(self, key: str, /, **fields: object) -> str:
        """The message ``key`` with ``{field}`` places filled in, in the form ``count`` asks for.

        A key that is not in the catalogue is a bug (KeyError); a test reads every key in the code.
        """
        forms = self._messages[key]
        if len(forms) == 1:
            return forms[0].format(**fields)
        count = fields[COUNT]
        assert isinstance(count, int), key
        return forms[self._order.index(self._plural(count))].format(**fields)

    def forms(self, key: str) -> Forms:
        """Every plural form of a message."""
        return self._messages[key]

    def __contains__(self, key: str) -> bool:
        return key in self._messages

    def error(self, error: EvertillError) -> str:
        """What happened, to what, and what to do."""
        fields = error.fields
        if isinstance(detail := fields.get("detail"), str):
            fields = {**fields, "detail": self.detail(detail)}
        return self(f"error.{error.code}", **fields)

    def detail(self, detail: str) -> str:
        """What a reader of documents says in English, as far as it is known, in this language."""
        key, fields, place = parts_of(detail)
        if not key:
            return detail
        told = self(key, **fields)
        return self("detail.place", what=told, place=place) if place else told

    def keys(self) -> set[str]:
        """Every key of the catalogue."""
        return set(self._messages)


@cache
def words(language: Language) -> Words:
    """The catalogue of a language, read once."""
    folder = files("shared.language") / language.value
    messages: dict[str, Forms] = {}
    for area in sorted(folder.iterdir(), key=lambda file: file.name):
        if area.name.endswith(".po"):
            with area.open("rb") as file:
                for message in read_po(file, locale=language.value):
                    if message.id:
                        key = message.id if isinstance(message.id, str) else message.id[0]
                        assert key not in messages, key
                        text = message.string
                        messages[key] = (text,) if isinstance(text, str) else tuple(text or ())
    return Words(language, messages)
