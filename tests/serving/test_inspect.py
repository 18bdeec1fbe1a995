"""`python -m serving inspect`: what it prints of files good and bad, and what the process may no longer do."""

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from contracts.signature import Inspection, Refusal, Tensor
from tests import models

FLOAT = models.FLOAT
MEMORY = 2 * 1024**3


def unmeasured() -> dict[str, str]:
    """The environment without coverage's hook: a process that may write nothing cannot keep its data."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


def inspect(path: Path, memory_bytes: int = MEMORY) -> Inspection | str:
    """The inspection, or the reason of the refusal."""
    command = [sys.executable, "-m", "serving", "inspect", "--memory-bytes", str(memory_bytes), "--timeout-s", "60", str(path)]
    done = subprocess.run(command, capture_output=True, check=False, env=unmeasured())
    assert done.stderr == b""
    if done.returncode == 0:
        return msgspec.json.decode(done.stdout, type=Inspection)
    assert done.returncode == 1
    return msgspec.json.decode(done.stdout, type=Refusal).reason


def refusal(path: Path, memory_bytes: int = MEMORY) -> str:
    """Why the file is refused."""
    reason = inspect(path, memory_bytes)
    assert isinstance(reason, str)
    return reason


def test_a_good_model_is_described(tmp_path: Path) -> None:
    path = models.sum_model(tmp_path / "m.onnx", width=7, metadata={"headrace.labels": '["é"]'})
    found = inspect(path)
    assert found == Inspection(
        inputs=(Tensor("x", "FP32", (-1, 7)),),
        outputs=(Tensor("y", "FP32", (-1,)),),
        opset=models.OPSET,
        ir_version=models.IR_VERSION,
        producer="headrace-tests",
        parameters=1,
        size_bytes=path.stat().st_size,
        nodes=1,
        metadata={"headrace.labels": '["é"]'},
    )


def _cut(share: float) -> Callable[[bytes], bytes]:
    return lambda blob: blob[: int(len(blob) * share)]


DAMAGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", "the file is empty"),
    "text": (lambda _: b"hello world, this is no model", "not ONNX, or is cut off: byte 2"),
    "zeros": (lambda _: bytes(1000), "byte 0: no field begins here"),
    "a picture": (lambda _: b"\x89PNG\r\n\x1a\n" + bytes(100), "not ONNX"),
    "half": (_cut(0.5), "bytes are left"),
    "almost whole": (lambda blob: blob[:-1], "cut off: byte"),
    "a tail": (lambda blob: blob + b"\xff\xff\xff", "no field begins here"),
    "another protobuf": (lambda _: b"\x0a\x03abc", "not ONNX"),
}


@pytest.mark.parametrize(("damage", "reason"), DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_file_is_refused_with_the_byte(tmp_path: Path, damage: Callable[[bytes], bytes], reason: str) -> None:
    path = models.mlp_model(tmp_path / "m.onnx")
    path.write_bytes(damage(path.read_bytes()))
    assert reason in refusal(path)


def test_a_truncated_file_is_refused_with_the_byte_where_the_cut_field_begins(tmp_path: Path) -> None:
    path = models.mlp_model(tmp_path / "m.onnx")
    blob = path.read_bytes()
    begins = blob.index(b"\x3a")  # the field `graph`: number 7, with a length
    path.write_bytes(blob[: len(blob) // 2])
    assert f"byte {begins}: a field of" in refusal(path)


def build(path: Path, nodes: Sequence[onnx.NodeProto], kind: int = FLOAT, shape: Sequence[Any] = ("N", 4), **model: int) -> Path:
    """A model from `x` to `y`, whatever its nodes say."""
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", kind, shape)],
        [onnx.numpy_helper.from_array(np.zeros((5, 3), np.float32), "w")],
    )
    opset = helper.make_opsetid("", model.get("opset", models.OPSET))
    made = helper.make_model(graph, opset_imports=[opset], ir_version=model.get("ir_version", models.IR_VERSION))
    path.write_bytes(made.SerializeToString())
    return path


INVALID: dict[str, tuple[Callable[[Path], Path], str]] = {
    "an operator of nobody": (lambda it: build(it, [helper.make_node("Nonsense", ["x"], ["y"], name="nn")]), "nn"),
    "wrong types": (lambda it: build(it, [helper.make_node("Not", ["x"], ["y"], name="nought")]), "nought"),
    "wrong shapes": (lambda it: build(it, [helper.make_node("MatMul", ["x", "w"], ["y"], name="product")]), "product"),
    "an input from nowhere": (lambda it: build(it, [helper.make_node("Relu", ["q"], ["y"], name="lost")]), "lost"),
    "a circle": (
        lambda it: build(
            it, [helper.make_node("Relu", ["z"], ["y"], name="one"), helper.make_node("Relu", ["y"], ["z"], name="two")]
        ),
        "one",
    ),
    "an operator set of the future": (
        lambda it: build(it, [helper.make_node("Relu", ["x"], ["y"])], opset=99),
        "Opset 99",
    ),
    "a format of the future": (lambda it: build(it, [helper.make_node("Relu", ["x"], ["y"])], ir_version=99), "99"),
    "a kernel that is missing": (
        lambda it: build(it, [helper.make_node("Identity", ["x"], ["y"], name="four")], TensorProto.INT4),
        "four",
    ),
    "a type without a word": (
        lambda it: build(it, [helper.make_node("Identity", ["x"], ["y"])], TensorProto.BFLOAT16),
        "tensor(bfloat16)",
    ),
    "a custom operator": (models.custom_operator_model, "node 'wizard' is the operator Magic of 'com.example'"),
    "external data": (models.external_data_model, "tensor 'w' is kept in another file ('../secret.bin')"),
    "external data by its whole path": (lambda it: models.external_data_model(it, "/etc/passwd"), "'/etc/passwd'"),
    "external data beside it": (lambda it: models.external_data_model(it, "weights.bin"), "'weights.bin'"),
}


@pytest.mark.parametrize(("make", "reason"), INVALID.values(), ids=INVALID.keys())
def test_a_model_that_cannot_be_served_is_refused_with_the_node_or_tensor(
    tmp_path: Path, make: Callable[[Path], Path], reason: str
) -> None:
    text = refusal(make(tmp_path / "m.onnx"))
    assert reason in text
    assert str(tmp_path) not in text
    assert "/onnxruntime_src" not in text


def test_a_custom_operator_inside_a_subgraph_is_found(tmp_path: Path) -> None:
    inner = helper.make_graph(
        [helper.make_node("Magic", ["x"], ["z"], name="hidden", domain="com.example")],
        "inner",
        [],
        [models.tensor("z", FLOAT, ["N", 4])],
    )
    nodes = [
        helper.make_node("Constant", [], ["yes"], value=onnx.numpy_helper.from_array(np.array(True))),
        helper.make_node("If", ["yes"], ["y"], then_branch=inner, else_branch=inner),
    ]
    assert "'hidden'" in refusal(build(tmp_path / "m.onnx", nodes))


def test_a_file_too_large_for_its_memory_is_refused_for_that(tmp_path: Path) -> None:
    weights = {"w": np.zeros((4, 25_000_000), np.float32)}
    x, y = models.tensor("x", FLOAT, ["N", 4]), models.tensor("y", FLOAT, ["N", 25_000_000])
    path = models.save_graph(tmp_path / "m.onnx", [helper.make_node("MatMul", ["x", "w"], ["y"])], [x], [y], weights)
    text = refusal(path, 650_000_000)
    assert "memory" in text or "alloc" in text


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert inspect(tmp_path / "absent.onnx") == "the file cannot be read: No such file or directory"


PROBE = """
import os, socket, subprocess, sys
from pathlib import Path
from serving import sandbox

