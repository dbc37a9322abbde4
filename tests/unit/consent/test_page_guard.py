"""The page's outer wall: headers, limits, what it logs, and what it says when the log does not answer."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cpor.domain.vocabulary import Status
from cpor.runtime.errors import Misconfigured
from cpor.runtime.record import Output
from cpor.runtime.topics import Topic
from cpor.runtime.transport.memory import MemoryPublisher, MemoryTransport
from cpor.runtime.transport.port import PublishFailed
from schemas.consent import Doubt
from services.consent.page.__main__ import Web
from services.consent.page.answering import Log, doubts_of, evidence_of, page_version
from services.consent.page.guard import Rates, network, source
from services.consent.page.knowledge import NoticeSent
from services.consent.page.languages import language_of
from services.consent.tokens import About
from tests.unit.consent.page_stage import Browser, words
from tests.unit.review.pipeline import directory_entry

HERE = Path("services/consent/page")
POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


# -- headers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/?token=x", "/", "/static/page.css", "/healthz", "/answer", "/none", "/?token={}"])
def test_every_answer_carries_the_headers_that_keep_it_safe(browser: Browser, path: str) -> None:
    told = browser.client.get(path.format(browser.link())).headers
    assert told["Content-Security-Policy"] == POLICY
    assert told["Referrer-Policy"] == "no-referrer"
    assert told["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in told
    assert "Strict-Transport-Security" not in told
    assert told["Cache-Control"] == ("no-store" if "css" not in path else "public, max-age=3600")


def test_behind_tls_browsers_are_told_to_stay_there(browser: Browser) -> None:
    assert "Strict-Transport-Security" in browser.with_site(https=True).opens().headers
    assert "Strict-Transport-Security" in browser.client.get("/healthz", base_url="https://x.example").headers


def test_the_page_loads_nothing_from_elsewhere_and_runs_no_script(browser: Browser) -> None:
    html = browser.opens().text
    assert re.findall(r'(?:src|href|action)="(?!mailto:)([^"?]*)', html) == ["static/page.css", *["./"] * 5, "answer"]
    assert not re.search(r"<script|<iframe|<img|<object|style=|\son\w+=", html)
    assert "url(" not in (HERE / "static" / "page.css").read_text()


def test_a_partner_s_name_that_holds_html_is_text(browser: Browser) -> None:
    entry = directory_entry("P-1") | {"name": '<script>alert("1")</script>'}
    browser.stage.load(Topic.PARTNERS, "P-1", entry, 0)
    html = browser.opens().text
    assert "<script" not in html
    assert "&lt;script&gt;" in html


# -- limits -----------------------------------------------------------------------------------------------------------


def test_who_opens_one_link_too_often_is_told_when_to_come_again_and_others_are_not(browser: Browser) -> None:
    narrow = browser.with_site(rates=Rates(link=3))
    first, newest = (told.token for _, told in browser.stage.requests())
    assert [narrow.opens(first).status_code for _ in range(4)] == [200, 200, 200, 429]
    stopped = narrow.opens(first, lang="en")
    assert 1 <= int(stopped.headers["Retry-After"]) <= 60
    assert "Nothing was changed" in words(stopped)
    assert narrow.opens(newest).status_code == 200


def test_an_address_that_asks_too_often_is_stopped_whatever_it_asks_for(browser: Browser) -> None:
    narrow = browser.with_site(rates=Rates(address=2))
    assert [narrow.opens(each).status_code for each in ("x", browser.link(), "y")] == [404, 200, 429]


def test_guessing_links_is_slow(browser: Browser) -> None:
    narrow = browser.with_site(rates=Rates(wrong_links=2))
    assert [narrow.opens("x").status_code for _ in range(3)] == [404, 404, 429]
    assert narrow.opens().status_code == 200


def test_too_many_presses_of_one_link_s_buttons_are_stopped(browser: Browser) -> None:
    narrow = browser.with_site(rates=Rates(answers_of_link=1))
    page = narrow.opens()
    narrow.presses(page, "agree")
    assert narrow.presses(page, "decline").status_code == 429
    assert len(narrow.answers()) == 1


def test_a_body_that_is_too_large_is_not_read(browser: Browser) -> None:
    answer = browser.client.post("/answer", data={"token": browser.link(), "answer": "x" * 20_000})
    assert answer.status_code == 413
    assert browser.answers() == []


@pytest.mark.parametrize("answer", ["", "maybe", "DECLINE", "decline\0", "<b>"])
def test_what_no_button_says_is_no_answer(browser: Browser, answer: str) -> None:
    assert browser.presses(browser.opens(), answer).status_code == 400
    assert browser.answers() == []


# -- when the log does not answer -------------------------------------------------------------------------------------


class Refusing(MemoryTransport):
    """A broker that takes nothing from publishers."""

    def publisher(self) -> MemoryPublisher:
        class Publisher(MemoryPublisher):
            def send(self, output: Output) -> None:
                """It lies in the client's buffer."""

            def flush(self, seconds: float = 30) -> list[int]:
                raise PublishFailed("not acknowledged in time")

        return Publisher(self.broker)


