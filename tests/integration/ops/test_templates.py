"""The templates in a real bucket: there from the start, made anew by another version only (R27, contract §7)."""

from __future__ import annotations

import io

import pytest
from docx import Document

from cpor.devstack.endpoints import Endpoints
from cpor.devstack.seaweed import s3_client
from cpor.ops.poe import shelf
from cpor.ops.poe.words import LANGUAGES, words_in

pytestmark = pytest.mark.integration


@pytest.mark.rule("R27")
def test_every_language_lies_in_the_bucket_and_is_put_again_only_where_it_differs(
    platform: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.put_templates(platform)
    assert shelf.put_templates(platform) == []
    client = s3_client(platform.s3_endpoint, platform.s3_access_key, platform.s3_secret_key)
    for language in LANGUAGES:
        found = client.get_object(Bucket=platform.s3_bucket, Key=f"templates/poe-{language}.docx")
        document = Document(io.BytesIO(found["Body"].read()))
        assert words_in(language).title in [each.text for each in document.paragraphs]
    monkeypatch.setattr(shelf, "fingerprint", lambda language: f"other/{language == 'de'}")
    client.delete_object(Bucket=platform.s3_bucket, Key="templates/poe-ja.docx")
    assert len(shelf.put_templates(platform)) == len(LANGUAGES)
