"""What an instance's workers are told: the same at every start, and mails go where they are to go."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from cpor.devstack.endpoints import Endpoints
from cpor.ops.errors import WrongUse
from cpor.ops.instance import Instance
from cpor.ops.running import Plan, worker_specs
from cpor.ops.settings import CONSENT_KEY, CONSENT_LISTEN, FILE, SHORTEST_KEY, keep_settings, posted, read_settings
from cpor.runtime.topics import Count

COUNTS: dict[str, int] = {Count.CLAIMS: 8, Count.PARTNERS: 4, Count.ONE: 1}


@pytest.fixture
def here(tmp_path: Path) -> Endpoints:
    return Endpoints("127.0.0.1:9092", "http://127.0.0.1:8333", "key", "secret", tmp_path)


def test_the_key_of_the_customers_links_is_made_once_and_kept_from_other_users(tmp_path: Path) -> None:
    keep_settings(tmp_path, COUNTS, {})
    key = read_settings(tmp_path)[CONSENT_KEY]
    assert len(key) >= SHORTEST_KEY
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    keep_settings(tmp_path, COUNTS, {"CPOR_GRACE_MS": "2000"})
    assert read_settings(tmp_path)[CONSENT_KEY] == key
    assert read_settings(tmp_path)["CPOR_GRACE_MS"] == "2000"


def test_a_key_that_is_named_is_used_and_one_that_could_be_guessed_is_refused(tmp_path: Path) -> None:
    keep_settings(tmp_path, COUNTS, {CONSENT_KEY: "k" * SHORTEST_KEY})
    assert read_settings(tmp_path)[CONSENT_KEY] == "k" * SHORTEST_KEY
    for guessed in ("short", f"{'k' * SHORTEST_KEY},short"):
        with pytest.raises(WrongUse, match=CONSENT_KEY):
            keep_settings(tmp_path, COUNTS, {CONSENT_KEY: guessed})


def test_the_environment_of_a_worker_tells_where_everything_is_and_how_many_partitions_there_are(
    here: Endpoints,
) -> None:
    known = posted(here, {})
    keep_settings(here.data_dir, COUNTS, {})
    env = Instance(known).env()
    assert env["CPOR_MAIL_DIR"] == str(here.data_dir / "mail")
    assert (env["CPOR_SMTP"], env["CPOR_CONSENT_URL"]) == (known.smtp, f"http://{env[CONSENT_LISTEN]}/")
    assert (env["CPOR_CLAIMS_PARTITIONS"], env["CPOR_PARTNERS_PARTITIONS"], env["CPOR_GRACE_MS"]) == ("8", "4", "1000")


def test_a_test_clocks_grace_is_short_for_it_allows_for_no_clocks_that_differ(tmp_path: Path) -> None:
    keep_settings(tmp_path, COUNTS, {}, tested=True)
    assert read_settings(tmp_path)["CPOR_GRACE_MS"] == "200"
    keep_settings(tmp_path, COUNTS, {"CPOR_GRACE_MS": "3000"}, tested=True)
    assert read_settings(tmp_path)["CPOR_GRACE_MS"] == "3000"


def test_mails_go_to_a_sink_that_keeps_its_port_unless_a_server_is_named(here: Endpoints) -> None:
    sink = posted(here, {})
    assert posted(here, {}).smtp == sink.smtp
    named = posted(here, {"CPOR_SMTP": "mail.example:25", "CPOR_CONSENT_URL": "https://c.example/"})
    assert (named.smtp, named.mail_dir, named.consent_url) == ("mail.example:25", "", "https://c.example/")
    platforms_own = replace(here, smtp="127.0.0.1:1025", mail_url="http://127.0.0.1:8025")
    assert posted(platforms_own, {}) == replace(platforms_own, consent_url=sink.consent_url)


def test_links_that_are_out_keep_leading_to_the_page(here: Endpoints) -> None:
    page = posted(here, {}).consent_url
    keep_settings(here.data_dir, COUNTS, {})
    assert page == f"http://{read_settings(here.data_dir)[CONSENT_LISTEN]}/" == posted(here, {}).consent_url


def test_the_exported_variables_of_an_instance_do_not_take_its_own_sink_away(here: Endpoints) -> None:
    sink = posted(here, {})
    assert posted(here, sink.env()) == sink


def test_a_plan_runs_what_it_names_and_delivers_mails_only_beside_notify(here: Endpoints) -> None:
    known = posted(here, {})
    everything = worker_specs(Plan(here.data_dir, workers=2), Instance(known))
    assert len(everything) == 5 * 2 + 3
    assert {("mail", "0"), ("notify-delivery", "0"), ("consent", "1"), ("consent-page", "0")} <= everything.keys()
    front = worker_specs(Plan(here.data_dir, services=("intake", "review")), Instance(known))
    assert [*front] == [("intake", "0"), ("review", "0")]
    elsewhere = worker_specs(Plan(here.data_dir), Instance(replace(known, mail_dir="", smtp="mail.example:25")))
    assert ("mail", "0") not in elsewhere
    assert ("notify-delivery", "0") in elsewhere


def test_the_mailbox_of_bounces_is_read_where_one_is_known(here: Endpoints) -> None:
    """That of the sink, unless another is named; where others take the mails, only one that is named."""
    known = posted(here, {})
    for environment, bounces, mailbox in (
        ({}, "", ""),
        ({}, "maildir:/sink", "maildir:/sink"),
        ({"CPOR_BOUNCES": "imaps://b@mail.example/INBOX"}, "maildir:/sink", "imaps://b@mail.example/INBOX"),
    ):
        keep_settings(here.data_dir, COUNTS, environment, bounces=bounces)
        specs = worker_specs(Plan(here.data_dir), Instance(known))
        assert (("notify-bounces", "0") in specs) is bool(mailbox)
        assert Instance(known).env()["CPOR_BOUNCES"] == mailbox
