"""Mails, customers' answers and exports on a running instance, by the `cpor` command alone (contract §7)."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cpor.devstack.platform import PlatformKind, choose_platform, prepare_platform
from cpor.ops.instance import find_instance
from cpor.ops.partner_client import Dropbox, PartnerClient
from cpor.ops.reading import partition_counts, read_whole
from cpor.ops.running import Plan, run_instance
from cpor.runtime.topics import Topic
from schemas.audit import ANSWER_RECORDED, COMMAND_GIVEN, AnswerRecorded, CommandGiven
from schemas.base import check
from tests.acceptance.desk import OTHER_TENANT, START_SECONDS, Desk, customer, filed, form, partner_file
from tests.chaos.instance import await_true

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(START_SECONDS + 90)]

PATIENCE = 60.0
FORMULA = '=HYPERLINK("http://x.example","y")'
FABRIKAM = "株式会社ファブリカム"
#: Whose server takes mails first and gives them back.
LEFT = {"name": "Left", "title": "CIO", "email": "dsn-x@contoso.example"}
#: Reference → location, workload, what else the form says.
GONE = {"name": "Gone", "title": "CIO", "email": "bounce-x@contoso.example"}
FILED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "m-1": ("101", "teams", {}),
    "m-2": ("102", "intune", {"claim_name": FORMULA, "tenant_id": OTHER_TENANT}),
    "m-3": ("101", "yammer", {"customer_contact": GONE}),
    "m-4": ("101", "sharepoint", {"customer_contact": GONE}),
    "m-5": ("101", "exchange", {"customer_contact": LEFT}),
}
ANNA, KIM = "anna@isar.example", "kim@contoso.example"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """An instance with one partner and two customers."""
    if choose_platform() is PlatformKind.EXTERNAL:
        pytest.skip("needs a mail sink of its own")
    prepare_platform()
    folder = tmp_path_factory.mktemp("cli-mail")
    plan = Plan(folder / "data", test_clock="2026-03-02T08:00:00Z", keep=False)
    with run_instance(plan, lambda text: None):
        desk = Desk(plan.data)
        assert desk.cpor("partners", "add", partner_file(folder)).code == 0
        path = folder / "reference.ndjson"
        rows = [customer(form("", "")["tenant_id"], "Contoso"), customer(OTHER_TENANT, FABRIKAM)]
        path.write_text("\n".join(json.dumps(row) for row in rows))
        assert desk.cpor("reference", "load", path).code == 0
        yield desk


@pytest.fixture(scope="module")
def claims(desk: Desk) -> dict[str, str]:
    """Reference → claim id, all submitted; all but m-2 approved since."""
    instance = find_instance(desk.data)
    counts = partition_counts(instance.transport)
    partner = PartnerClient(instance.transport, "P-1", counts[Topic.INTAKE_SLOTS])
    box = Dropbox(instance.endpoints, "P-1")
    ids = {ref: filed(partner, box, ref, location, load, **said) for ref, (location, load, said) in FILED.items()}
    partner.close()
    for ref in ("m-1", "m-3", "m-4", "m-5"):
        assert desk.cpor("review", "start", ref, "--as", "r-1").code == 0
        assert desk.cpor("review", "approve", ref, "--as", "r-1").code == 0
    return ids


def mails(desk: Desk, *words: str, at_least: int = 1) -> list[dict[str, Any]]:
    """What `mail list` tells once there are so many."""
    found: list[dict[str, Any]] = []

    def come() -> bool:
        found[:] = desk.cpor("mail", "list", "--json", *words).json
        return len(found) >= at_least

    await_true(come, PATIENCE, lambda: f"{words}: {found}")
    return found


def standing(desk: Desk, ref: str, stage: str, delivery: str) -> dict[str, Any]:
    """What `consent show` tells once the newest notice's fate and the stage are these."""
    told: dict[str, Any] = {}

    def there() -> bool:
        told.update(desk.cpor("consent", "show", ref, "--json").json)
        newest = told["notices"][-1]["delivery"] if told["notices"] else None
        return (told["stage"], newest) == (stage, delivery)

    await_true(there, PATIENCE, lambda: str(told))
    return told


# -- mails -------------------------------------------------------------------------------------------------------------


