"""Every malformed request that the running gateway gets is answered with a 4xx that says what is wrong and where; it lives."""

import gzip
import json
import os
import re
import struct
import zlib
from collections.abc import Generator
from typing import Any, Final

import psutil
import pytest
from onnx import TensorProto

from tests.gateway.breakable import BreakableValkey
from tests.gateway.running import RunningGateway
from tests.gateway.tables import authorization, deployment, revision, store_model
from tests.models import identity_model, sum_model

LIMIT: Final = 4 * 1024**2
DEEP: Final = 100_000
LENGTH: Final = "inference-header-content-length"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningGateway]:
    """`sum` takes FP32 [N, 4]; `int8`, `bool` and `bytes` take those datatypes as [N, 2]."""
    directory = tmp_path_factory.mktemp("bad")
    valkey = BreakableValkey(directory)
    valkey.start()
    gateway = RunningGateway(directory, valkey)
    kinds = {"int8": TensorProto.INT8, "bool": TensorProto.BOOL, "bytes": TensorProto.STRING}
    files = {"sum": sum_model(directory / "sum.onnx")}
    files |= {name: identity_model(directory / f"{name}.onnx", kind) for name, kind in kinds.items()}
    gateway.publish(*(deployment(name, revision(store_model(gateway.artifacts, path))) for name, path in files.items()))
    gateway.start(max_body_bytes=LIMIT)
    yield gateway
    gateway.close()
    valkey.kill()


def tensor(data: object, shape: object = (1, 4), datatype: object = "FP32", **more: object) -> dict[str, Any]:
    """An input `x`."""
    return {"name": "x", "shape": shape, "datatype": datatype, **({} if data is None else {"data": data}), **more}


def request(*inputs: object, **more: object) -> bytes:
    return json.dumps({"inputs": inputs, **more}).encode()


def announced(size: object, shape: object = (1, 4), datatype: object = "FP32") -> bytes:
    """A JSON header that announces one binary tensor of so many bytes."""
    return request(tensor(None, shape, datatype, parameters={"binary_data_size": size}))


GOOD: Final = request(tensor([1, 2, 3, 4]))
HEADER: Final = announced(16)
BOMB: Final = gzip.compress(b" " * (64 * 1024**2))

Case = tuple[str, bytes, dict[str, str], int, str]


def case(body: bytes, reason: str, *, name: str = "sum", status: int = 400, headers: dict[str, str] | None = None) -> Case:
    return name, body, headers or {}, status, reason


def binary(header: bytes, blob: bytes, reason: str, name: str = "sum") -> Case:
    return case(header + blob, reason, name=name, headers={LENGTH: str(len(header))})


