"""Documents out of a real bucket: a link that saves one under its name and soon dies, and files that are checked."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cpor.devstack.endpoints import Endpoints
from cpor.devstack.seaweed import s3_client
from cpor.domain.model import Document
from cpor.domain.vocabulary import DocumentId
from cpor.ops.errors import NotReachable
from cpor.ops.poe.saving import Folder, Outcome
from cpor.ops.poe.vault import Vault
from tests.integration.intake.s3 import sha256, status_of, unique

pytestmark = pytest.mark.integration

#: More than one piece.
CONTENT = b"%PDF-1.7 " + b"something like a document " * 20_000


@pytest.fixture
def vault(platform: Endpoints) -> Iterator[Vault]:
    vault = Vault(platform)
    yield vault
    vault.close()


def accepted(platform: Endpoints, content: bytes = CONTENT) -> Document:
    """The record of CONTENT; `content` is what lies under its key."""
    key = f"accepted/{unique('c')}/{sha256(CONTENT)}"
    client = s3_client(platform.s3_endpoint, platform.s3_access_key, platform.s3_secret_key)
    client.put_object(Bucket=platform.s3_bucket, Key=key, Body=content)
    name, size = '../発注書\u202e "1".pdf', len(CONTENT)
    return Document(DocumentId("d"), key, name, "application/pdf", size, sha256(CONTENT), "", None, ())


def test_a_link_saves_the_file_under_its_name_and_carries_no_other_right(platform: Endpoints, vault: Vault) -> None:
    document = accepted(platform)
    link = vault.link(document)
    assert timedelta(minutes=14) < link.until - datetime.now(UTC) <= timedelta(minutes=15)
    with urllib.request.urlopen(link.url, timeout=20) as answer:
        assert answer.read() == CONTENT
        disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment;")
    assert disposition.endswith("filename*=UTF-8''%E7%99%BA%E6%B3%A8%E6%9B%B8%201.pdf")
    assert status_of(link.url.replace(document.object_key, accepted(platform).object_key)) == 403


def test_a_link_dies_at_the_end_it_names(platform: Endpoints, vault: Vault) -> None:
    link = vault.link(accepted(platform), timedelta(seconds=2))
    while status_of(link.url) != 403:
        assert datetime.now(UTC) < link.until + timedelta(seconds=20), "the link still works"


def test_a_document_becomes_a_file_and_what_was_altered_or_is_missing_does_not(
    platform: Endpoints, vault: Vault, tmp_path: Path
) -> None:
    whole = accepted(platform)
    altered = [accepted(platform, content) for content in (CONTENT[:-1] + b"x", CONTENT[:-1], CONTENT + b"x")]
    missing = replace(whole, object_key=f"accepted/{unique('c')}/nothing")
    into = Folder(tmp_path)
    saved = [into.save(each, vault.read) for each in (*altered, missing, whole)]
    assert [each.outcome for each in saved] == [*[Outcome.ALTERED] * 3, Outcome.MISSING, Outcome.SAVED]
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("発注書 1.pdf", CONTENT)]


def test_a_store_that_does_not_answer_or_has_no_bucket_is_told_as_not_reachable(
    platform: Endpoints, tmp_path: Path
) -> None:
    document = accepted(platform)
    for wrong in ({"s3_endpoint": "http://127.0.0.1:9"}, {"s3_bucket": "none"}, {"s3_secret_key": "wrong"}):
        vault = Vault(replace(platform, **wrong))  # type: ignore[arg-type]
        with pytest.raises(NotReachable, match="`cpor doctor`"):
            Folder(tmp_path).save(document, vault.read)
        vault.close()
    assert list(tmp_path.iterdir()) == []