def test_the_customers_notice_of_the_submission_lies_in_the_sink(desk: Desk, claims: dict[str, str]) -> None:
    (notice,) = mails(desk, "--claim", "m-1", "--kind", "customer_requested")
    assert (notice["to"], notice["claim_id"], notice["claim_ref"]) == (KIM, claims["m-1"], "m-1")
    assert notice["deliveries"] == 1
    assert notice["time"] > "2026-03-02T08:00"
    assert mails(desk, "--to", "KIM@contoso", "--kind", "customer_requested,customer_approved") != []
    several = mails(desk, "--claim", "m-1", at_least=2)
    assert [each["number"] for each in several] == sorted(each["number"] for each in several)
    assert desk.cpor("mail", "list", "--claim", "m-1", "--kind", notice["kind"], "--limit", "1", "--json").json == [
        notice
    ]


def test_a_mail_is_shown_by_number_message_id_or_as_the_newest_of_a_claim(
    desk: Desk, claims: dict[str, str], tmp_path: Path
) -> None:
    (notice,) = mails(desk, "--claim", "m-1", "--kind", "customer_requested")
    newest = ("--claim", "m-1", "--kind", "customer_requested")
    shown = [
        desk.cpor("mail", "show", *which).out for which in ((str(notice["number"]),), (notice["message_id"],), newest)
    ]
    assert shown[0] == shown[1] == shown[2]
    assert notice["subject"] in shown[0]
    whole = desk.cpor("mail", "show", *newest, "--json").json
    assert whole["text"].strip().splitlines()[0] in shown[0]
    assert desk.cpor("mail", "show", *newest, "--html", tmp_path / "notice.html").code == 0
    assert (tmp_path / "notice.html").read_text() == whole["html"]
    assert f"Message-ID: <{notice['message_id']}>" in desk.cpor("mail", "show", *newest, "--raw").out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("show", "9999"), 1, "cpor mail list"),
        (("show", "--claim", "m-9"), 1, "claim_unknown"),
        (("show", "1", "--raw", "--json"), 2, "choose one of"),
        (("list", "--kind", "advert"), 2, "customer_requested"),
        (("list", "--limit", "0"), 2, "--limit"),
    ],
)
def test_a_mail_that_cannot_be_shown_is_answered_with_why(
    desk: Desk, claims: dict[str, str], words: tuple[str, ...], code: int, said: str
) -> None:
    answer = desk.cpor("mail", *words)
    assert answer.code == code, answer
    assert said in answer.err


# -- customers' answers ------------------------------------------------------------------------------------------------


def test_a_no_by_phone_ends_the_approval_reaches_the_partner_and_is_audited(desk: Desk, claims: dict[str, str]) -> None:
    before = standing(desk, "m-1", "waiting", "delivered")
    assert [each["notice"] for each in before["notices"]] == ["submitted", "approved"]
    said = desk.cpor("consent", "decline", "m-1", "--note", "Kim rang back.", "--as", "o-lind")
    assert said.code == 0, said.err
    assert "the customer's no counts from 2026-03-0" in said.out
    assert "the claim is now rejected" in said.out
    assert desk.cpor("claims", "show", "m-1", "--json").json["reasons"][0]["code"] == "customer_declined"
    (mail,) = mails(desk, "--claim", "m-1", "--kind", "rejected")
    assert mail["to"] == ANNA
    (answer,) = desk.cpor("consent", "show", "m-1", "--json").json["answers"]
    assert (answer["operator"], answer["verdict"], answer["note"]) == ("o-lind", "declined", "Kim rang back.")
    entries = [check(AnswerRecorded, each.value or b"") for each in audit(desk, ANSWER_RECORDED)]
    assert [each.response_id for each in entries if each.claim_id == claims["m-1"]] == [answer["id"]]
    again = desk.cpor("consent", "decline", "m-1")
    assert again.code == 1
    assert "changes nothing: the customer has declined before" in again.err


def audit(desk: Desk, ce_type: str | None = None) -> list[Any]:
    """The entries of a type, or all."""
    entries = read_whole(find_instance(desk.data).transport, [Topic.AUDIT])
    return [each for each in entries if ce_type in (None, each.header("ce_type"))]


