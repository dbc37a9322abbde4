"""Where records lie: each in its tenant's partition, under the key of its topic (contract §1)."""

from __future__ import annotations

from collections.abc import Iterator

from cpor.domain.ids import tenant_partition
from cpor.domain.vocabulary import TenantId
from cpor.ops.checker.findings import Finding, FindingCode, finding
from cpor.ops.checker.reading import Read, Reading


def check_places(reading: Reading) -> Iterator[Finding]:
    for read, tenant, key in _placed(reading):
        if read.record.partition != tenant_partition(TenantId(tenant), reading.log.partitions):
            yield _of(read, FindingCode.WRONG_PARTITION, "The record does not lie in its tenant's partition.", tenant)
        if read.key != key:
            yield _of(read, FindingCode.WRONG_KEY, f"The record's key should be {key}.", tenant)


def _placed(reading: Reading) -> Iterator[tuple[Read, str, str]]:
    """Every record with its tenant and the key it should have. What is of no known claim is judged by its key."""
    tenants = {claim: history.tenant for claim, history in reading.histories.items() if history.tenant}
    for read in (*reading.inbox, *reading.event_records):
        tenant = str(read.value.get("tenant_id") or tenants.get(read.value["claim_id"]) or read.key)
        yield read, tenant, tenant
    for read in (*reading.consent, *reading.deadlines, *reading.mails, *reading.deliveries):
        tenant = str(tenants.get(read.value["claim_id"]) or read.key)
        yield read, tenant, tenant
    for read in (*reading.approved, *reading.eligible):
        claim = str(read.value["claim_id"])
        yield read, str(read.value.get("tenant_id") or tenants.get(claim) or _of_unit(read.value["units"][0])), claim
    for state in filter(None, reading.states.values()):
        yield state, str(state.value["form"]["tenant_id"]), str(state.value["claim_id"])
    for row in filter(None, reading.associations.values()):
        yield row, _of_unit(row.value["unit"]), str(row.value["unit"])


def _of_unit(unit: str) -> str:
    return unit.partition("/")[0]


def _of(read: Read, code: FindingCode, sentence: str, tenant: str) -> Finding:
    return finding(code, sentence, record=read.record.origin, key=read.key, tenant=tenant)
