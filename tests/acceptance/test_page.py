"""The customer's page in a real browser, opened by the links of the mails of a running instance (contract §6)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3
from playwright.sync_api import Browser

from cpor.devstack.mail import Received, received
from cpor.devstack.platform import PlatformKind, choose_platform, prepare_platform
from cpor.ops.clock import await_idle
from cpor.ops.clock import test_clock as clock_of
from cpor.ops.instance import Instance
from cpor.ops.partner_client import Dropbox, PartnerClient
from cpor.ops.reading import partition_counts, read_whole
from cpor.ops.running import Plan, run_instance
from cpor.runtime.topics import Topic
from cpor.words import LANGUAGES
from schemas.mail import MAIL, MailKind
from services.consent.tokens import Tokens
from tests.acceptance.browser import Visit, links_of, scanned, visiting
from tests.acceptance.desk import START_SECONDS, Desk, customer, filed, partner_file
from tests.browser import real_browser
from tests.chaos.instance import await_true

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(START_SECONDS + 120)]

PATIENCE = 60.0
MINUTE = 60_000
TO_CUSTOMERS = (MailKind.CUSTOMER_REQUESTED, MailKind.CUSTOMER_APPROVED)
#: What a link that leads nowhere must not tell.
SECRETS = ("Isar", "Contoso", "Teams", "Exchange", "@contoso.example")
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}


@dataclass
class Office:
    """The instance, its operators, and the customers' mails."""

    desk: Desk
    instance: Instance
    partner: PartnerClient
    box: Dropbox
    claims: dict[str, str] = field(default_factory=dict)

    def files(self, ref: str, workload: str, language: str, mailbox: str = "kim") -> None:
        contact = {"name": "Kim Lee", "title": "CIO", "email": f"{mailbox}@contoso.example", "language": language}
        said = {"tenant_id": tenant(language), "customer_contact": contact}
        self.claims[ref] = filed(self.partner, self.box, ref, "101", workload, **said)

    def approves(self, ref: str) -> None:
        for step in ("start", "approve"):
            said = self.desk.cpor("review", step, ref, "--as", "r-1")
            assert said.code == 0, said.err

    def rests(self) -> None:
        """Everything is delivered, and a while ago."""
        await_idle(self.instance)
        clock = clock_of(self.instance)
        clock.set(clock.now() + MINUTE)

    def mail(self, ref: str) -> Received:
        """The newest one that the claim's customer got."""
        found = received(Path(self.instance.endpoints.mail_dir))
        mine = [each for each in found if each.message["X-CPOR-Claim"] == self.claims[ref]]
        return [each for each in mine if str(each.message["X-CPOR-Kind"]) in TO_CUSTOMERS][-1]

    def link(self, ref: str) -> str:
        (link,) = (each for each in links_of(self.mail(ref)) if "token=" in each)
        return link

    def answers(self, ref: str) -> list[dict[str, Any]]:
        """The customer's answers on the log."""
        found = read_whole(self.instance.transport, [Topic.CONSENT_RESPONSES])
        mine = [each for each in found if each.header("ce_subject") == self.claims[ref]]
        return [json.loads(each.value or b"") for each in mine]

    def awaits(self, ref: str, **wanted: str) -> dict[str, Any]:
        """What `consent show` tells once these stand there."""
        told: dict[str, Any] = {}

        def there() -> bool:
            told.update(self.desk.cpor("consent", "show", ref, "--json").json)
            return all(told[name] == value for name, value in wanted.items())

        await_true(there, PATIENCE, lambda: str(told))
        return told

    def reasons(self, ref: str) -> tuple[str, list[str]]:
        told = self.desk.cpor("claims", "show", ref, "--json").json
        return told["status"], [each["code"] for each in told["reasons"]]