path, secret, listener = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
sandbox.enter(path, 2**31, 60)
path.read_bytes()
import onnxruntime

def is_denied(attempt):
    try:
        attempt()
    except OSError as error:
        return isinstance(error, PermissionError)
    return False

attempts = {
    "read a file": lambda: secret.read_bytes(),
    "list a folder": lambda: os.listdir(secret.parent),
    "write a file": lambda: Path(str(path) + ".new").write_bytes(b"x"),
    "write the file": lambda: path.write_bytes(b"x"),
    "see another's environment": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
    "make a socket": lambda: socket.socket(socket.AF_UNIX).connect(listener),
    "reach the network": lambda: socket.create_connection(("127.0.0.1", 1)),
    "run a program": lambda: os.execv(sys.executable, [sys.executable, "-c", "print('ran')"]),
    "end its starter": lambda: os.kill(os.getppid(), 0),
}
print(*[name for name, attempt in attempts.items() if not is_denied(attempt)], sep=",")
"""


@pytest.mark.skipif(
    sys.platform != "linux" or ctypes.CDLL(None).syscall(444, None, 0, 1) < 1, reason="this kernel has no Landlock"
)
def test_inside_the_sandbox_nothing_else_can_be_reached(tmp_path: Path, short_tmp: Path) -> None:
    path, secret = models.sum_model(tmp_path / "m.onnx"), short_tmp / "secret"
    secret.write_text("secret")
    environment = {**unmeasured(), "PYTHONPATH": os.pathsep.join(it for it in sys.path if it)}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(path), str(secret), str(short_tmp / "s.sock")],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    assert done.stdout.strip() == ""
