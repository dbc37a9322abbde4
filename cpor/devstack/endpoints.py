"""Where an instance's Kafka, S3 and mail server are: what the CLI, the tests and the workers get to know about the
platform.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from cpor.devstack.errors import PlatformError
from cpor.devstack.files import write_private

BUCKET = "poe"
REGION = "us-east-1"

#: Field of `Endpoints` → environment variable. The first four are the public contract §7.
VARIABLES: Mapping[str, str] = {
    "kafka_bootstrap": "CPOR_KAFKA_BOOTSTRAP",
    "s3_endpoint": "CPOR_S3_ENDPOINT",
    "s3_access_key": "CPOR_S3_ACCESS_KEY",
    "s3_secret_key": "CPOR_S3_SECRET_KEY",
    "s3_bucket": "CPOR_S3_BUCKET",
    "s3_region": "CPOR_S3_REGION",
    "data_dir": "CPOR_DATA",
    "smtp": "CPOR_SMTP",
    "mail_dir": "CPOR_MAIL_DIR",
    "mail_url": "CPOR_MAIL_URL",
    "consent_url": "CPOR_CONSENT_URL",
}
#: What need not be named, and what holds then.
OPTIONAL: Mapping[str, str] = {
    "CPOR_S3_BUCKET": BUCKET,
    "CPOR_S3_REGION": REGION,
    **dict.fromkeys(("CPOR_SMTP", "CPOR_MAIL_DIR", "CPOR_MAIL_URL", "CPOR_CONSENT_URL"), ""),
}


@dataclass(frozen=True)
class Endpoints:
    """The addresses and credentials of one running platform; `data_dir` is where its workers keep their
    stores.
    """

    #: `host:port`, or a comma-separated list of them
    kafka_bootstrap: str
    #: URL without a path
    s3_endpoint: str
    s3_access_key: str
    s3_secret_key: str
    data_dir: Path
    s3_bucket: str = BUCKET
    s3_region: str = REGION
    #: `host:port` of the mail server; empty while it is not known who takes the mails
    smtp: str = ""
    #: where the mails lie, one `.eml` file each; empty where another server than our sink takes them
    mail_dir: str = ""
    #: Mailpit's HTTP address; empty where it is not Mailpit that takes them
    mail_url: str = ""
    #: the page where customers answer
    consent_url: str = ""

    def env(self) -> dict[str, str]:
        """`CPOR_*` variables that lead a worker or a tool to this platform."""
        return {variable: str(getattr(self, field)) for field, variable in VARIABLES.items()}

    def save(self) -> None:
        """Record this as the running instance of its data directory (mode 0600: it holds a secret)."""
        plain = {field: str(value) for field, value in asdict(self).items()}
        write_private(record_of(self.data_dir), json.dumps(plain, indent=2) + "\n")


def record_of(data_dir: Path) -> Path:
    return data_dir / "endpoints.json"


def saved_endpoints(data_dir: Path) -> Endpoints | None:
    """What the instance on `data_dir` recorded when it became ready; None when none is running there."""
    try:
        plain = json.loads(record_of(data_dir).read_text())
    except FileNotFoundError:
        return None
    return Endpoints(**{**plain, "data_dir": Path(plain["data_dir"])})


def endpoints_from_env(data_dir: Path, environment: Mapping[str, str] = os.environ) -> Endpoints:
    """The user's own Kafka and S3 (`CPOR_PLATFORM=external`); `PlatformError` names every variable that is
    missing.
    """
    known = {**OPTIONAL, **environment, "CPOR_DATA": str(data_dir)}
    needed = [variable for variable in VARIABLES.values() if OPTIONAL.get(variable) != ""]
    missing = [variable for variable in needed if not known.get(variable)]
    if missing:
        raise PlatformError(f"CPOR_PLATFORM=external needs {', '.join(missing)}")
    values = {field: known[variable] for field, variable in VARIABLES.items()}
    return Endpoints(**{**values, "data_dir": data_dir})  # type: ignore[arg-type]
