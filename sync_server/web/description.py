"""The pages of head office in OpenAPI terms: forms in, HTML or a redirection out."""

from collections.abc import Iterable
from typing import Any, Final

from shared.trade.consent import Consent

SESSION: Final = "office-session"
_FORM: Final = "application/x-www-form-urlencoded"
_TOLD: Final = {
    200: "The page.",
    303: "Done, or nobody is signed in: where to go on.",
    400: "A form of another site, or a parameter that is none.",
    403: "Name or password is wrong.",
    404: "There is nothing of this name.",
    413: "The form is too large.",
    429: "Too many wrong passwords or codes.",
    500: "A bug.",
    503: "The database does not answer.",
}
_REDIRECTS: Final = {"Location": {"required": True, "schema": {"type": "string"}}}
PROFILE_FIELDS: Final = ("name", "phone", "card", "birthday", "email")
"""Of a profile, as they are typed at head office."""


def page(*statuses: int, fields: Iterable[str] | None = None, is_open: bool = False) -> Any:
    """How a page answers, and the fields of its form beside the token that all forms have."""
    described: dict[str, Any] = {
        "responses": {str(status): _answer(status) for status in (*statuses, 500, 503)}
    }
    if not is_open:
        described["security"] = [{SESSION: []}]
    if fields is not None:
        properties = {name: {"type": "string"} for name in ("form_token", *fields)}
        schema = {
            "type": "object",
            "properties": properties,
            "required": ["form_token"],
            "additionalProperties": False,
        }
        described["requestBody"] = {"required": True, "content": {_FORM: {"schema": schema}}}
    return described


def profile_fields() -> list[str]:
    """What the form of a profile sends: each value with what it was when the page was made."""
    named = (*PROFILE_FIELDS, "language")
    return [
        *named,
        *(f"was-{name}" for name in named),
        *(f"{kind}-{one}" for kind in ("consent", "was") for one in Consent),
    ]


def schemes() -> dict[str, Any]:
    """How head office signs in."""
    told = "The cookie that a right password gets; forms carry a token of the page besides."
    cookie = {"type": "apiKey", "in": "cookie", "name": "evertill_session", "description": told}
    return {SESSION: cookie}


def _answer(status: int) -> dict[str, Any]:
    told: dict[str, Any] = {"description": _TOLD[status]}
    if status == 303:
        return {**told, "headers": _REDIRECTS}
    return {**told, "content": {"text/html": {"schema": {"type": "string"}}}}