def test_a_yes_before_the_review_is_noted_and_changes_no_status(desk: Desk, claims: dict[str, str]) -> None:
    told = desk.cpor("consent", "agree", "m-2", "--by", "mail", "--answered-at", "2026-03-02T08:00:00Z", "--json").json
    assert (told["outcome"], told["event"], told["status"]) == ("agreed", "consent_answered", "submitted")
    assert told["counts_from"] == "2026-03-02T08:00:00.000Z"


def test_a_bounced_notice_stops_the_wait_and_a_yes_lets_it_run_on(desk: Desk, claims: dict[str, str]) -> None:
    stopped = standing(desk, "m-3", "suspended", "bounced")
    assert "550" in stopped["notices"][-1]["reply"]
    assert "correct the customer's contact" in desk.cpor("consent", "show", "m-3").out
    said = desk.cpor("consent", "agree", "m-3")
    assert said.code == 0, said.err
    assert "still approved" in said.out
    assert desk.cpor("consent", "show", "m-3", "--json").json["stage"] == "waiting"


def tasks(desk: Desk, ref: str) -> list[dict[str, Any]]:
    return [each for each in desk.cpor("ops", "tasks", "--json").json if each["claim_ref"] == ref]


def test_what_waits_for_an_operator_is_listed_and_mailed_until_the_notice_went_to_the_right_address(
    desk: Desk, claims: dict[str, str]
) -> None:
    standing(desk, "m-4", "suspended", "bounced")
    (task,) = tasks(desk, "m-4")
    assert (task["task"], task["claim_id"], task["why"]) == ("wait_suspended", claims["m-4"], "the notice bounced")
    told = mails(desk, "--claim", "m-4", "--kind", "operator_task", at_least=2)
    assert all(each["to"] == "operations@cpor.example" for each in told)
    assert "wait_suspended" in desk.cpor("ops", "tasks").out
    words = ("m-4", "--as", "o-lind", "--email", KIM, "--name", "Kim Lee", "--note", "Rang the switchboard.")
    said = desk.cpor("ops", "resend-notice", *words)
    assert said.code == 0, said.err
    entries = [check(CommandGiven, each.value or b"") for each in audit(desk, COMMAND_GIVEN)]
    assert [(each.claim_id, each.operator, each.note) for each in entries if each.claim_id == claims["m-4"]] == [
        (claims["m-4"], "o-lind", "Rang the switchboard.")
    ]
    assert "consent_wait runs until 2026-03-" in said.err
    standing(desk, "m-4", "waiting", "delivered")
    assert tasks(desk, "m-4") == []
    assert mails(desk, "--claim", "m-4", "--kind", "customer_approved")[-1]["to"] == KIM


@pytest.mark.rule("D20")
def test_a_notice_that_comes_back_after_its_delivery_stops_the_wait_until_it_went_to_the_right_address(
    desk: Desk, claims: dict[str, str]
) -> None:
    stopped = standing(desk, "m-5", "suspended", "bounced")
    assert stopped["notices"][-1]["reply"] == "came back: 5.1.1 no such mailbox"
    assert [each["task"] for each in tasks(desk, "m-5")] == ["wait_suspended"]
    notice = mails(desk, "--claim", "m-5", "--kind", "customer_approved")[-1]
    assert (notice["to"], notice["deliveries"], notice["state"]) == (LEFT["email"], 1, "bounced")
    assert desk.cpor("status", "--json").json["mail"]["came_back"] >= 2
    said = desk.cpor("ops", "resend-notice", "m-5", "--as", "o-lind", "--email", KIM, "--name", "Kim Lee")
    assert said.code == 0, said.err
    standing(desk, "m-5", "waiting", "delivered")
    assert tasks(desk, "m-5") == []
    assert "mailbox of bounces" in desk.cpor("doctor").out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("resend-notice", "m-2"), 1, "illegal_transition"),
        (("resend-notice", "m-9"), 1, "claim_unknown"),
        (("resend-notice", "m-4", "--email", "nowhere"), 2, "email"),
        (("resend-notice", "m-4", "--as", "two words"), 2, "--as"),
        (("tasks", "--kind", "holiday"), 2, "wait_suspended"),
    ],
)
def test_what_an_operator_cannot_do_is_answered_with_why(
    desk: Desk, claims: dict[str, str], words: tuple[str, ...], code: int, said: str
) -> None:
    answer = desk.cpor("ops", *words)
    assert answer.code == code, answer
    assert said in answer.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("decline", "m-9"), 1, "claim_unknown"),
        (("decline", "m-2", "--answered-at", "2027-01-01T00:00:00Z"), 2, "lies in the future"),
        (("decline", "m-2", "--answered-at", "2026-03-02"), 2, "with its zone"),
        (("agree", "m-2", "--as", "two words"), 2, "--as"),
        (("agree", "m-2", "--by", "page"), 2, "--by"),
        (("agree", "m-2", "--note", "x" * 4_001), 2, "note"),
    ],
)
def test_an_answer_that_cannot_be_put_on_record_writes_nothing(
    desk: Desk, claims: dict[str, str], words: tuple[str, ...], code: int, said: str
) -> None:
    before = len(audit(desk))
    answer = desk.cpor("consent", *words)
    assert answer.code == code, answer
    assert said in answer.err
    assert len(audit(desk)) == before


