"""The recipes of derived ids never change: they are deduplication keys of records kept for ever."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as kafka_murmur2

from cpor.domain import ids
from cpor.domain.vocabulary import ClaimId, PartnerId, PartnerRole, SubscriptionId, TenantId

CLAIM = ClaimId("0f2cdd3a-6f0b-5b52-a1b7-3a06ea2a4d29")
TENANT = TenantId("3f0e1d7a-5b1c-4c7e-9a51-0d7d1a2b3c4d")


def test_the_recipes_are_frozen() -> None:
    assert str(ids.NAMESPACE) == "6453507c-98a5-5b8c-a0fe-12dc0d899dbf"
    assert ids.claim_id(PartnerId("P-1001"), "ref-1") == "68b58afb-f21a-5886-a624-427739a0b151"
    assert ids.event_id(CLAIM, 7) == "da000e9c-fd71-5111-a6db-7f170e6c21b9"
    assert ids.derived_id(CLAIM, "cpor.receipt.v1", 2) == "9b71bf37-7586-5b25-8b86-c9db5f45bb7e"
    assert ids.receipt_id("cpor.partners.P-1001.commands", 3, 41) == "1037da1f-3984-516f-922c-7626bcc7d890"
    assert ids.mail_id(CLAIM, "rejected", "a@example.org") == "8f2a7cf9-330a-5c29-9ecb-daedbeb24f11"


@given(st.text(max_size=80))
def test_a_name_id_is_the_standard_uuid5(name: str) -> None:
    assert ids.name_id(name) == str(uuid.uuid5(ids.NAMESPACE, name))


@given(st.binary(max_size=64))
def test_the_hash_is_the_one_kafka_clients_use(data: bytes) -> None:
    assert ids.murmur2(data) == kafka_murmur2(data) & 0xFFFFFFFF


def test_a_tenants_partition_is_frozen() -> None:
    assert [ids.tenant_partition(TENANT, n) for n in (1, 8, 48)] == [0, 1, 41]


def test_the_reference_of_an_imported_association_is_frozen_and_leads_back_to_its_customer() -> None:
    reference = ids.legacy_reference(TENANT, SubscriptionId("s-1"), PartnerRole.USAGE_RECOGNITION)
    assert reference == f"legacy:{TENANT}:6e77ef71a618"
    assert len(reference) <= 64
    assert ids.legacy_tenant(reference) == TENANT
    for other in ("", "CLM-1", "legacy:", f"legacy:{TENANT}", f"legacy:{TENANT}:x", reference + "0", reference.upper()):
        assert ids.legacy_tenant(other) is None


def test_unit_ids_are_readable_paths() -> None:
    assert ids.workload_unit(TENANT, "teams") == f"{TENANT}/workload/teams"
    assert ids.subscription_unit(TENANT, SubscriptionId("s-1")) == f"{TENANT}/subscription/s-1"


def test_an_id_without_a_number_is_that_of_number_zero() -> None:
    assert ids.derived_id("cause", "cpor.type.v1") == ids.derived_id("cause", "cpor.type.v1", 0)
    assert ids.derived_id("cause", "cpor.type.v1") != ids.derived_id("cause", "cpor.type.v1", 1)