def test_an_answer_that_the_log_did_not_take_is_not_said_to_be_recorded(browser: Browser) -> None:
    page = browser.opens(lang="en")
    failing = browser.with_site(answers=Log(Refusing(browser.stage.broker)))
    told = failing.presses(page, "decline")
    assert told.status_code == 503
    assert "We cannot say for sure that your answer was recorded" in words(told)
    assert told.headers["Retry-After"]
    assert browser.stage.claim().status == Status.APPROVED
    browser.presses(page, "decline")
    assert browser.stage.claim().status == Status.REJECTED


def test_a_log_that_failed_once_takes_the_next_answer(browser: Browser) -> None:
    transport = Refusing(browser.stage.broker)
    answers = Log(transport)
    shaky = browser.with_site(answers=answers)
    page = shaky.opens()
    assert shaky.presses(page, "decline").status_code == 503
    answers._transport = MemoryTransport(browser.stage.broker)
    assert shaky.presses(page, "decline").status_code == 200
    assert len(shaky.answers()) == 1


# -- what is logged and what is kept ----------------------------------------------------------------------------------


def test_the_access_log_names_no_link_no_address_and_no_browser(browser: Browser) -> None:
    with capture_logs() as lines:
        browser.client.get("/", query_string={"token": browser.link()}, environ_base={"REMOTE_ADDR": "192.0.2.77"})
    told = [line for line in lines if line["event"] == "request"]
    assert [line["network"] for line in told] == ["192.0.2.0/24"]
    assert set(told[0]) == {"event", "log_level", "method", "page", "status", "ms", "network", "outcome"}
    assert browser.link() not in str(lines)
    assert "192.0.2.77" not in str(lines)


