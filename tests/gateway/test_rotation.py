"""A key with a new secret: the old one is good beside it for a while, and a key that is revoked is not good any more."""

import hashlib
import time
from typing import Any

import msgspec
import pytest
import redis

from contracts.key_uses import addresses_key, old_secrets_key, secret_field
from contracts.routes import Key, RouteTable
from gateway.routing import Caller, KeyRefused, Routes
from tests.gateway.running import Calls, RunningGateway, seconds_until
from tests.gateway.tables import SECRET, authorization, deployment, key, revision, store_model
from tests.models import sum_model
from tests.services import wait_until

NEW = "n" * 32


def rotated(made: Key, overlap_until: float, **changes: Any) -> Key:
    fresh = hashlib.sha256(NEW.encode()).digest()
    changes |= {"secret_sha256": fresh, "previous_sha256": made.secret_sha256, "previous_expires_at": overlap_until}
    return msgspec.structs.replace(made, **changes)


def authenticate(made: Key, secret: str, now: float) -> Caller:
    header = authorization(made.key_id, secret)["Authorization"].encode()
    return Routes(RouteTable(1, (), (made,)), {}).authenticate(header, now)


@pytest.mark.parametrize(("now", "expires_at"), [(99.0, None), (99.0, 200.0)])
def test_both_secrets_are_good_during_the_overlap(now: float, expires_at: float | None) -> None:
    made = rotated(key(), 100.0, expires_at=expires_at)
    old, new = authenticate(made, SECRET, now), authenticate(made, NEW, now)
    assert (old.key_id, old.scopes) == (new.key_id, new.scopes)
    assert (old.expires_ns, new.expires_ns) == (100e9, float("inf") if expires_at is None else 200e9)


@pytest.mark.parametrize(("now", "expires_at"), [(100.0, None), (60.0, 50.0)])
def test_the_old_secret_is_good_no_longer_than_the_overlap_and_the_key(now: float, expires_at: float | None) -> None:
    made = rotated(key(), 100.0, expires_at=expires_at)
    with pytest.raises(KeyRefused):
        authenticate(made, SECRET, now)
    with pytest.raises(KeyRefused):
        authenticate(made, "x" * 32, 0.0)


@pytest.fixture
def served(gateway: RunningGateway) -> RunningGateway:
    gateway.publish(deployment("sum", revision(store_model(gateway.artifacts, sum_model(gateway.directory / "m.onnx")))))
    gateway.start()
    return gateway


def test_a_key_is_rotated_under_load_with_no_failed_call(served: RunningGateway) -> None:
    made = key()
    with Calls(served) as old:
        served.publish(*served.deployments, keys=(rotated(made, time.time() + 3600),))
        wait_until(lambda: served.infer(headers=authorization(secret=NEW)).status_code == 200, "the new secret to be taken")
        old.wait_for_more(100)
        for _ in range(20):
            assert served.infer(headers=authorization(secret=NEW)).status_code == 200
        old.wait_for_more(100)
    assert (set(old.statuses), old.failures) == ({200}, [])
    assert served.stop() == 0
    with redis.Redis.from_url(served.valkey.url) as client:
        fields: Any = client.hkeys(old_secrets_key(made.key_uuid))
        addresses: Any = client.zrange(addresses_key(made.key_uuid), 0, -1)
    assert (fields, addresses) == ([secret_field(made.secret_sha256).encode()], [b"127.0.0.1"])


def test_the_old_secret_ends_with_the_overlap_on_a_connection_that_used_it(served: RunningGateway) -> None:
    with Calls(served) as old:
        served.publish(*served.deployments, keys=(rotated(key(), time.time() + 1.5),))
        wait_until(lambda: served.infer(headers=authorization(secret=NEW)).status_code == 200, "the new secret to be taken")
        old.wait_for_more(10)
        wait_until(lambda: old.statuses[401] > 10, "the old secret to be refused")
    assert set(old.statuses) == {200, 401}
    assert served.infer(headers=authorization(secret=NEW)).status_code == 200


def test_a_revoked_key_is_refused_within_a_second_on_a_connection_that_used_it(served: RunningGateway) -> None:
    with Calls(served) as calls:
        calls.wait_for_more(10)
        served.publish(*served.deployments, keys=())
        assert seconds_until(lambda: calls.statuses[401] > 0, "the key to be refused") < 1
        good = calls.statuses[200]
        calls.wait_for_more(20)
        assert calls.statuses[200] == good
