"""Writing reference records to their topics (contract §1, §8): partners with their topics, customers, subscriptions."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from cpor.domain.ids import name_id, tenant_partition
from cpor.domain.vocabulary import Instant, TenantId
from cpor.ops.errors import NotReachable
from cpor.ops.instance import Instance
from cpor.ops.reading import newest_rows, partition_counts
from cpor.runtime.record import Output, Record
from cpor.runtime.topics import Count, Topic, partner_topics
from schemas import reference
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
    """What became of one partner: `change` is added, updated or unchanged."""

    partner_id: str
    change: str
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


def add_partners(instance: Instance, partners: Iterable[reference.Partner]) -> list[Added]:
    """Directory entries first, then the topics: intake never meets a topic whose partner it cannot know."""
    wanted = list(partners)
    counts = partition_counts(instance.transport)
    claims = claim_partitions(counts)
    before = newest_rows(instance.transport, Topic.PARTNERS, counts)
    changes = {each.partner_id: _change(before, each) for each in wanted}
    publish(instance, [to_output(each, claims, instance.clock.now()) for each in wanted])
    specs = {each.partner_id: partner_topics(each.partner_id) for each in wanted}
    sizes: dict[str, int] = {Count.CLAIMS: claims, Count.PARTNERS: counts[Topic.INTAKE_SLOTS], Count.ONE: 1}
    admin = instance.transport.admin()
    try:
        made = set(admin.create([spec for three in specs.values() for spec in three], sizes))
    finally:
        admin.close()
    return [Added(p, changes[p], tuple(s.name for s in three if s.name in made)) for p, three in specs.items()]


def _change(before: Mapping[bytes, Record], partner: reference.Partner) -> str:
    old = before.get(partner.partner_id.encode())
    if old is None:
        return "added"
    return "unchanged" if old.value == whole(partner) else "updated"


def load_reference(
    instance: Instance,
    rows: Iterable[reference.Customer | reference.Subscription],
    told: Callable[[int], None] = lambda _: None,
) -> int:
    """Write customers and subscriptions; a subscription that changed its tenant is taken out of its old place."""
    wanted = list(rows)
    counts = partition_counts(instance.transport)
    claims = claim_partitions(counts)
    now = instance.clock.now()
    moved = _moved(instance, wanted, counts)
    publish(instance, moved + [to_output(each, claims, now) for each in wanted], told)
    return len(wanted)


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


def to_output(row: Row, claims: int, now: int) -> Output:
    """The record of a row: its topic, key and partition (contract §1)."""
    value = whole(row)
    name = _TYPES[type(row)]
    topic, key, partition = _place(row, claims)
    made = headers(name, name_id(f"{name}/{key}/{value.decode()}"), f"/operators/{operator()}", Instant(now), None)
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