@pytest.mark.parametrize(
    ("address", "near", "limited"),
    [
        ("192.0.2.77", "192.0.2.0/24", "192.0.2.77"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48", "2001:db8:1:2::/64"),
        ("", "unknown", "unknown"),
        ("x", "unknown", "unknown"),
    ],
)
def test_addresses_are_logged_as_networks_and_limited_by_household(address: str, near: str, limited: str) -> None:
    assert (network(address), source(address)) == (near, limited)


def test_the_view_keeps_no_contact_data(browser: Browser, tmp_path: Path) -> None:
    browser.opens()
    kept = b"".join(each.read_bytes() for each in tmp_path.iterdir())
    assert b"P-1" in kept
    assert b"kana@contoso.example" not in kept


def test_a_long_name_of_a_browser_is_cut_and_its_control_characters_are_left_out() -> None:
    about = About("t", "c", "r")  # type: ignore[arg-type]
    told = evidence_of(about, NoticeSent(), None, 0, "a\x00\x1b" + "b" * 9_000, "en")
    assert '"user_agent":"a' + "b" * 199 + '"' in told
    assert len(told) < 1_000


def test_the_page_s_version_is_that_of_its_words() -> None:
    assert re.fullmatch(r"[0-9a-f]{12}", page_version())


DELIVERED = NoticeSent(delivered_at=10_000)


@pytest.mark.parametrize(
    ("notice", "opened_at", "now", "doubts"),
    [
        (DELIVERED, 12_000, 13_000, ()),
        (DELIVERED, 12_000, 12_999, (Doubt.TOO_SOON,)),
        (DELIVERED, None, 13_000, (Doubt.NO_VISIT,)),
        (DELIVERED, 14_000, 13_000, (Doubt.NO_VISIT,)),
        (DELIVERED, 20_000, 20_000 + 4 * 3_600_000, ()),
        (DELIVERED, 20_000, 20_001 + 4 * 3_600_000, (Doubt.NO_VISIT,)),
        (NoticeSent(), None, 13_000, (Doubt.NO_VISIT, Doubt.TOO_SOON)),
    ],
)
def test_what_speaks_against_a_person(
    notice: NoticeSent, opened_at: int | None, now: int, doubts: tuple[Doubt, ...]
) -> None:
    assert doubts_of(notice, opened_at, now) == doubts


# -- languages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "spoken"),
    [
        (("de", "ja"), "de"),
        ((None, "ja"), "ja"),
        (("fr", "ja"), "ja"),
        (("en-GB", "ja"), "en"),
        (("pt-BR",), "pt-PT"),
        (("zh-TW",), "zh-Hant"),
        (("zh-CN", "de"), "de"),
        (("fr",), "en"),
        ((), "en"),
        (("", "xx-yy-zz", "*"), "en"),
    ],
)
def test_the_first_language_that_we_speak_is_spoken(wanted: tuple[str | None, ...], spoken: str) -> None:
    assert language_of(*wanted) == spoken


def test_the_page_speaks_the_contact_s_language_unless_the_reader_asks_for_another(browser: Browser) -> None:
    browser.stage.doubtful()
    contact = {"name": "Ken Abe", "title": "CTO", "email": "ken@contoso.example", "language": "ja"}
    browser.stage.resend(customer_contact=contact)
    assert browser.opens().headers["Content-Language"] == "ja"
    german = browser.opens(lang="de")
    assert german.headers["Content-Language"] == "de"
    assert '<html lang="de">' in german.text
    assert browser.presses(german, "agree").headers["Content-Language"] == "de"


def test_a_page_without_a_claim_speaks_the_browser_s_language(browser: Browser) -> None:
    page = browser.client.get("/?token=x", headers=[("Accept-Language", "fr;q=0.9, pt-BR;q=0.8, en;q=0.1")])
    assert page.headers["Content-Language"] == "pt-PT"


# -- settings ---------------------------------------------------------------------------------------------------------


def test_settings_are_read_from_the_environment() -> None:
    told = Web.read(
        {
            "CPOR_CONSENT_LISTEN": "0.0.0.0:9000",
            "CPOR_CONSENT_URL": "https://c.example/",
            "CPOR_CONSENT_PROXIES": "1",
            "CPOR_CONSENT_RATE": "50",
            "CPOR_MAIL_REPLY_TO": "Claims <claims@c.example>",
        }
    )
    assert told == Web("0.0.0.0", 9000, 1, "claims@c.example", True, replace(Rates(), address=50))
    assert Web.read({}) == Web("127.0.0.1", 8080)


@pytest.mark.parametrize(
    ("name", "value"),
    [("CPOR_CONSENT_LISTEN", "8080"), ("CPOR_CONSENT_LISTEN", "x:y"), ("CPOR_CONSENT_PROXIES", "-1")],
)
def test_a_setting_that_cannot_be_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(Misconfigured, match=name):
        Web.read({name: value})
