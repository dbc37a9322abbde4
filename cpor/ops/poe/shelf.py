"""The templates in the bucket, one for each language: `templates/poe-<language>.docx` (contract §7)."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from cpor.devstack.endpoints import Endpoints
from cpor.devstack.seaweed import s3_client
from cpor.ops.errors import NotReachable
from cpor.ops.poe.content import blank
from cpor.ops.poe.words import LANGUAGES, source_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FOLDER = "templates/"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
#: What an object was made from: a version of ours that makes another document puts it anew, and no other does.
MADE_FROM = "made-from"


def key_of(language: str) -> str:
    return f"{FOLDER}poe-{language}.docx"


def put_templates(endpoints: Endpoints) -> list[str]:
    """Put what is missing or was made by another version; the keys that were put. Raises NotReachable."""
    client = s3_client(endpoints.s3_endpoint, endpoints.s3_access_key, endpoints.s3_secret_key)
    try:
        wanted = [each for each in LANGUAGES if _made_from(client, endpoints.s3_bucket, each) != fingerprint(each)]
        for language in wanted:
            _put(client, endpoints.s3_bucket, language)
    except (BotoCoreError, ClientError) as fault:
        raise NotReachable(f"the document store did not take the templates: {fault}") from None
    return [key_of(each) for each in wanted]


def fingerprint(language: str) -> str:
    """Of the words and of the code that sets them."""
    code = Path(__file__).with_name("document.py").read_bytes()
    return hashlib.sha256(code + source_of(language).encode()).hexdigest()


def _made_from(client: S3Client, bucket: str, language: str) -> str | None:
    try:
        return client.head_object(Bucket=bucket, Key=key_of(language))["Metadata"].get(MADE_FROM)
    except ClientError as fault:
        if fault.response["Error"]["Code"] in ("404", "NoSuchKey"):
            return None
        raise


def _put(client: S3Client, bucket: str, language: str) -> None:
    from cpor.ops.poe.document import template_docx  # slow to import; an instance that has them does without

    client.put_object(
        Bucket=bucket,
        Key=key_of(language),
        Body=template_docx(blank(), language),
        ContentType=DOCX,
        Metadata={MADE_FROM: fingerprint(language)},
    )
