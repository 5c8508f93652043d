"""Who gets into head office, and which forms are believed."""

import re

import httpx
import pytest

from shared.clock import ManualClock
from tests.support.servers import Server

PASSWORD = "correct horse battery"


@pytest.fixture
def browser(server: Server) -> httpx.Client:
    """The test client, which keeps cookies and follows redirects."""
    server.services.users.add("manager", PASSWORD)
    server.line.client.follow_redirects = True
    return server.line.client


@pytest.mark.parametrize(
    "path", ["/office/", "/office/members", "/office/members/x", "/office/exceptions"]
)
def test_every_page_asks_strangers_to_sign_in(browser: httpx.Client, path: str) -> None:
    response = browser.get(path)

    assert response.url.path == "/office/sign-in"


@pytest.mark.parametrize("path", ["/office/members/x/erase", "/office/tills/x/code"])
def test_every_action_asks_strangers_to_sign_in(browser: httpx.Client, path: str) -> None:
    assert browser.post(path, data={"sure": "yes"}).url.path == "/office/sign-in"


def test_the_right_password_opens_and_signing_out_closes(browser: httpx.Client) -> None:
    token = sign_in(browser, PASSWORD)
    assert browser.get("/office/").url.path == "/office/"

    browser.post("/office/sign-out", data={"form_token": token})

    assert browser.get("/office/").url.path == "/office/sign-in"


def test_a_form_of_another_site_is_not_believed(browser: httpx.Client, server: Server) -> None:
    till = server.enrol_till()
    member = till.enrol_member()
    server.line.push(till)
    sign_in(browser, PASSWORD)

    for token in ("", "A" * 43):
        response = browser.post(
            f"/office/members/{member}/erase", data={"sure": "yes", "form_token": token}
        )
        assert response.status_code == 400
    assert "Li Lei" in browser.get(f"/office/members/{member}").text


def test_guessing_a_password_is_slowed_down(browser: httpx.Client, clock: ManualClock) -> None:
    for _ in range(8):
        assert attempt(browser, "wrong password").status_code == 403
    assert attempt(browser, PASSWORD).status_code == 429

    clock.advance(minutes=15, seconds=1)

    assert attempt(browser, PASSWORD).status_code == 200


def test_a_new_password_ends_the_sessions_of_the_old_one(
    browser: httpx.Client, server: Server
) -> None:
    sign_in(browser, PASSWORD)

    server.services.users.add("manager", "another long password")

    assert browser.get("/office/").url.path == "/office/sign-in"


def test_a_session_ends_after_twelve_hours(browser: httpx.Client, clock: ManualClock) -> None:
    sign_in(browser, PASSWORD)
    clock.advance(hours=12, seconds=1)

    assert browser.get("/office/").url.path == "/office/sign-in"


@pytest.mark.parametrize("cookie", ["", ".", "a.b", "x", "é".encode().hex() + ".AAAA"])
def test_a_forged_session_opens_nothing(browser: httpx.Client, cookie: str) -> None:
    browser.cookies.set("evertill_session", cookie)

    assert browser.get("/office/").url.path == "/office/sign-in"


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "/office\\@evil"])
def test_nobody_is_sent_to_another_site(browser: httpx.Client, back: str) -> None:
    browser.follow_redirects = False

    response = browser.get("/office/language/en", params={"back": back})

    assert response.headers["location"] == "/office/"


def test_cookies_are_out_of_reach_and_pages_not_kept(browser: httpx.Client) -> None:
    response = browser.get("/office/sign-in")

    assert "HttpOnly" in response.headers["set-cookie"]
    assert "SameSite=lax" in response.headers["set-cookie"]
    assert response.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in response.headers["content-security-policy"]


@pytest.mark.parametrize("query", ["%", "_", "'", '"', "\\", "\0", "<b>", "x" * 500])
def test_any_text_can_be_searched_for(browser: httpx.Client, query: str) -> None:
    sign_in(browser, PASSWORD)

    response = browser.get("/office/members", params={"q": query})

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/office/members/nobody", 404),
        ("/office/members?page=0", 400),
        ("/office/members?page=x", 400),
        ("/office/nothing", 404),
    ],
)
def test_a_wrong_address_is_a_page_in_words(browser: httpx.Client, path: str, status: int) -> None:
    sign_in(browser, PASSWORD)

    response = browser.get(path, headers={"Accept-Language": "en"})

    assert response.status_code == status
    assert 'role="alert"' in response.text


def attempt(browser: httpx.Client, password: str) -> httpx.Response:
    page = browser.get("/office/sign-in").text
    return browser.post(
        "/office/sign-in",
        data={"form_token": token_in(page), "login": "manager", "password": password},
    )


def sign_in(browser: httpx.Client, password: str) -> str:
    response = attempt(browser, password)
    assert response.status_code == 200
    return token_in(response.text)


def token_in(page: str) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]
