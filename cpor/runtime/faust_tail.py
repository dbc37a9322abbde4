"""The newest records of a partition, for workers on Faust: what was said last before they came."""

from __future__ import annotations

import asyncio

import aiokafka  # the client that Faust brings

from cpor.runtime.errors import Retry
from cpor.runtime.record import Record, TopicPartition

#: How long a look may take, seconds.
LONGEST = 20.0


async def read_tail(bootstrap: str, place: TopicPartition, most: int, since: int | None = None) -> list[Record]:
    """At most `most` committed records, oldest first, up to the end as it is now; with `since` (an offset) all from
    there on. Raises Retry where it takes too long.

    `appended_at` is the broker's own, on no test clock.
    """
    consumer = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", enable_auto_commit=False, group_id=None
    )
    try:
        async with asyncio.timeout(LONGEST):
            await consumer.start()
            return await _newest(consumer, aiokafka.TopicPartition(*place), most, since)
    except TimeoutError:
        raise Retry(f"the end of {place} cannot be read") from None
    finally:
        await consumer.stop()


async def _newest(
    consumer: aiokafka.AIOKafkaConsumer, place: aiokafka.TopicPartition, most: int, since: int | None
) -> list[Record]:
    consumer.assign([place])
    end = (await consumer.end_offsets([place]))[place]
    begin = (await consumer.beginning_offsets([place]))[place]
    consumer.seek(place, max(begin, end - most if since is None else since))
    found: list[Record] = []
    while await consumer.position(place) < end:
        for records in (await consumer.getmany(place, timeout_ms=500)).values():
            found += [_record(each) for each in records]
    return found


def _record(each: aiokafka.ConsumerRecord[bytes, bytes]) -> Record:
    return Record(each.topic, each.partition, each.offset, each.timestamp, each.key, each.value, tuple(each.headers))
