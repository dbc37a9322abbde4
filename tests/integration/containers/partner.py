"""A partner files a claim with its proof: where an instance can be reached, be it inside the containers' network.

Imports nothing of the tests, so that the container of the `cpor` command can run it from standard input.
"""

from __future__ import annotations

import sys
import uuid
from datetime import date
from pathlib import Path

from cpor.devstack.samples import poe_pdf, realistic_content
from cpor.domain.vocabulary import Acknowledgement, Channel, CommandName, PartnerStatus, UserRole
from cpor.ops.directory import add_partners, load_reference
from cpor.ops.instance import Instance, find_instance
from cpor.ops.partner_client import Dropbox, PartnerClient, declared
from cpor.ops.reading import partition_counts
from cpor.runtime.topics import Topic
from schemas.reference import Customer, Location, Partner, User

PDF = "application/pdf"
BERLIN = {"country": "DE", "region": "BE", "timezone": "Europe/Berlin"}
PARTNER = Partner(
    kind="partner",
    partner_id="P-7",
    name="Spree",
    status=PartnerStatus.ACTIVE,
    language="en",
    locations=(Location(location_id="701", name="Berlin", enrolled=True, **BERLIN),),
    users=(User(user_id="u-1", name="Jo", email="jo@spree.example", role=UserRole.INCENTIVES_ADMIN, language="en"),),
    **BERLIN,
)


def tenant_of(ref: str) -> str:
    """Each claim has a customer of its own: none competes with another."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{ref}.contoso.example"))


def contact_of(ref: str) -> str:
    return f"kim-{ref}@contoso.example"


def customer(ref: str) -> Customer:
    return Customer(
        kind="customer",
        tenant_id=tenant_of(ref),
        name=f"Contoso {ref}",
        domains=("contoso.example",),
        country="DE",
        timezone="Europe/Berlin",
        language="en",
        channels=(Channel.WEB_DIRECT,),
    )


def proof(ref: str) -> bytes:
    return poe_pdf(
        realistic_content(
            seed=ref,
            partner_name=PARTNER.name,
            partner_location_id="701",
            customer_name=f"Contoso {ref}",
            domain="contoso.example",
            tenant_id=tenant_of(ref),
            country="DE",
            partner_role="use_or_consume",
            workloads=["teams"],
            signed_on=date(2026, 2, 2),
            issued_on=date(2026, 2, 3),
        )
    )


def file_claim(instance: Instance, ref: str) -> str:
    """The claim's id, once its receipt says that it was accepted."""
    add_partners(instance, [PARTNER])
    load_reference(instance, [customer(ref)])
    content = proof(ref)
    document = {"object_key": Dropbox(instance.endpoints, "P-7").put(content, PDF), **declared("poe.pdf", PDF, content)}
    said = {"description": "Statement of work", "customer_signed_on": "2026-02-02", "covers": ["teams"]}
    client = PartnerClient(instance.transport, "P-7", partition_counts(instance.transport)[Topic.INTAKE_SLOTS])
    try:
        data = form(ref) | {"documents": [document | said], "acknowledgements": list(Acknowledgement)}
        receipt = client.ask(ref, CommandName.FILE, data, seconds=120)
    finally:
        client.close()
    assert receipt.code == "accepted", receipt.value
    return receipt.claim_id


def form(ref: str) -> dict[str, object]:
    return {
        "user": "u-1",
        "claim_name": f"Roll-out {ref}",
        "location_id": "701",
        "tenant_id": tenant_of(ref),
        "solution_area": "modern_work_security",
        "partner_role": "use_or_consume",
        "workloads": ["teams"],
        "customer_contact": {"name": "Kim", "title": "CIO", "email": contact_of(ref)},
        "partner_contact": {"name": "Jo", "email": "jo@spree.example"},
    }


if __name__ == "__main__":
    print(file_claim(find_instance(Path("/data")), sys.argv[1]))
