"""An instance's data directory: private, locked, and refused when a newer Headrace wrote it."""

import fcntl
import os
import socket
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from headrace.errors import AlreadyRunning, CannotListen, DataNewer, DataUnusable, NotRunning, PortTaken
from headrace.instance import LONGEST_SOCKET_DIRECTORY, Instance, InstanceState
from headrace.supervisor.ports import Ports, choose_ports


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    instance = Instance(tmp_path / "data")
    instance.prepare()
    return instance


def state(pid: int = 1) -> InstanceState:
    return InstanceState(pid=pid, phase="ready", console_url="c", inference_url="i", grpc_target="g", mlflow_uri="m")


def test_a_data_directory_of_a_newer_layout_is_refused_with_what_to_do(instance: Instance) -> None:
    (instance.data / "LAYOUT").write_text("999\n")
    with pytest.raises(DataNewer, match=r"newer Headrace \(layout 999.*update Headrace, or point HEADRACE_DATA"):
        instance.prepare()


def test_a_directory_that_is_something_else_is_refused(instance: Instance) -> None:
    (instance.data / "LAYOUT").write_text("hello")
    with pytest.raises(DataUnusable, match="not a Headrace data directory"):
        instance.prepare()


def test_a_path_that_cannot_be_a_directory_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataUnusable, match=r"cannot write to .*file/data"):
        Instance(tmp_path / "file" / "data").prepare()


def test_a_full_disk_is_one_clear_line(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.instance.MINIMUM_FREE_BYTES", 1 << 60)
    with pytest.raises(DataUnusable, match=r"only \d+ MB free on its disk"):
        instance.prepare()


def test_only_one_supervisor_holds_the_directory(instance: Instance) -> None:
    assert not instance.is_locked()
    with instance.locked():
        instance.write_state(state(os.getpid()))
        assert instance.is_locked()
        assert instance.state().pid == os.getpid()
        with pytest.raises(AlreadyRunning, match=f"pid {os.getpid()}"), instance.locked():
            pass
    with pytest.raises(NotRunning):
        instance.state()


def test_the_state_of_an_earlier_supervisor_is_not_taken_for_the_one_that_starts(instance: Instance) -> None:
    instance.write_state(state(pid=4711))
    with instance.locked(), pytest.raises(NotRunning):
        instance.state()


def test_somebody_who_only_looks_does_not_keep_a_supervisor_from_starting(instance: Instance) -> None:
    instance.lock_file.touch()
    with instance.lock_file.open("rb") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        released = threading.Timer(0.1, fcntl.flock, (looking, fcntl.LOCK_UN))
        released.start()
        with instance.locked():
            assert instance.is_locked()
        released.join()


def test_a_socket_directory_that_is_a_link_is_refused(instance: Instance, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o700)
    instance.sockets.symlink_to(tmp_path / "home")
    try:
        with pytest.raises(DataUnusable, match="belongs to somebody else"), instance.locked():
            pass
        assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700
    finally:
        instance.sockets.unlink()


def test_a_full_disk_leaves_nothing_that_a_later_start_would_stumble_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = Instance(tmp_path / "data")
    with monkeypatch.context() as full:
        full.setattr("headrace.instance.MINIMUM_FREE_BYTES", 1 << 60)
        with pytest.raises(DataUnusable):
            instance.prepare()
    assert list(instance.data.iterdir()) == []
    instance.prepare()
    assert stat.S_IMODE(instance.data.stat().st_mode) == 0o700


def test_the_secret_is_made_once_and_is_private(instance: Instance) -> None:
    assert instance.secret() == instance.secret()
    assert len(instance.secret()) >= 32
    assert stat.S_IMODE((instance.data / "secret").stat().st_mode) == 0o600


def test_sockets_have_a_short_path_however_deep_the_data_lies(tmp_path: Path) -> None:
    deep = Instance(tmp_path / ("deep" * 30) / ("deeper" * 30))
    assert len(str(deep.sockets)) <= LONGEST_SOCKET_DIRECTORY
    assert deep.sockets != Instance(tmp_path).sockets
    assert f"-{os.geteuid()}-" in deep.sockets.name


def test_a_port_that_is_taken_is_named_with_what_to_do() -> None:
    free = choose_ports("127.0.0.1", 0)
    with closing(socket.create_server(("127.0.0.1", free.inference))), pytest.raises(PortTaken) as error:
        choose_ports("127.0.0.1", free.base)
    assert f"port {free.inference} on 127.0.0.1 is taken" in str(error.value)
    assert "--port-base" in str(error.value)
    assert choose_ports("127.0.0.1", free.base) == Ports("127.0.0.1", free.base)


def test_an_address_that_is_not_ours_is_not_called_a_taken_port() -> None:
    for base in (0, 8080):
        with pytest.raises(CannotListen, match=r"of 192\.0\.2\.1: .*set HEADRACE_HOST"):
            choose_ports("192.0.2.1", base)
