"""What keeps a command from its work: said in the language that was asked for, and to programs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import typer

from shared.errors import EvertillError, unusable_file
from shared.language import Language, words

EXIT_REFUSED: Final = 2


@contextmanager
def told_in(language: Language, *, as_json: bool) -> Iterator[None]:
    """Foreseen errors end the command with exit code 2, in words and as ``{"error": …}``."""
    try:
        yield
    except (EvertillError, OSError) as found:
        error = unusable_file(found) if isinstance(found, OSError) else found
        if as_json:
            chinese, english = (words(one).error(error) for one in Language)
            told = {"code": error.code, "zh": chinese, "en": english}
            typer.echo(json.dumps({"error": told}, ensure_ascii=False))
        typer.echo(words(language).error(error), err=True)
        raise typer.Exit(EXIT_REFUSED) from found
