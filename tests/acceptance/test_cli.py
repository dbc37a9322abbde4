"""An operator's and a reviewer's day on a running instance, by the `cpor` command alone (contract §7)."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from cpor.devstack.mail import received
from cpor.devstack.platform import PlatformKind, choose_platform, prepare_platform
from cpor.devstack.seaweed import s3_client
from cpor.domain.vocabulary import CommandName, parse_instant
from cpor.ops.clock import await_idle
from cpor.ops.instance import find_instance
from cpor.ops.partner_client import Dropbox, PartnerClient
from cpor.ops.reading import partition_counts, read_whole
from cpor.ops.running import BOUNCES, DELIVERY, PAGE, SERVICES
from cpor.runtime.topics import Topic
from tests.acceptance.desk import (
    START_SECONDS,
    SUBSCRIPTION,
    TENANT,
    Desk,
    customer,
    drafted,
    filed,
    partner_file,
    proof,
    set_up,
)

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(START_SECONDS + 90)]
FILED = (("c-1", "101", "teams"), ("c-2", "102", "intune"))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """An instance with one partner, two customers and a subscription."""
    if choose_platform() is PlatformKind.EXTERNAL:
        pytest.skip("needs an instance of its own, to stop and start")
    prepare_platform()
    folder = tmp_path_factory.mktemp("cli")
    desk = Desk(folder / "data")
    desk.data.mkdir()
    try:
        desk.up("--test-clock", "2026-03-02T08:00:00Z")
        set_up(desk, folder)
        yield desk
    finally:
        if desk.process and desk.process.poll() is None:
            desk.down(signal.SIGTERM)


@pytest.fixture(scope="module")
def partner(desk: Desk) -> Iterator[PartnerClient]:
    instance = find_instance(desk.data)
    counts = partition_counts(instance.transport)
    client = PartnerClient(instance.transport, "P-1", counts[Topic.INTAKE_SLOTS])
    yield client
    client.close()


@pytest.fixture(scope="module")
def claims(desk: Desk, partner: PartnerClient) -> dict[str, str]:
    """Reference → claim id: two submitted by the bulk path, one draft with an uploaded document."""
    box = Dropbox(find_instance(desk.data).endpoints, "P-1")
    ids = {ref: filed(partner, box, ref, location, workload) for ref, location, workload in FILED}
    return ids | {"c-3": drafted(partner)}


# -- running ---------------------------------------------------------------------------------------------------------


def test_env_prints_what_a_client_needs(desk: Desk) -> None:
    said = desk.cpor("env")
    told = dict(line.split("=", 1) for line in said.out.splitlines())
    wanted = {"CPOR_KAFKA_BOOTSTRAP", "CPOR_S3_ENDPOINT", "CPOR_S3_ACCESS_KEY", "CPOR_S3_SECRET_KEY"}
    assert wanted | {"CPOR_MAIL_DIR", "CPOR_CONSENT_URL"} <= told.keys()
    assert Path(told["CPOR_MAIL_DIR"]).is_dir()
    assert told == desk.cpor("env", "--json").json


def test_status_tells_of_each_worker_and_of_what_waits(desk: Desk, claims: dict[str, str]) -> None:
    told = desk.cpor("status", "--json").json
    assert {each["service"] for each in told["workers"]} == {*SERVICES, PAGE, BOUNCES, DELIVERY}
    assert all(each["state"] in ("running", "idle") for each in told["workers"])
    assert told["mail"]["answers"]
    topics = {(each["service"], each["topic"]) for each in told["inputs"]}
    assert {("intake", "cpor.partners.P-1.commands"), ("review", "cpor.claims.commands")} <= topics
    assert ("notify-delivery", "cpor.notify.mail") in topics


def test_once_nothing_is_left_to_do_status_says_so(desk: Desk, claims: dict[str, str]) -> None:
    await_idle(find_instance(desk.data))
    told = desk.cpor("status", "--json").json
    assert [each for each in told["inputs"] if each["lag"] or each["oldest_ms"] is not None] == []
    assert not any(each["timers_held"] for each in told["workers"])
    deadline = time.monotonic() + 10
    while (mail := desk.cpor("status", "--json").json["mail"])["delivered"] != mail["in_sink"]:
        assert time.monotonic() < deadline, "delivery tells of itself once a second"
    assert mail["in_sink"] > 0


def test_status_can_be_watched_on_a_terminal_until_it_is_stopped(desk: Desk) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "cpor.ops", "status", "--watch", "--data", str(desk.data)]
    sized = os.environ | {"COLUMNS": "100", "LINES": "40", "TERM": "xterm"}
    shown = ""
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=sized) as process:
        os.close(theirs)
        try:
            while shown.count("in the sink") < 2:  # shown, and shown again
                shown += os.read(ours, 65_536).decode(errors="replace")
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.kill()
    os.close(ours)
    assert all(f"{service}-0" in shown for service in SERVICES)


def test_the_doctor_finds_a_fresh_instance_well(desk: Desk) -> None:
    told = desk.cpor("doctor", "--json").json
    assert [each for each in told if each["verdict"] == "bad"] == []
    wanted = {"broker", "topics", "topic settings", "S3 bucket", "mail server", "settings", "workers"}
    assert wanted <= {each["what"] for each in told}


# -- partners and customers ------------------------------------------------------------------------------------------


def test_a_partner_added_again_is_unchanged_or_updated(desk: Desk, tmp_path: Path) -> None:
    same = desk.cpor("partners", "add", partner_file(tmp_path), "--json").json
    assert same == [{"partner_id": "P-1", "change": "unchanged", "topics_created": []}]
    changed = desk.cpor("partners", "add", partner_file(tmp_path, name="Isar AG"), "--json").json
    assert changed[0]["change"] == "updated"


def test_a_wrong_file_writes_nothing_and_names_each_fault(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "bad.ndjson"
    good = customer("11111111-1111-4111-8111-111111111111", "Nobody")
    path.write_text("\n".join([json.dumps(good), "nope", json.dumps({"kind": "customer"})]))
    said = desk.cpor("reference", "load", path)
    assert said.code == 1
    assert "line 2: malformed_json" in said.err
    assert "line 3: invalid_fields" in said.err
    said = desk.cpor("partners", "add", partner_file(tmp_path, timezone="Mars/Olympus"))
    assert said.code == 1
    assert "Mars/Olympus" in said.err


# -- claims ----------------------------------------------------------------------------------------------------------


def test_claims_are_listed_filtered_and_sorted(desk: Desk, claims: dict[str, str]) -> None:
    every = desk.cpor("claims", "list", "--json", "--sort", "claim_ref:desc").json
    assert [each["claim_ref"] for each in every] == ["c-3", "c-2", "c-1"]
    assert every[0]["customer_name"] == "Contoso"
    assert every[2]["claim_id"] == claims["c-1"]
    drafts = desk.cpor("claims", "list", "--json", "--status", "draft", "--columns", "claim_ref,status").json
    assert drafts == [{"claim_ref": "c-3", "status": "draft"}]


def test_a_user_with_locations_sees_only_the_claims_of_those(desk: Desk, claims: dict[str, str]) -> None:
    seen = ("--as-partner", "P-1", "--user", "u-branch")
    assert [each["claim_ref"] for each in desk.cpor("claims", "list", "--json", *seen).json] == ["c-2"]
    assert desk.cpor("claims", "show", claims["c-2"], "--json", *seen).json["claim_id"] == claims["c-2"]
    said = desk.cpor("claims", "show", claims["c-1"], *seen)
    assert said.code == 1
    assert "claim_unknown" in said.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--as-partner", "P-1"), 2, "--user"),
        (("--as-partner", "P-9", "--user", "u"), 1, "partner_unknown"),
        (("--as-partner", "P-1", "--user", "u-none"), 1, "user_unknown"),
        (("--status", "gone"), 2, "draft, submitted"),
        (("--sort", "price"), 2, "no column"),
        (("--due-before", "soon"), 2, "--due-before"),
    ],
)
def test_a_question_that_cannot_be_answered_is_answered_with_why(
    desk: Desk, words: tuple[str, ...], code: int, said: str
) -> None:
    answer = desk.cpor("claims", "list", *words)
    assert answer.code == code
    assert said in answer.err


# -- a claim's way through review ------------------------------------------------------------------------------------


def test_a_claim_goes_from_the_queue_to_its_approval(desk: Desk, claims: dict[str, str]) -> None:
    waiting = desk.cpor("review", "queue", "--json").json
    assert {"c-1", "c-2"} == {each["claim_ref"] for each in waiting}
    started = desk.cpor("review", "start", claims["c-1"], "--as", "r-1", "--json").json
    assert (started["event"], started["status"]) == ("review_started", "under_review")
    stale = desk.cpor("review", "approve", "c-1", "--as", "r-1", "--expected-sequence", "1")
    assert stale.code == 1
    assert "stale_sequence" in stale.err
    assert desk.cpor("review", "comment", "c-1", "--as", "r-1", "--comment", "Looks good.").code == 0
    approved = desk.cpor("review", "approve", "c-1", "--as", "r-1", "--json").json
    assert approved["units"] == [f"{TENANT}/workload/teams"]
    again = desk.cpor("review", "approve", "c-1", "--as", "r-1")
    assert again.code == 1
    assert "illegal_transition" in again.err


def test_a_reviewer_gets_the_documents_of_a_claim_by_link_and_as_files(
    desk: Desk, claims: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "`cpor poe get CLAIM`" in desk.cpor("review", "queue").err
    (listed,) = desk.cpor("poe", "list", claims["c-2"], "--json").json
    assert (listed["filename"], listed["covers"], listed["counts"]) == ("poe.pdf", ["intune"], True)
    with urllib.request.urlopen(listed["link"], timeout=20) as answer:
        assert answer.read() == proof("c-2")
    assert listed["document_id"][:8] in desk.cpor("poe", "list", "c-2").out
    monkeypatch.chdir(tmp_path)
    (saved,) = desk.cpor("poe", "get", "c-2", "--json").json
    assert (saved["outcome"], saved["path"]) == ("saved", "P-1-c-2/poe.pdf")
    assert (tmp_path / "P-1-c-2/poe.pdf").read_bytes() == proof("c-2")
    again = desk.cpor("poe", "get", "c-2", "--document", listed["document_id"])
    assert (again.code, "there already" in again.out) == (0, True), again.err
    for words, code in (
        (("c-2", "--document", "none"), 1),
        (("c-9",), 1),
        (("c-2", "-o", tmp_path / "P-1-c-2/poe.pdf"), 1),
    ):
        assert desk.cpor("poe", "get", *words).code == code


def test_a_document_that_the_store_has_lost_is_named_with_what_to_restore(
    desk: Desk, claims: dict[str, str], tmp_path: Path
) -> None:
    where = find_instance(desk.data).endpoints
    client = s3_client(where.s3_endpoint, where.s3_access_key, where.s3_secret_key)
    (there,) = client.list_objects_v2(Bucket=where.s3_bucket, Prefix=f"accepted/{claims['c-3']}/")["Contents"]
    client.delete_object(Bucket=where.s3_bucket, Key=there["Key"])
    said = desk.cpor("poe", "get", "c-3", "-o", tmp_path, "--json")
    assert said.code == 1
    assert "poe.pdf is not in the document store" in said.err
    assert there["Key"] in said.err
    assert json.loads(said.out)[0]["outcome"] == "missing"
    assert list(tmp_path.iterdir()) == []


def test_a_reviewer_asks_and_rejects_with_reasons(desk: Desk, claims: dict[str, str], partner: PartnerClient) -> None:
    assert desk.cpor("review", "start", "c-2", "--as", "r-2").code == 0
    asked = ("--reason", "missing_products:intune", "--comment", "Which product?")
    told = desk.cpor("review", "ask", "c-2", "--as", "r-2", *asked, "--json").json
    assert told["status"] == "partner_action_required"
    assert told["reasons"] == [{"code": "missing_products", "workloads": ["intune"]}]
    answer = {"user": "u-anna", "comment": "Intune, see page 2."}
    assert partner.ask("c-2", CommandName.RESUBMIT, answer).code == "accepted"
    assert desk.cpor("review", "start", "c-2", "--as", "r-2").code == 0
    no = desk.cpor("review", "reject", "c-2", "--as", "r-2", "--reason", "no_partner_response", "--comment", "No.")
    assert no.code == 1
    assert "reason_not_allowed" in no.err
    rejected = ("--reason", "insufficient_poe", "--comment", "Page 2 is empty.")
    assert desk.cpor("review", "reject", "c-2", "--as", "r-2", *rejected, "--json").json["status"] == "rejected"


def test_the_history_tells_both_sides_and_names_no_reviewer_to_the_partner(desk: Desk, claims: dict[str, str]) -> None:
    inside = desk.cpor("claims", "history", "c-2", "--json").json
    assert [each["action"] for each in inside][:3] == ["filed", "review_started", "information_requested"]
    assert "r-2" in {each["actor"] for each in inside}
    outside = desk.cpor("claims", "history", "c-2", "--json", "--as-partner", "P-1", "--user", "u-branch").json
    assert {each["actor"] for each in outside} == {"u-anna", "reviewer"}
    assert "command_refused" not in {each["action"] for each in outside}


def test_running_clocks_are_listed_and_every_clock_is_explained_day_by_day(
    desk: Desk, claims: dict[str, str], tmp_path: Path
) -> None:
    rows = desk.cpor("deadline", "list", "--json").json
    assert [(each["claim_ref"], each["clock"]) for each in rows] == [
        ("c-1", "consent_wait"),
        ("c-2", "dispute_window"),
    ]
    assert desk.cpor("deadline", "list", "--json", "--overdue").json == []
    (told,) = desk.cpor("deadline", "explain", "c-1", "--json", "--svg", tmp_path / "c-1.svg").json
    assert told["due"] == rows[0]["due"] == "2026-03-09T23:00:00.000Z"
    assert told["last_day"] == "2026-03-09"
    assert [each["number"] for each in told["days"]] == [None, 1, 2, 3, 4, 5, 6, 7]
    assert (tmp_path / "c-1.svg").read_text().count("[7]") == 1
    assert "[7]" in desk.cpor("deadline", "explain", "c-1").out
    (stopped,) = desk.cpor("deadline", "explain", "c-2", "--clock", "partner_answer", "--json").json
    assert stopped["stopped_by"] is not None
    nothing = desk.cpor("deadline", "explain", "c-3")
    assert nothing.code == 1
    assert "no clock runs for c-3 (draft)" in nothing.err


def test_the_demo_leaves_an_instance_alone_that_has_claims_already(desk: Desk, claims: dict[str, str]) -> None:
    said = desk.cpor("demo", "--running")
    assert said.code == 1
    assert "has claims already" in said.err


def test_tables_for_people_name_claims_and_statuses(desk: Desk, claims: dict[str, str]) -> None:
    for words in (
        ("claims", "list"),
        ("claims", "show", "c-1"),
        ("claims", "history", "c-1"),
        ("deadline", "list"),
        ("status",),
        ("doctor",),
    ):
        said = desk.cpor(*words)
        assert said.code == 0, said.err
        assert said.out.strip()
    assert "approved" in desk.cpor("claims", "list").out
    assert "workload/teams" in desk.cpor("claims", "show", "c-1").out


# -- time, and the end -----------------------------------------------------------------------------------------------


def test_the_test_clock_moves_on_and_the_workers_with_it(desk: Desk, claims: dict[str, str]) -> None:
    before = desk.cpor("clock", "show", "--json").json
    assert before["kind"] == "test"
    assert desk.cpor("clock", "advance", "36h").code == 0
    after = desk.cpor("clock", "show", "--json").json
    assert after["now"] > before["now"]
    commented = desk.cpor("review", "comment", "c-2", "--as", "r-1", "--comment", "Hello", "--json").json
    assert commented["at"] > "2026-03-03T20:00"


def test_however_far_the_clock_is_moved_no_reminder_is_skipped_and_none_comes_late(
    desk: Desk, claims: dict[str, str]
) -> None:
    assert desk.cpor("clock", "advance", "60d").code == 0
    instance = find_instance(desk.data)
    events = [json.loads(each.value or b"") for each in read_whole(instance.transport, [Topic.DEADLINE_EVENTS])]
    told = [each for each in events if each["claim_id"] == claims["c-2"] and each["clock"] == "dispute_window"]
    assert [each["rung"] for each in sorted(told, key=lambda each: str(each["fired_at"]))] == [0, 1, 9]
    for each in events:
        if each["rung"] == 9:
            assert 0 <= parse_instant(each["fired_at"]) - parse_instant(each["due"]) < 3_600_000, each
    kinds = [each.message["X-CPOR-Kind"] for each in received(Path(instance.endpoints.mail_dir))]
    assert (kinds.count("deadline_near"), kinds.count("window_closed"), kinds.count("official")) == (2, 1, 1)


def test_up_stops_cleanly_and_a_second_one_goes_on_where_it_stopped(desk: Desk, claims: dict[str, str]) -> None:
    known = desk.cpor("claims", "list", "--json", "--sort", "claim_ref").json
    children, environment = desk.children(), desk.cpor("env", "--json").json
    assert desk.down() == 0
    assert not [each for each in children if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
    assert desk.cpor("claims", "list").code == 3
    desk.up()
    assert desk.cpor("env", "--json").json == environment
    assert desk.cpor("claims", "list", "--json", "--sort", "claim_ref").json == known
    assert desk.cpor("clock", "show", "--json").json["now"] > "2026-03-03T20:00"


def test_a_second_up_on_a_running_instance_is_told_who_holds_it(desk: Desk) -> None:
    command = [sys.executable, "-m", "cpor.ops", "up", "--data", str(desk.data)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=dict(os.environ))
    assert done.returncode == 3
    assert "in use by process" in done.stderr


def _old_association(folder: Path, ends_on: str) -> Path:
    old = {"partner_id": "P-1", "location_id": "101", "tenant_id": TENANT, "subscription_id": SUBSCRIPTION}
    file = folder / "old.ndjson"
    file.write_text(json.dumps({**old, "partner_role": "usage_recognition", "ends_on": ends_on}))
    return file


@contextmanager
def _standing_still(desk: Desk, service: str) -> Iterator[None]:
    workers = [each for each in desk.cpor("status", "--json").json["workers"] if each["service"] == service]
    processes = [psutil.Process(each["pid"]) for each in workers]
    for each in processes:
        each.suspend()
    try:
        yield
    finally:
        for each in processes:
            each.resume()


@pytest.mark.rule("T19", "D23")
def test_an_association_from_before_is_imported_once_and_ended_when_it_is_over(desk: Desk, tmp_path: Path) -> None:
    """By hand while deadlines stands still, which has nothing left to do afterwards."""
    file = _old_association(tmp_path, "2026-02-28")
    with _standing_still(desk, "deadlines"):
        first, second = (desk.cpor("ops", "import-legacy", file, "--as", "o-1") for _ in range(2))
        assert (first.code, "1 association imported, 0 there already" in first.out) == (0, True), first.err
        assert (second.code, "0 associations imported, 1 there already" in second.out) == (0, True), second.err
        assert "2026-02-28" in desk.cpor("ops", "end-associations", "--as", "o-1", "--dry-run").out
        ended = desk.cpor("ops", "end-associations", "--as", "o-1")
        assert (ended.code, "1 association ended" in ended.err) == (0, True), ended.err
    await_idle(find_instance(desk.data))
    assert "0 associations ended" in desk.cpor("ops", "end-associations", "--as", "o-1").err
    (claim,) = desk.cpor("claims", "list", "--subscription", SUBSCRIPTION, "--json").json
    assert claim["status"] == "approved"
    history = desk.cpor("claims", "history", claim["claim_id"], "--json").json
    assert [each["action"] for each in history].count("association_ended") == 1
    assert desk.cpor("earnings", "list", "--partner", "P-1", "--json").json == []
    assert desk.cpor("earnings", "list", "--partner", "P-9").code == 1