# -- files and choices -------------------------------------------------------------------------------------------------


def test_an_export_is_what_the_list_shows_in_either_format(desk: Desk, claims: dict[str, str], tmp_path: Path) -> None:
    asked = ("--sort", "claim_ref:desc", "--location", "102", "--status", "submitted, draft")
    listed = desk.cpor("claims", "list", "--json", *asked).json
    assert [each["claim_ref"] for each in listed] == ["m-2"]
    lines = desk.cpor("claims", "export", *asked, "--format", "ndjson").out.splitlines()
    assert [json.loads(line) for line in lines] == listed
    said = desk.cpor("claims", "export", *asked, "-o", tmp_path / "claims.csv", "--excel")
    assert said.code == 0, said.err
    rows = read_csv((tmp_path / "claims.csv").read_bytes().decode("utf-8-sig"))
    assert [list(row) for row in rows] == [list(each) for each in listed]
    assert (rows[0]["claim_name"], rows[0]["customer_name"]) == (f"'{FORMULA}", FABRIKAM)
    assert [each.name for each in tmp_path.iterdir()] == ["claims.csv"]


def test_an_export_into_a_pipe_holds_the_claims_and_the_progress_stays_on_the_terminal(
    desk: Desk, claims: dict[str, str]
) -> None:
    terminal, other_end = os.openpty()
    words = ("claims", "export", "--columns", "claim_ref", "--sort", "claim_ref", "--data", str(desk.data))
    command = [sys.executable, "-m", "cpor.ops", *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=other_end, timeout=60, check=True, text=True)
    os.close(other_end)
    os.close(terminal)
    assert done.stdout.splitlines() == ["claim_ref", *FILED]


def test_a_user_exports_only_what_the_user_may_see(desk: Desk, claims: dict[str, str]) -> None:
    said = desk.cpor(
        "claims", "export", "--as-partner", "P-1", "--user", "u-branch", "--columns", "claim_ref,location_id"
    )
    assert read_csv(said.out) == [{"claim_ref": "m-2", "location_id": "102"}]
    assert "1 claim" in said.err


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_locations_are_listed_with_their_enrolment_and_by_user(desk: Desk) -> None:
    told = desk.cpor("locations", "list", "--partner", "P-1", "--json").json
    assert [(each["location_id"], each["enrolled"]) for each in told] == [("101", True), ("102", True)]
    mine = desk.cpor("locations", "list", "--partner", "P-1", "--user", "u-branch", "--json").json
    assert [each["location_id"] for each in mine] == ["102"]
    assert "partner_unknown" in desk.cpor("locations", "list", "--partner", "P-9").err


def test_tables_for_people_tell_of_mails_answers_and_locations(desk: Desk, claims: dict[str, str]) -> None:
    for words, told in (
        (("mail", "list"), "customer_requested"),
        (("mail", "show", "1"), "Subject"),
        (("consent", "show", "m-1"), "Notices"),
        (("locations", "list", "--partner", "P-1"), "Europe/Berlin"),
    ):
        said = desk.cpor(*words)
        assert said.code == 0, said.err
        assert told in said.out
