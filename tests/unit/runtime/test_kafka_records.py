"""What other clients may write and kafka-python would take for corrupt: it would stop at each new try."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.errors import CorruptRecordError
from kafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from kafka.record.memory_records import MemoryRecords

from cpor.runtime.transport.kafka_read import headers_of
from cpor.runtime.transport.kafka_records import accept_any_header_name

Header = tuple[bytes, bytes | None]


class Name(str):
    """A header's name as some clients send it: any bytes."""

    def __new__(cls, raw: bytes) -> Name:
        made = super().__new__(cls, raw.decode("latin-1"))
        made.raw = raw
        return made

    raw: bytes

    def encode(self, *_: Any) -> bytes:
        return self.raw


@pytest.fixture(autouse=True)
def lenient() -> None:
    accept_any_header_name()


def read(codec: int, *records: tuple[bytes | None, bytes | None, list[Header]]) -> list[Any]:
    """The records as written into one batch and read from it."""
    batch = MemoryRecords(written(codec, *records)).next_batch()
    assert batch.validate_crc()
    return [(each.offset, each.key, each.value, each.headers) for each in batch]


def written(codec: int, *records: tuple[bytes | None, bytes | None, list[Header]]) -> bytes:
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, -1, 1 << 20)
    for offset, (key, value, headers) in enumerate(records):
        builder.append(offset, 0, key, value, [(Name(name), content) for name, content in headers])
    return bytes(builder.build())


@pytest.mark.parametrize("codec", [0, 1], ids=["plain", "gzip"])
def test_a_header_name_that_is_no_utf8_is_read_and_the_records_around_it_are_as_they_were(codec: int) -> None:
    usual: list[Header] = [(b"ce_id", b"m-1")]
    foreign: list[Header] = [("é".encode(), b"\xff")]
    strange: list[Header] = [(b"ce_id", b"m-2"), (b"b\xffd\xc3", None), (b"\xfe", b"\xfe"), (b"last", b"")]
    found = read(codec, (b"a", b"1", usual), (b"\xff", b"\xfe", strange), (b"c", b"3", foreign))
    assert found == [
        (0, b"a", b"1", [("ce_id", b"m-1")]),
        (1, b"\xff", b"\xfe", [("ce_id", b"m-2"), ("b?d?", None), ("?", b"\xfe"), ("last", b"")]),
        (2, b"c", b"3", [("é", b"\xff")]),
    ]


BYTES = st.none() | st.binary(max_size=200)


@given(BYTES, BYTES, st.lists(st.tuples(st.binary(max_size=8), BYTES), max_size=5))
def test_whatever_its_header_names_are_a_record_keeps_key_value_and_the_values_of_its_headers(
    key: bytes | None, value: bytes | None, headers: list[Header]
) -> None:
    (found,) = read(0, (key, value, headers))
    assert found[:3] == (0, key, value)
    assert [content for _, content in found[3]] == [content for _, content in headers]


def test_a_batch_that_is_corrupt_stays_so() -> None:
    content = bytearray(written(0, (b"a", b"1", [])))
    content[DefaultRecordBatch.HEADER_STRUCT.size] += 2
    with pytest.raises(CorruptRecordError):
        list(DefaultRecordBatch(content))


def test_a_header_without_a_value_counts_as_empty() -> None:
    assert headers_of([("ce_id", None), ("x", b"1"), ("y", b"")]) == (("ce_id", b""), ("x", b"1"), ("y", b""))
    assert headers_of([("x", b"1")]) == (("x", b"1"),)
    assert headers_of([]) == ()
