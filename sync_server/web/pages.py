"""The pages of head office. They work without JavaScript."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, RedirectResponse

from shared.catalogue.card_numbers import refuse_card_number
from shared.errors import DomainError, EvertillError, ProtocolError
from shared.ids import MemberId, TillId
from shared.language import Language
from shared.ledger.account import AccountKind
from shared.trade.consent import Consent
from sync_server.api.errors import STATUS
from sync_server.bootstrap import Services
from sync_server.keys.throttle import Limit
from sync_server.web.description import PROFILE_FIELDS, profile_fields
from sync_server.web.description import page as told
from sync_server.web.explain import Explainer
from sync_server.web.office import (
    FOLDER,
    LANGUAGE_COOKIE,
    SESSION_COOKIE,
    Office,
    Visitor,
    to,
)
from sync_server.web.reading import OfficeReader
from sync_server.web.sessions import LIFETIME

WRONG_PASSWORDS: Final = Limit(count=8, window=timedelta(minutes=15))
"""Per sign-in name; eight typing mistakes in a row are rare."""
WRONG_FROM_ADDRESS: Final = Limit(count=40, window=timedelta(minutes=15))
"""Per address; an office may share one."""
PAGE_MAX: Final = 10_000
_PAGE_STATUS: Final = {"unknown-member": 404, "unknown-till": 404}
_SIGN_IN: Final = told(
    303, 400, 403, 413, 429, fields=("login", "password", "wanted"), is_open=True
)
_CHANGE: Final = told(303, 400, 404, 413, fields=profile_fields())
_ERASE: Final = told(303, 400, 404, 413, fields=("sure",))
PageNumber = Query(default=1, ge=1, le=PAGE_MAX)


def office_routes(services: Services, office: Office) -> APIRouter:
    """All pages."""
    router = APIRouter(prefix="/office", tags=["office"], default_response_class=Response)
    _add_door(router, services, office)
    _add_stores(router, services, office)
    _add_members(router, services, office)
    return router


def _add_door(router: APIRouter, services: Services, office: Office) -> None:
    @router.get("/style.css", include_in_schema=False)
    def style() -> Response:
        return FileResponse(FOLDER / "static" / "style.css", media_type="text/css")

    @router.get("/icon.svg", include_in_schema=False)
    def icon() -> Response:
        return FileResponse(FOLDER / "static" / "icon.svg", media_type="image/svg+xml")

    @router.get("/language/{language}", status_code=303, openapi_extra=told(303, is_open=True))
    def choose(request: Request, language: str, back: str = "/office/") -> Response:
        response = to(back)
        if language in set(Language):
            office.set_cookie(request, response, LANGUAGE_COOKIE, language)
        return response

    @router.get("/sign-in", openapi_extra=told(200, is_open=True))
    def door(request: Request, wanted: str = "/office/") -> Response:
        visitor = office.greet(request)
        return office.render(visitor, "sign_in.html", wanted=wanted, error="", login="")

    @router.post("/sign-in", status_code=303, openapi_extra=_SIGN_IN)
    async def sign_in(request: Request) -> Response:
        visitor = office.greet(request)
        fields = await office.form(visitor)
        return await run_in_threadpool(_sign_in, services, office, visitor, dict(fields))

    @router.post("/sign-out", status_code=303, openapi_extra=told(303, 400, 413, fields=()))
    async def sign_out(request: Request) -> Response:
        await office.form(office.greet(request))
        response = to("/office/sign-in")
        response.delete_cookie(SESSION_COOKIE, path="/")
        return response


def _sign_in(
    services: Services, office: Office, visitor: Visitor, fields: dict[str, str]
) -> Response:
    login, wanted = fields.get("login", "").strip(), fields.get("wanted", "")
    address = visitor.request.client.host if visitor.request.client else ""
    # Stamped, for anything may be typed there: a password, a number.
    named = services.vault.stamp("login", login.encode()).hex()
    limits = ((f"login:{named}", WRONG_PASSWORDS), (f"login-from:{address}", WRONG_FROM_ADDRESS))
    try:
        for subject, limit in limits:
            services.throttle.check(subject, limit)
        user = services.users.check(login, fields.get("password", ""))
        if user is None:
            for subject, limit in limits:
                services.throttle.note(subject, limit)
            raise ProtocolError("sign-in-refused")
    except ProtocolError as error:
        words = visitor.words.error(error)
        status = 429 if error.code == "too-many-attempts" else 403
        return office.render(
            visitor, "sign_in.html", status=status, wanted=wanted, error=words, login=login
        )
    response = to(wanted or "/office/")
    cookie = services.sessions.begin(user)
    age_s = int(LIFETIME.total_seconds())
    office.set_cookie(visitor.request, response, SESSION_COOKIE, cookie, age_s=age_s)
    return response


def _add_stores(router: APIRouter, services: Services, office: Office) -> None:
    reader = OfficeReader(services.database)

    @router.get("/", openapi_extra=told(200, 303))
    def stores(request: Request) -> Response:
        visitor = office.admit(request)
        return office.render(
            visitor,
            "stores.html",
            totals=reader.totals(),
            stores=services.stores.stores(),
            states=services.stores.states(),
            exposures=reader.exposures(),
            code=None,
        )

    @router.post("/tills/{till_id}/code", openapi_extra=told(200, 303, 400, 404, 413, fields=()))
    async def issue_code(request: Request, till_id: str) -> Response:
        visitor = office.admit(request)
        await office.form(visitor)
        code = await run_in_threadpool(services.enrolment.issue_code, TillId(till_id))
        till = next(till for till in services.stores.tills() if till.till_id == till_id)
        return office.render(visitor, "code.html", code=code, till=till)

    @router.get("/exceptions", openapi_extra=told(200, 303, 400))
    def exceptions(request: Request, page: int = PageNumber) -> Response:
        visitor = office.admit(request)
        found = reader.exceptions(page)
        explainer = _explainer(services, reader, visitor)
        shown = [
            (each, explainer.effects(each.fact), [explainer.explain(fact) for fact in each.facts])
            for each in found.items
        ]
        return office.render(
            visitor,
            "exceptions.html",
            page=found,
            shown=shown,
            quarantined=reader.quarantined(),
        )


def _add_members(router: APIRouter, services: Services, office: Office) -> None:
    reader = OfficeReader(services.database)

    @router.get("/members", openapi_extra=told(200, 303, 400))
    def members(request: Request, q: str = "", page: int = PageNumber) -> Response:
        visitor = office.admit(request)
        refuse_card_number(q)
        return office.render(
            visitor,
            "members.html",
            q=q,
            page=reader.members(q, page, services.clock.now()),
            explainer=_explainer(services, reader, visitor),
            kinds=AccountKind,
        )

    @router.get("/members/{member_id}", openapi_extra=told(200, 303, 400, 404))
    def member(request: Request, member_id: str, page: int = PageNumber) -> Response:
        visitor = office.admit(request)
        found = reader.member(MemberId(member_id), services.clock.now())
        if found is None:
            raise DomainError("unknown-member", member=member_id)
        ledger = reader.ledger(found.member_id, page)
        explainer = _explainer(services, reader, visitor)
        return office.render(
            visitor,
            "member.html",
            member=found,
            person=reader.person(found.member_id),
            page=ledger,
            entries=[explainer.explain(kept) for kept in ledger.items],
            explainer=explainer,
            kinds=AccountKind,
            fields=PROFILE_FIELDS,
            languages=Language,
            consents=Consent,
        )

    @router.post("/members/{member_id}/change", status_code=303, openapi_extra=_CHANGE)
    async def change(request: Request, member_id: str) -> Response:
        visitor = office.admit(request)
        fields, agreed = _typed_otherwise(await office.form(visitor))
        await run_in_threadpool(services.profiles.change, MemberId(member_id), fields, agreed)
        return to(f"/office/members/{member_id}")

    @router.post("/members/{member_id}/erase", status_code=303, openapi_extra=_ERASE)
    async def erase(request: Request, member_id: str) -> Response:
        visitor = office.admit(request)
        fields = await office.form(visitor)
        if fields.get("sure") == "yes":
            await run_in_threadpool(_erase, services, MemberId(member_id))
        return to(f"/office/members/{member_id}")


def _erase(services: Services, member_id: MemberId) -> None:
    services.erasure.erase(member_id, reason="request")


def _typed_otherwise(
    form: Mapping[str, str],
) -> tuple[dict[str, str], dict[Consent, bool]]:
    """What differs from what the page showed: what tills changed meanwhile is not put back."""
    fields = {
        name: form[name]
        for name in (*PROFILE_FIELDS, "language")
        if name in form and form[name] != form.get(f"was-{name}", "")
    }
    agreed = {one: form.get(f"consent-{one}", "") for one in Consent}
    return fields, {
        one: text == "yes" for one, text in agreed.items() if text != form.get(f"was-{one}", "")
    }


def _explainer(services: Services, reader: OfficeReader, visitor: Visitor) -> Explainer:
    return Explainer(
        words=visitor.words,
        stores={store.store_id: store.name for store in services.stores.stores()},
        tills={till.till_id: till.name for till in services.stores.tills()},
        programme=reader.programme(),
    )


def answer_page_error(office: Office, request: Request, error: EvertillError) -> Response:
    """An error as a page in words."""
    visitor = office.greet(request)
    status = _PAGE_STATUS.get(error.code) or STATUS.get(error.code, 400)
    return office.render(visitor, "error.html", status=status, text=visitor.words.error(error))


def to_sign_in(wanted: str) -> Response:
    """Send somebody who is not signed in to the door."""
    return RedirectResponse(f"/office/sign-in?wanted={wanted}", status_code=303)
