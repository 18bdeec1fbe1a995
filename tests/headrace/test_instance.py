"""An instance's data directory: private, locked, and refused when a newer Headrace wrote it."""

import os
import socket
import stat
from contextlib import closing
from pathlib import Path

import pytest

from headrace.errors import AlreadyRunning, DataNewer, DataUnusable, NotRunning, PortTaken
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
        instance.write_state(state(pid=4711))
        assert instance.is_locked()
        assert instance.state().pid == 4711
        with pytest.raises(AlreadyRunning, match="pid 4711"), instance.locked():
            pass
    with pytest.raises(NotRunning):
        instance.state()


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
