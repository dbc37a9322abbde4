"""Writing reference records to their topics (contract §1, §8): partners with their topics, customers, subscriptions."""

from __future__ import annotations

import getpass
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from cpor.domain.ids import name_id, tenant_partition
from cpor.domain.vocabulary import Instant, TenantId
from cpor.ops.errors import NotReachable
from cpor.ops.instance import Instance
from cpor.ops.reading import newest_rows, partition_counts
from cpor.ops.writing import NO_WHY, Why, audit_entry
from cpor.runtime.record import Output, Record
from cpor.runtime.topics import Count, Topic, partner_topics
from schemas import reference
from schemas.audit import PARTNER_ADDED, REFERENCE_LOADED, Change, PartnerAdded, ReferenceLoaded
from schemas.envelope import headers

#: Records that wait for the broker at one time.
BATCH = 2_000
Row = reference.Partner | reference.Customer | reference.Subscription
_TYPES = {
    reference.Partner: reference.PARTNER,
    reference.Customer: reference.CUSTOMER,
    reference.Subscription: reference.SUBSCRIPTION,
}


@dataclass(frozen=True, slots=True)
class Added:
    """What became of one partner."""

    partner_id: str
    change: Change
    topics_created: tuple[str, ...]


def operator() -> str:
    """The person at this terminal, as `ce_source` names them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no entry for this user id, as in some containers
        return "unknown"


def claim_partitions(counts: dict[str, int]) -> int:
    """N of the running instance. Raises NotReachable where its topics were never made."""
    if Topic.CLAIM_EVENTS not in counts:
        raise NotReachable("the instance has no topics yet: start its workers with `cpor up`")
    return counts[Topic.CLAIM_EVENTS]


def add_partners(
    instance: Instance, partners: Iterable[reference.Partner], by: str | None = None, why: Why = NO_WHY
) -> list[Added]:
    """Directory entries first, then the topics: intake never meets a topic whose partner it cannot know.

    `by`: the operator who stands behind it on the audit, else the user of this terminal. Raises WrongUse.
    """
    wanted = list(partners)
    counts = partition_counts(instance.transport)
    claims = claim_partitions(counts)
    before = newest_rows(instance.transport, Topic.PARTNERS, counts)
    changes = {each.partner_id: _change(before, each) for each in wanted}
    acting, now = by or operator(), instance.clock.now()
    publish(instance, [_addition(acting, now, partner, change, why) for partner, change in changes.items()])
    publish(instance, [to_output(each, claims, now, acting) for each in wanted])
    specs = {each.partner_id: partner_topics(each.partner_id) for each in wanted}
    sizes: dict[str, int] = {Count.CLAIMS: claims, Count.PARTNERS: counts[Topic.INTAKE_SLOTS], Count.ONE: 1}
    admin = instance.transport.admin()
    try:
        made = set(admin.create([spec for three in specs.values() for spec in three], sizes))
    finally:
        admin.close()
    return [Added(p, changes[p], tuple(s.name for s in three if s.name in made)) for p, three in specs.items()]


def _change(before: Mapping[bytes, Record], partner: reference.Partner) -> Change:
    old = before.get(partner.partner_id.encode())
    if old is None:
        return Change.ADDED
    return Change.UNCHANGED if old.value == whole(partner) else Change.UPDATED


def _addition(by: str, now: int, partner_id: str, change: Change, why: Why) -> Output:
    """The audit's entry."""
    about = {"partner_id": partner_id, "change": change}
    return audit_entry(PARTNER_ADDED, PartnerAdded, by, str(uuid.uuid4()), now, why, **about)


def load_reference(
    instance: Instance,
    rows: Iterable[reference.Customer | reference.Subscription],
    told: Callable[[int], None] = lambda _: None,
    by: str | None = None,
    why: Why = NO_WHY,
) -> int:
    """Write customers and subscriptions; a subscription that changed its tenant is taken out of its old place.

    `by`: the operator who stands behind it on the audit, else the user of this terminal. Raises WrongUse.
    """
    wanted = list(rows)
    counts = partition_counts(instance.transport)
    claims = claim_partitions(counts)
    acting, now = by or operator(), instance.clock.now()
    moved = _moved(instance, wanted, counts)
    publish(instance, [_load(acting, now, wanted, why)])
    publish(instance, moved + [to_output(each, claims, now, acting) for each in wanted], told)
    return len(wanted)


def _load(by: str, now: int, rows: list[reference.Customer | reference.Subscription], why: Why) -> Output:
    """The audit's entry."""
    customers = sum(isinstance(each, reference.Customer) for each in rows)
    about = {"customers": customers, "subscriptions": len(rows) - customers}
    return audit_entry(REFERENCE_LOADED, ReferenceLoaded, by, str(uuid.uuid4()), now, why, **about)


def _moved(
    instance: Instance, rows: list[reference.Customer | reference.Subscription], counts: dict[str, int]
) -> list[Output]:
    """Tombstones: a compacted topic keeps one record per key and *partition*, and the partition is the tenant's."""
    subscriptions = [each for each in rows if isinstance(each, reference.Subscription)]
    if not subscriptions:
        return []
    before = newest_rows(instance.transport, Topic.SUBSCRIPTIONS, counts)
    moved = []
    for each in subscriptions:
        old = before.get(each.subscription_id.encode())
        if old is not None and old.partition != tenant_partition(TenantId(each.tenant_id), claim_partitions(counts)):
            moved.append(Output(Topic.SUBSCRIPTIONS, old.partition, old.key, None, []))
    return moved


def publish(instance: Instance, outputs: list[Output], told: Callable[[int], None] = lambda _: None) -> None:
    """Send records and wait for the broker. Raises `PublishFailed`."""
    publisher = instance.transport.publisher()
    try:
        for start in range(0, len(outputs), BATCH):
            batch = outputs[start : start + BATCH]
            for output in batch:
                publisher.send(output)
            publisher.flush()
            told(len(batch))
    finally:
        publisher.close()


def to_output(row: Row, claims: int, now: int, by: str) -> Output:
    """The record of a row: its topic, key and partition (contract §1); `by`: the operator."""
    value = whole(row)
    name = _TYPES[type(row)]
    topic, key, partition = _place(row, claims)
    made = headers(name, name_id(f"{name}/{key}/{value.decode()}"), f"/operators/{by}", Instant(now), None)
    return Output(topic, partition, key.encode(), value, made)


def whole(row: Row) -> bytes:
    """The row with every field, those that were not given as null: readers need not know the defaults."""
    return row.model_dump_json().encode()


def _place(row: Row, claims: int) -> tuple[str, str, int]:
    if isinstance(row, reference.Partner):
        return Topic.PARTNERS, row.partner_id, 0
    partition = tenant_partition(TenantId(row.tenant_id), claims)
    if isinstance(row, reference.Customer):
        return Topic.CUSTOMERS, row.tenant_id, partition
    return Topic.SUBSCRIPTIONS, row.subscription_id, partition