CASES: Final[dict[str, Case]] = {
    # structure
    "lists 100,000 deep": case(b'{"a":' + b"[" * DEEP + b"]" * DEEP + b"}", "deep"),
    "inputs 100,000 deep": case(b'{"inputs":' + b"[" * DEEP + b"]" * DEEP + b"}", r"inputs\[0\]"),
    "objects 100,000 deep": case(b'{"a":' * DEEP + b"1" + b"}" * DEEP, "deep"),
    "data 100,000 deep": case(GOOD.replace(b"[1, 2, 3, 4]", b"[" * DEEP + b"1" + b"]" * DEEP), "data of input 'x'.*deep|deep"),
    "deep and cut off": case(b'{"a":' + b"[" * DEEP, "JSON|deep"),
    "nothing": case(b"", "not JSON"),
    "a word": case(b"hello", "not JSON"),
    "cut off": case(GOOD[:-1], "not JSON"),
    "something behind it": case(GOOD + b"{}", "trailing"),
    "a list": case(b"[1]", "Expected `object`"),
    "no inputs": case(b"{}", "`inputs`"),
    "inputs that are null": case(b'{"inputs": null}', "inputs"),
    "an input that is a word": case(request("x"), r"inputs\[0\]"),
    "no name": case(request({"shape": [1, 4], "datatype": "FP32", "data": [1]}), "`name`"),
    "a name that is a number": case(request(tensor([1]) | {"name": 5}), "name"),
    "an input nobody knows": case(request(tensor([1, 2, 3, 4]) | {"name": "y"}), "no input 'y'; it takes 'x'"),
    "an output nobody knows": case(request(tensor([1, 2, 3, 4]), outputs=[{"name": "q"}]), "no output 'q'; it gives 'y'"),
    "an input twice": case(request(tensor([1, 2, 3, 4]), tensor([1, 2, 3, 4])), "twice"),
    "an input missing": case(request(), "'x' is missing"),
    "parameters that are a list": case(request(tensor([1, 2, 3, 4]), parameters=[1]), "parameters"),
    "a negative timeout": case(request(tensor([1, 2, 3, 4]), parameters={"timeout": -1}), "timeout"),
    "a byte that is not UTF-8": case(b'{"id":"\xff","inputs":[]}', "UTF-8"),
    "a byte that is not UTF-8, passed over": case(GOOD[:-1] + b',"more":"\xc3\x28"}', "UTF-8"),
    "half a surrogate": case(request(tensor(["\ud800", "a"], [1, 2], "BYTES")), "UTF-8|JSON|surrogate", name="bytes"),
    "a NUL": case(b"\x00" + GOOD, "not JSON"),
    "UTF-16": case(GOOD.decode().encode("utf-16"), "not JSON|UTF-8"),
    # shapes
    "a shape of 2^40 rows": case(request(tensor([1, 2, 3, 4], [2**40, 4])), "17592186044416 bytes|takes 4398046511104 values"),
    "a shape beyond 64 bits": case(request(tensor([1, 2, 3, 4], [2**70, 4])), r"shape\[0\]"),
    "a shape of 4,000 digits": case(request(tensor([], [10**4_000, 10**4_000])), r"shape\[0\]"),
    "a shape whose product overflows": case(request(tensor([], [2**62, 4])), "values, 0 were given"),
    "no rows": case(request(tensor([], [0, 4])), "no rows"),
    "a negative dimension": case(request(tensor([1, 2, 3, 4], [-1, 4])), "negative dimension: -1"),
    "two negative dimensions": case(request(tensor([1, 2, 3, 4], [-1, -4])), "negative dimension|takes shape"),
    "a dimension that is a fraction": case(request(tensor([1, 2, 3, 4], [1.5, 4])), "Expected `int`"),
    "a dimension that is a word": case(request(tensor([1, 2, 3, 4], ["1", 4])), "Expected `int`"),
    "a shape that is a number": case(request(tensor([1, 2, 3, 4], 4)), "Expected `array`"),
    "too many dimensions": case(request(tensor([1, 2, 3, 4], [1, 1, 4])), "3 dimensions"),
    "too few dimensions": case(request(tensor([1, 2, 3, 4], [4])), "1 dimensions"),
    "the wrong width": case(request(tensor([1, 2, 3], [1, 3])), "takes shape"),
    "too few values": case(request(tensor([1, 2, 3])), "takes 4 values, 3 were given"),
    "too many values": case(request(tensor([1, 2, 3, 4, 5])), "takes 4 values, 5 were given"),
    "ragged": case(request(tensor([[1, 2, 3, 4], [5, 6]], [2, 4])), "not nested as shape"),
    "ragged with the right sum": case(request(tensor([[1, 2, 3], [4, 5, 6, 7, 8]], [2, 4])), "not nested as shape"),
    "nested otherwise": case(request(tensor([[1], [2], [3], [4]])), "not nested as shape"),
    # values
    "INT8 300": case(request(tensor([1, 300], [1, 2], "INT8")), "value 1 of input 'x' is 300; INT8 goes from -128", name="int8"),
    "INT8 -129": case(request(tensor([-129, 0], [1, 2], "INT8")), "value 0 of input 'x' is -129", name="int8"),
    "INT8 1.5": case(request(tensor([1.5, 0], [1, 2], "INT8")), "whole numbers", name="int8"),
    "INT8 true": case(request(tensor([True, 0], [1, 2], "INT8")), "whole numbers", name="int8"),
    "INT8 10^400": case(request(tensor([10**400, 0], [1, 2], "INT8")), "value 0 of input 'x'", name="int8"),
    "BOOL 1": case(request(tensor([1, False], [1, 2], "BOOL")), "true and false", name="bool"),
    "BYTES 5": case(request(tensor([5, "a"], [1, 2], "BYTES")), "takes strings", name="bytes"),
    "BYTES null": case(request(tensor([None, "a"], [1, 2], "BYTES")), "takes strings", name="bytes"),
    "FP32 as text": case(request(tensor(["1", 2, 3, 4])), "value 0 of input 'x'"),
    "FP32 1e39": case(request(tensor([1, 2, 3, 1e39])), "value 3 of input 'x'"),
    "1e400": case(GOOD.replace(b"4]", b"1e400]"), "out of range|JSON"),
    "NaN": case(request(tensor([1, 2, 3, float("nan")])), "send null for NaN"),
    "-Infinity": case(request(tensor([1, 2, 3, float("-inf")])), "no NaN or Infinity"),
    "another datatype": case(request(tensor([1, 2, 3, 4], datatype="FP64")), "'x' is FP32, not 'FP64'"),
    "a datatype nobody knows": case(request(tensor([1, 2, 3, 4], datatype="FLOAT")), "no datatype this server knows"),
    "a datatype that is a number": case(request(tensor([1, 2, 3, 4], datatype=32)), "datatype"),
    "data that is an object": case(request(tensor({"0": 1})), "value|values"),
    "data and binary data": case(request(tensor([1, 2, 3, 4], parameters={"binary_data_size": 16})), "both"),
    # lengths
    "a header longer than the body": case(GOOD, f"is {len(GOOD) + 1}, the body has", headers={LENGTH: str(len(GOOD) + 1)}),
    "a header much longer": case(GOOD, "the body has", headers={LENGTH: "999999999999"}),
    "a header length beyond all": case(GOOD, "not a number of bytes", headers={LENGTH: "9" * 30}),
    "a header length that is a word": case(GOOD, "not a number of bytes", headers={LENGTH: "all"}),
    "a negative header length": case(GOOD, "not a number of bytes", headers={LENGTH: "-5"}),
    "a header length in hex": case(GOOD, "not a number of bytes", headers={LENGTH: "0x10"}),
    "a header cut short": case(GOOD, "not JSON", headers={LENGTH: "10"}),
    "two header lengths": case(GOOD, "not a number of bytes", headers={LENGTH: "10, 10"}),
    "binary bytes that are missing": binary(HEADER, b"1234", "is 16, 4 bytes are left"),
    "binary bytes too many": binary(HEADER, b"x" * 20, "4 bytes follow the last"),
    "binary bytes without a header length": case(HEADER + b"x" * 16, "JSON|trailing|UTF-8"),
    "a binary size that does not fit": binary(announced(12), b"x" * 12, "takes 16 bytes, not 12"),
    "a negative binary size": binary(announced(-16), b"x" * 16, "is -16"),
    "a binary size that is a word": binary(announced("16"), b"x" * 16, "Expected `int"),
    "a binary size beyond 64 bits": binary(announced(2**70), b"x" * 16, "binary_data_size|integer"),
    "a binary shape of 2^40 rows": binary(announced(16, [2**40, 4]), b"x" * 16, "takes 17592186044416 bytes"),
    "binary BOOL 2": binary(announced(2, [1, 2], "BOOL"), b"\x00\x02", "must be 0 or 1", "bool"),
    "a string past the end": binary(announced(8, [1, 2], "BYTES"), struct.pack("<II", 0, 9), "runs past", "bytes"),
    "a string of 4 GiB": binary(announced(8, [1, 2], "BYTES"), b"\xff" * 8, "runs past", "bytes"),
    "a string too many": binary(announced(12, [1, 2], "BYTES"), bytes(12), "3 were given", "bytes"),
    "a string too few": binary(announced(4, [1, 2], "BYTES"), bytes(4), "too few bytes", "bytes"),
    "a string that is not UTF-8": binary(announced(9, [1, 2], "BYTES"), b"\x01\0\0\0\xff" + bytes(4), "string 0.*UTF-8", "bytes"),
    "2^40 strings": binary(announced(8, [2**39, 2], "BYTES"), bytes(8), "too few bytes", "bytes"),
    "a body too large": case(b" " * (LIMIT + 1), "larger than 4194304 bytes", status=413),
    # encodings
    "a gzip bomb": case(BOMB, "decompressed body is larger than", status=413, headers={"content-encoding": "gzip"}),
    "a deflate bomb": case(zlib.compress(b" " * (LIMIT + 1)), "larger", status=413, headers={"content-encoding": "deflate"}),
    "gzip that is none": case(GOOD, "not gzip", headers={"content-encoding": "gzip"}),
    "gzip cut off": case(gzip.compress(GOOD)[:-5], "cut off", headers={"content-encoding": "gzip"}),
    "gzip with a tail": case(gzip.compress(GOOD) + b"x", "followed by other bytes", headers={"content-encoding": "gzip"}),
    "raw deflate": case(zlib.compress(GOOD)[2:-4], "not deflate", headers={"content-encoding": "deflate"}),
    "another encoding": case(GOOD, "'br' is not supported", status=415, headers={"content-encoding": "br"}),
    "two encodings": case(gzip.compress(GOOD), "not supported", status=415, headers={"content-encoding": "gzip, gzip"}),
}  # fmt: skip


