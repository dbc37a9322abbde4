"""The embedded Kafka and S3: nothing left behind, nothing lost over a restart."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic

from cpor.devstack.endpoints import Endpoints, saved_endpoints
from cpor.devstack.errors import DataDirInUse, PlatformError
from cpor.devstack.jars import fetch_jars
from cpor.devstack.ports import LOOPBACK
from cpor.devstack.probe import kafka_answers
from cpor.devstack.seaweed import INCOMING_DAYS, s3_client
from cpor.devstack.stack import Stack, silent
from tests.integration.devstack.world import await_gone, line_of, parent_running, runs

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("jars")]

PARENT = """
import json, sys, time
from pathlib import Path
from cpor.devstack.stack import Stack
stack = Stack(Path(sys.argv[1]))
stack.start()
print(json.dumps(stack.pids), flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="session")
def jars() -> Path:
    return fetch_jars(silent)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, jars: Path) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("instance")) as stack:
        yield stack


def put_and_send(endpoints: Endpoints) -> None:
    client = s3_client(endpoints.s3_endpoint, endpoints.s3_access_key, endpoints.s3_secret_key)
    client.put_object(Bucket=endpoints.s3_bucket, Key="accepted/a", Body=b"kept", ChecksumAlgorithm="SHA256")
    admin = KafkaAdminClient(bootstrap_servers=endpoints.kafka_bootstrap)
    admin.create_topics([NewTopic("kept", 1, 1)])
    admin.close()
    producer = KafkaProducer(bootstrap_servers=endpoints.kafka_bootstrap)
    producer.send("kept", b"message", timestamp_ms=1).get(20)
    producer.close()


def kept(endpoints: Endpoints) -> tuple[bytes, bytes]:
    client = s3_client(endpoints.s3_endpoint, endpoints.s3_access_key, endpoints.s3_secret_key)
    consumer = KafkaConsumer("kept", bootstrap_servers=endpoints.kafka_bootstrap, auto_offset_reset="earliest")
    message = next(consumer)
    consumer.close()
    return client.get_object(Bucket=endpoints.s3_bucket, Key="accepted/a")["Body"].read(), message.value


@pytest.mark.slow
def test_after_a_kill_nothing_runs_and_the_next_start_goes_on_at_the_same_place(tmp_path: Path) -> None:
    with parent_running(PARENT, str(tmp_path)) as parent:
        pids = list(json.loads(line_of(parent)).values())
        before = saved_endpoints(tmp_path)
        assert before is not None
        put_and_send(before)
        parent.kill()
        await_gone(pids)
    assert len(pids) == 2
    with Stack(tmp_path) as stack:
        assert stack.endpoints == before
        assert kept(stack.endpoints) == (b"kept", b"message")


def test_a_directory_whose_stack_runs_is_refused_without_touching_it(stack: Stack) -> None:
    with pytest.raises(DataDirInUse, match="in use by process"):
        Stack(stack.data_dir).start()
    assert kafka_answers(stack.endpoints.kafka_bootstrap)
    assert saved_endpoints(stack.data_dir) == stack.endpoints
    assert all(map(runs, stack.pids.values()))


def test_all_parts_listen_on_the_loopback_interface_only(stack: Stack) -> None:
    listening = [
        connection.laddr.ip
        for pid in stack.pids.values()
        for connection in psutil.Process(pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 4
    assert {address.removeprefix("::ffff:") for address in listening} == {LOOPBACK}


def test_the_broker_stamps_records_with_its_own_time(stack: Stack) -> None:
    admin = KafkaAdminClient(bootstrap_servers=stack.endpoints.kafka_bootstrap)
    admin.create_topics([NewTopic("stamped", 1, 1)])
    admin.close()
    producer = KafkaProducer(bootstrap_servers=stack.endpoints.kafka_bootstrap)
    stamped = producer.send("stamped", b"x", timestamp_ms=1).get(20)
    producer.close()
    assert stamped.timestamp > 1_600_000_000_000


def test_the_bucket_is_versioned_and_what_is_never_attached_expires(stack: Stack) -> None:
    here = stack.endpoints
    client = s3_client(here.s3_endpoint, here.s3_access_key, here.s3_secret_key)
    assert client.get_bucket_versioning(Bucket=here.s3_bucket)["Status"] == "Enabled"
    (rule,) = client.get_bucket_lifecycle_configuration(Bucket=here.s3_bucket)["Rules"]
    assert rule["Filter"]["Prefix"] == "incoming/"
    assert rule["Expiration"]["Days"] == INCOMING_DAYS


def test_the_store_refuses_those_who_do_not_know_its_secret(stack: Stack) -> None:
    here = stack.endpoints
    client = s3_client(here.s3_endpoint, here.s3_access_key, "another secret")
    with pytest.raises(client.exceptions.ClientError, match="SignatureDoesNotMatch"):
        client.list_buckets()


def test_secrets_are_readable_by_their_owner_only(stack: Stack) -> None:
    for name in ("endpoints.json", "s3/credentials.json"):
        assert stat.S_IMODE((stack.data_dir / name).stat().st_mode) == 0o600, name


def test_only_the_parts_asked_for_are_started_and_stopping_leaves_nothing(tmp_path: Path) -> None:
    with Stack(tmp_path, kafka=False) as stack:
        assert list(stack.pids) == ["s3"]
        pids, endpoint = list(stack.pids.values()), stack.endpoints.s3_endpoint
        ports = json.loads((tmp_path / "s3" / "ports.json").read_text()).values()
    assert not any(map(runs, pids))
    assert saved_endpoints(tmp_path) is None
    assert not [path for port in ports for path in Path("/tmp").glob(f"seaweedfs-*-{port}.sock")]
    with pytest.raises(URLError):
        urlopen(endpoint, timeout=2)


def test_a_broker_that_cannot_start_says_why_and_takes_the_rest_down_with_it(tmp_path: Path) -> None:
    (tmp_path / "kafka").mkdir()
    (tmp_path / "kafka" / "data").mkdir()
    (tmp_path / "kafka" / "data" / "meta.properties").write_text("version=1\ncluster.id=another\nnode.id=99\n")
    stack = Stack(tmp_path)
    with pytest.raises(PlatformError, match=r"Kafka did not start\. The last lines of .*\n(.*\n)*.*node"):
        stack.start()
    assert stack.pids == {}
    assert saved_endpoints(tmp_path) is None
