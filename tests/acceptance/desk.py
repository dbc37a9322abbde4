"""A person at the `cpor` command, and what the tests of it set up: a partner, two customers, claims."""

from __future__ import annotations

import contextlib
import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psutil

from cpor.devstack.samples import poe_pdf, realistic_content
from cpor.domain.vocabulary import Acknowledgement, CommandName
from cpor.ops.main import cli, run
from cpor.ops.partner_client import Dropbox, PartnerClient, declared, upload

START_SECONDS = 240
TENANT = "3f0e1d7a-5b1c-4c7e-9a51-0d7d1a2b3c4d"
OTHER_TENANT = "9d1f6a52-6a5e-4d0b-9d43-5c1d8c2a7e10"
SUBSCRIPTION = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
PDF = "application/pdf"


@dataclass
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


@dataclass
class Desk:
    """The command, told each time which instance is meant."""

    data: Path
    process: subprocess.Popen[str] | None = None

    def cpor(self, *words: str | Path) -> Said:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(lambda: cli([*map(str, words), "--data", str(self.data)]))
        return Said(code, out.getvalue(), err.getvalue())

    def up(self, *options: str) -> None:
        """Start the instance in a process of its own and return when its workers make rounds."""
        command = [sys.executable, "-m", "cpor.ops", "up", "--data", str(self.data), *options]
        log = (self.data.parent / "up.log").open("a")
        self.process = subprocess.Popen(command, stdout=log, stderr=log, text=True)
        deadline = time.monotonic() + START_SECONDS
        while self.cpor("status").code != 0:
            assert self.process.poll() is None, Path(log.name).read_text()
            assert time.monotonic() < deadline, Path(log.name).read_text()
            time.sleep(0.5)

    def children(self) -> list[psutil.Process]:
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)

    def down(self, number: signal.Signals = signal.SIGINT) -> int:
        """The exit code of `cpor up`, asked to stop."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(60)


def set_up(desk: Desk, folder: Path) -> None:
    added = desk.cpor("partners", "add", partner_file(folder), "--json").json
    assert added[0]["change"] == "added"
    assert len(added[0]["topics_created"]) == 3
    lines = [customer(TENANT, "Contoso"), customer(OTHER_TENANT, "Fabrikam"), subscription()]
    path = folder / "reference.ndjson"
    path.write_text("\n".join(json.dumps(line) for line in lines))
    assert desk.cpor("reference", "load", path, "--json").json == {"customer": 2, "subscription": 1}


def partner_file(folder: Path, **changes: Any) -> Path:
    path = folder / "partner.json"
    path.write_text(json.dumps({**PARTNER, **changes}))
    return path


def place(number: str) -> dict[str, Any]:
    return {"location_id": number, "name": number, "country": "DE", "timezone": "Europe/Berlin", "enrolled": True}


def person(name: str, role: str, locations: Sequence[str] | None = None) -> dict[str, Any]:
    return {"user_id": name, "name": name, "email": f"{name}@isar.example", "role": role, "locations": locations}


PARTNER: dict[str, Any] = {
    "kind": "partner",
    "partner_id": "P-1",
    "name": "Isar",
    "status": "active",
    "country": "DE",
    "region": "BY",
    "timezone": "Europe/Berlin",
    "language": "de",
    "locations": [place("101"), place("102")],
    "users": [person("u-anna", "incentives_admin"), person("u-branch", "incentives_user", ["102"])],
}


def customer(tenant: str, name: str) -> dict[str, Any]:
    return {"kind": "customer", "tenant_id": tenant, "name": name, "channels": ["web_direct"], "country": "DE"}


def subscription() -> dict[str, Any]:
    return {
        "kind": "subscription",
        "subscription_id": SUBSCRIPTION,
        "tenant_id": TENANT,
        "products": ["sales"],
        "channel": "web_direct",
        "state": "active",
    }


def form(ref: str, location: str, *workloads: str) -> dict[str, Any]:
    return {
        "user": "u-anna",
        "claim_name": f"Roll-out {ref}",
        "location_id": location,
        "tenant_id": TENANT,
        "solution_area": "modern_work_security",
        "partner_role": "use_or_consume",
        "workloads": list(workloads),
        "customer_contact": {"name": "Kim", "title": "CIO", "email": "kim@contoso.example"},
        "partner_contact": {"name": "Anna", "email": "anna@isar.example"},
    }


def filed(partner: PartnerClient, box: Dropbox, ref: str, location: str, workload: str, **changes: Any) -> str:
    """The id of a claim by the bulk path; `changes` are made to its form."""
    content = proof(ref)
    document = {"object_key": box.put(content, PDF), **declared("poe.pdf", PDF, content)}
    said = {"description": "Statement of work", "customer_signed_on": "2026-02-01", "covers": [workload]}
    whole = {**form(ref, location, workload), **changes}
    whole |= {"documents": [document | said], "acknowledgements": list(Acknowledgement)}
    receipt = partner.ask(ref, CommandName.FILE, whole)
    assert receipt.code == "accepted", receipt.value
    return receipt.claim_id


def drafted(partner: PartnerClient) -> str:
    content = proof("c-3")
    assert partner.ask("c-3", CommandName.CREATE, form("c-3", "101", "yammer")).code == "accepted"
    told = declared("poe.pdf", PDF, content)
    reserved = partner.ask("c-3", CommandName.POE_RESERVE, {"user": "u-anna", **told})
    assert 200 <= upload(reserved.value["upload"], "poe.pdf", PDF, content) < 300
    said = {"user": "u-anna", "document_id": reserved.value["document_id"], "description": "x", "covers": ["yammer"]}
    attached = partner.ask("c-3", CommandName.POE_ATTACH, said)
    assert attached.code == "accepted", attached.value
    return attached.claim_id


def proof(ref: str) -> bytes:
    return poe_pdf(
        realistic_content(
            seed=ref,
            partner_name="Isar",
            partner_location_id="101",
            customer_name="Contoso",
            domain="contoso.example",
            tenant_id=TENANT,
            country="DE",
            partner_role="use_or_consume",
            workloads=["teams"],
            signed_on=date(2026, 2, 1),
            issued_on=date(2026, 2, 2),
        )
    )