def tenant(language: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{language.lower()}.contoso.example"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with real_browser() as found:
        yield found


@pytest.fixture(scope="module")
def office(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Claims of customers who read five languages, all asked; those whose name begins with `no` are approved."""
    if choose_platform() is PlatformKind.EXTERNAL:
        pytest.skip("needs a mail sink of its own")
    prepare_platform()
    folder = tmp_path_factory.mktemp("page")
    with run_instance(
        Plan(folder / "data", test_clock="2026-03-02T08:00:00Z", keep=False), lambda text: None
    ) as running:
        desk, instance = Desk(folder / "data"), running.instance
        assert desk.cpor("partners", "add", partner_file(folder)).code == 0
        rows = folder / "reference.ndjson"
        rows.write_text("\n".join(json.dumps(customer(tenant(each), "Contoso")) for each in LANGUAGES))
        assert desk.cpor("reference", "load", rows).code == 0
        counts = partition_counts(instance.transport)
        partner = PartnerClient(instance.transport, "P-1", counts[Topic.INTAKE_SLOTS])
        office = Office(desk, instance, partner, Dropbox(instance.endpoints, "P-1"))
        fill(office)
        yield office
        partner.close()


def fill(office: Office) -> None:
    for language in LANGUAGES:
        office.files(f"no-{language}", "teams", language)
        office.files(f"yes-{language}", "exchange", language)
    for ref, language in (("no-visit", "en"), ("no-more", "ja"), ("scan", "de")):
        office.files(ref, "intune", language)
    for ref in office.claims:
        if ref.startswith("no"):
            office.approves(ref)
    office.rests()


def assert_fit(visit: Visit) -> None:
    """Everybody can use what is shown, and nobody else hears of it."""
    assert visit.violations() == []
    assert visit.elsewhere() == []


# -- answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("D4", "D19")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_no_by_the_link_of_the_mail_counts_once_and_every_later_look_shows_it(
    office: Office, browser: Browser, language: str
) -> None:
    ref = f"no-{language}"
    with visiting(browser) as visit, visiting(browser) as other:
        opened = visit.opens(office.link(ref))
        other.opens(office.link(ref))
        assert (opened.headers["content-language"], visit.language()) == (language, language)
        assert visit.buttons() == ["decline", "agree"]
        assert_fit(visit)
        visit.presses("decline")
        visit.awaits("declined")
        assert visit.buttons() == []
        assert_fit(visit)
        other.presses("agree")
        other.awaits("declined")
        assert other.language() == language
    assert office.reasons(ref) == ("rejected", ["customer_declined"])
    (said,) = office.answers(ref)
    assert (said["answer"], said["channel"], said.get("doubts")) == ("decline", "page", None)
    evidence = json.loads(said["evidence"])
    assert (evidence["page"]["language"], evidence["notice"]["language"]) == (language, language)
    assert "Chrome" in evidence["user_agent"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_yes_needs_no_scripts_and_no_wide_screen_and_leaves_the_no_possible(
    office: Office, browser: Browser, language: str
) -> None:
    ref = f"yes-{language}"
    with visiting(browser, java_script_enabled=False, **PHONE) as visit:
        visit.opens(office.link(ref))
        visit.presses("agree")
        visit.awaits("agreed")
        assert (visit.language(), visit.buttons()) == (language, ["decline"])
        assert visit.elsewhere() == []
    assert [(each["answer"], each.get("doubts")) for each in office.answers(ref)] == [("agree", None)]


# -- links that lead nowhere ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_forged_or_expired_link_helps_its_reader_and_reveals_nothing(
    office: Office, browser: Browser, language: str
) -> None:
    link = office.link(f"yes-{language}")
    genuine = parse_qs(urlsplit(link).query)["token"][0]
    tokens = Tokens(office.instance.env()["CPOR_CONSENT_KEY"])
    about = tokens.read(genuine)
    assert about is not None
    expired = tokens.make(about._replace(last_day=date(2026, 3, 1)))
    forged = f"{genuine[:40]}{'A' if genuine[40] != 'A' else 'B'}{genuine[41:]}"
    with visiting(browser, locale=language) as visit:
        for token, status in ((forged, 404), (expired, 410), ("", 404)):
            assert visit.opens(link.replace(genuine, token)).status == status
            assert (visit.language(), visit.buttons()) == (language, [])
            assert not [each for each in SECRETS if each in visit.page.content()]
            assert_fit(visit)


def test_a_link_that_a_corrected_contact_replaced_shows_nothing_and_the_new_one_does(
    office: Office, browser: Browser
) -> None:
    old = office.link("no-more")
    said = office.desk.cpor(
        "ops", "resend-notice", "no-more", "--as", "o-1", "--email", "ken@contoso.example", "--name", "Ken Abe"
    )
    assert said.code == 0, said.err
    await_true(lambda: office.link("no-more") != old, PATIENCE, lambda: "no new notice")
    with visiting(browser) as visit:
        assert visit.opens(old).status == 410
        assert not [each for each in SECRETS if each in visit.page.content()]
        assert visit.opens(office.link("no-more")).status == 200


# -- programs ---------------------------------------------------------------------------------------------------------


@pytest.mark.rule("D20")
def test_a_scanner_that_opens_every_link_of_a_mail_and_runs_its_scripts_changes_nothing(
    office: Office, browser: Browser
) -> None:
    before = office.awaits("scan")
    links = links_of(office.mail("scan"))
    assert any("token=" in each for each in links)
    assert set(scanned(links, browser)) == {200}
    await_idle(office.instance)
    assert office.answers("scan") == []
    assert office.awaits("scan") == before


@pytest.mark.rule("D20")
def test_an_answer_without_a_visit_is_held_until_an_operator_releases_it(office: Office, browser: Browser) -> None:
    link = office.link("no-visit")
    posted(link)
    stopped = office.awaits("no-visit", stage="suspended")
    assert office.reasons("no-visit") == ("approved", [])
    with visiting(browser) as visit:
        visit.opens(link)
        visit.awaits("checking")
        assert_fit(visit)
        (waiting,) = office.desk.cpor("consent", "review", "no-visit", "--json").json
        assert office.desk.cpor("consent", "review", "no-visit", "--release", "--as", "o-1").code == 0
        visit.awaits("declined")
    assert waiting["doubts"] == ["no_visit"]
    assert office.reasons("no-visit") == ("rejected", ["customer_declined"])
    assert office.awaits("no-visit")["notices"] == stopped["notices"]


@pytest.mark.rule("D20")
def test_an_answer_that_comes_before_the_mail_is_delivered_is_held(office: Office, browser: Browser) -> None:
    """A gateway that looks into mails before it takes them: it has the link, and nobody has the mail."""
    office.files("soon", "yammer", "pt-PT", mailbox="defer-99-kim")
    written: list[str] = []

    def tried() -> bool:
        found = read_whole(office.instance.transport, [Topic.MAIL])
        mine = [each for each in found if each.header("ce_subject") == office.claims["soon"]]
        texts = [json.loads(each.value or b"")["text"] for each in mine if each.header("ce_type") == MAIL]
        written[:] = [word for text in texts for word in text.split() if "token=" in word]
        return bool(written)

    await_true(tried, PATIENCE, lambda: "no mail")
    with visiting(browser) as visit:
        visit.opens(written[0])
        visit.presses("decline")
        visit.awaits("checking")
    assert [each["doubts"] for each in office.answers("soon")] == [["too_soon"]]
    assert office.desk.cpor("consent", "review", "soon", "--dismiss", "--as", "o-1").code == 0
    assert office.reasons("soon") == ("submitted", [])


def posted(link: str) -> None:
    """The form is sent by somebody who never saw it."""
    where = urlsplit(link)
    fields = {"token": parse_qs(where.query)["token"][0], "answer": "decline"}
    address = f"{where.scheme}://{where.netloc}/answer"
    http = urllib3.PoolManager(timeout=30)
    said = http.request("POST", address, fields=fields, encode_multipart=False, redirect=False)
    assert said.status == 303, said.data
