"""What the tests of documents do to a real object store."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from typing import Any

from cpor.devstack.endpoints import Endpoints
from services.intake.poe.store import StoreAddress


def address_of(endpoints: Endpoints) -> StoreAddress:
    return StoreAddress(
        endpoints.s3_endpoint,
        endpoints.s3_access_key,
        endpoints.s3_secret_key,
        endpoints.s3_bucket,
        endpoints.s3_region,
    )


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def unique(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:12]}"


def post_form(upload: Mapping[str, Any], content: bytes, **changed: str) -> int:
    """The HTTP status of an upload as a browser or a partner's system does it; `changed` replaces form fields."""
    boundary = uuid.uuid4().hex
    fields = {**upload["fields"], **{name.replace("_", "-"): value for name, value in changed.items()}}
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    body = "".join(parts).encode() + head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return status_of(upload["url"], body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})


def status_of(url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> int:
    request = urllib.request.Request(url, body, dict(headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