@pytest.mark.parametrize(("name", "body", "headers", "status", "reason"), CASES.values(), ids=CASES.keys())
def test_what_is_wrong_is_told_and_nothing_breaks(
    served: RunningGateway, name: str, body: bytes, headers: dict[str, str], status: int, reason: str
) -> None:
    for _ in range(2):  # the second time the head is known
        answer = served.http.post(f"/v2/models/{name}/infer", content=body, headers=authorization() | headers)
        assert answer.status_code == status, answer.text
        assert list(answer.json()) == ["error"]
        assert re.search(reason, answer.json()["error"]), answer.json()["error"]
        assert answer.headers["content-type"] == "application/json"
    assert served.infer().json()["outputs"][0]["data"] == [10.0]
    assert served.process.poll() is None


def test_bombs_take_no_memory(served: RunningGateway) -> None:
    process = psutil.Process(served.process.pid)
    headers = authorization() | {"content-encoding": "gzip"}
    served.http.post("/v2/models/sum/infer", content=BOMB, headers=headers)
    before = process.memory_info().rss
    for _ in range(30):
        assert served.http.post("/v2/models/sum/infer", content=BOMB, headers=headers).status_code == 413
    assert process.memory_info().rss - before < 4 * LIMIT


def test_no_bytes_at_all_do_worse_than_a_4xx(served: RunningGateway) -> None:
    for size in (1, 10, 1000, 100_000):
        for body in (os.urandom(size), HEADER + os.urandom(size)):
            for headers in ({}, {LENGTH: str(len(HEADER))}, {LENGTH: "0"}, {"content-encoding": "gzip"}):
                answer = served.http.post("/v2/models/bytes/infer", content=body, headers=authorization() | headers)
                assert 400 <= answer.status_code < 500, answer.text
    assert served.infer().status_code == 200
