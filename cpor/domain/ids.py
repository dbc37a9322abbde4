"""Derived ids and the tenant's partition (contract §1, §2).

Ids are deduplication keys of redelivered messages and places in topics that are kept for ever: none of
these recipes may change. `tests/unit/domain/test_ids.py` freezes them.
"""

from __future__ import annotations

import re
import uuid
from functools import lru_cache
from hashlib import sha1

from cpor.domain.vocabulary import ClaimId, PartnerId, PartnerRole, SubscriptionId, TenantId, UnitId

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "cpor.claims")
_NAMESPACE_BYTES = NAMESPACE.bytes


_LEGACY_REFERENCE = re.compile(r"legacy:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):[0-9a-f]{12}")
#: The variant of RFC 9562 in the digit that holds it.
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def name_id(name: str) -> str:
    """uuid5(NS, name) as lower-case text; a fifth of the time `uuid.uuid5` takes."""
    h = sha1(_NAMESPACE_BYTES + name.encode(), usedforsecurity=False).hexdigest()
    return f"{h[:8]}-{h[8:12]}-5{h[13:16]}-{_VARIANT[h[16]]}{h[17:20]}-{h[20:32]}"


def claim_id(partner: PartnerId, claim_ref: str) -> ClaimId:
    """The claim a partner's reference names, whether or not it exists yet."""
    return ClaimId(name_id(f"{partner}/{claim_ref}"))


def event_id(claim: ClaimId, sequence: int) -> str:
    """`ce_id` of the claim's event with this sequence."""
    return name_id(f"{claim}/{sequence}")


def derived_id(cause: str, message_type: str, n: int = 0) -> str:
    """Id of the n-th message of a type that one message (`cause`, its id) brought about."""
    return name_id(f"{cause}/{message_type}/{n}")


def receipt_id(topic: str, partition: int, offset: int) -> str:
    """`ce_id` of the one receipt for a record."""
    return name_id(f"{topic}-{partition}-{offset}")


def mail_id(event: str, kind: str, recipient: str) -> str:
    """Local part of a mail's Message-ID: the same event, kind and recipient are one mail."""
    return name_id(f"{event}/{kind}/{recipient}")


def legacy_reference(tenant: TenantId, subscription: SubscriptionId, role: PartnerRole) -> str:
    """The claim reference of an imported association (D23), 56 characters.

    No create of its partner ever told intake whose claim it is, so the reference itself names the tenant.
    """
    return f"legacy:{tenant}:{name_id(f'{subscription}/{role.value}')[-12:]}"


def legacy_tenant(claim_ref: str) -> TenantId | None:
    """The tenant that the reference of an imported association names; None for any other reference."""
    found = _LEGACY_REFERENCE.fullmatch(claim_ref)
    return TenantId(found[1]) if found else None


def workload_unit(tenant: TenantId, workload: str) -> UnitId:
    return UnitId(f"{tenant}/workload/{workload}")


def subscription_unit(tenant: TenantId, subscription: SubscriptionId) -> UnitId:
    return UnitId(f"{tenant}/subscription/{subscription}")


def subscription_of(unit: UnitId) -> SubscriptionId | None:
    """The subscription that a unit is; None for a workload."""
    return SubscriptionId(unit.partition("/subscription/")[2]) or None


_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """Kafka's default partitioner hash, unsigned 32 bit."""
    length = len(data)
    h = 0x9747B28C ^ length
    whole = length & ~3
    for i in range(0, whole, 4):
        k = (int.from_bytes(data[i : i + 4], "little") * _M) & _MASK
        k = ((k ^ (k >> 24)) * _M) & _MASK
        h = ((h * _M) & _MASK) ^ k
    if whole != length:
        h = ((h ^ int.from_bytes(data[whole:], "little")) * _M) & _MASK
    h = ((h ^ (h >> 13)) * _M) & _MASK
    return h ^ (h >> 15)


@lru_cache(maxsize=65_536)
def _positive_hash(key: str) -> int:
    return murmur2(key.encode()) & 0x7FFFFFFF


def tenant_partition(tenant: TenantId, partitions: int) -> int:
    """The partition of every internal claim topic that holds this tenant (contract §1)."""
    return _positive_hash(tenant) % partitions
