"""Uploads: streamed, hashed, inspected, stored, listed; and nothing at all of a file that is refused."""

import asyncio
import hashlib
import resource
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import msgspec
import onnx
import pytest
import uvicorn
from litestar import Litestar

from contracts.settings import ControlSettings
from control.registry import staging
from tests import models
from tests.control.conftest import Account
from tests.control.registry import create_model, create_version, model_file, project, stored_files, upload
from tests.services import wait_until


async def nothing_left(account: Account, model_id: str, settings: ControlSettings) -> bool:
    """Whether neither a row nor a file tells of an upload."""
    versions = await account.client.get(f"{project(account)}/models/{model_id}/versions")
    shown = await account.client.get(f"{project(account)}/models/{model_id}")
    return versions.json()["items"] == [] and shown.json()["versions"] == 0 and stored_files(settings.data) == set()


async def test_an_uploaded_file_becomes_version_1(account: Account, tmp_path: Path, settings: ControlSettings):
    file = models.sum_model(tmp_path / "sum.onnx", metadata={"headrace.description": "Adds"})
    content = file.read_bytes()
    file.unlink()
    model = await create_model(account, "Sums")
    answer = await upload(account, model["id"], content, "sum.onnx")
    version = answer.json()
    assert answer.status_code == 201
    assert (version["number"], version["model_name"], version["file_name"]) == (1, "Sums", "sum.onnx")
    assert (version["digest"], version["size_bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))
    assert (version["created_by"], version["producer"]) == ("Ada Lovelace", "headrace-tests")
    assert version["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}]
    assert version["outputs"] == [{"name": "y", "datatype": "FP32", "shape": [-1]}]
    assert (version["opset"], version["ir_version"], version["nodes"], version["parameters"]) == (21, 10, 1, 1)
    assert version["metadata"] == {"headrace.description": "Adds"}
    assert stored_files(settings.data) == {version["digest"]}


async def test_the_same_file_again_is_refused_by_the_name_of_its_version(account: Account, tmp_path: Path):
    content = model_file(tmp_path).read_bytes()
    model = await create_model(account)
    assert (await upload(account, model["id"], content)).status_code == 201
    again = await upload(account, model["id"], content)
    assert again.status_code == 409
    assert "version 1" in again.json()["detail"]


async def test_the_same_file_may_be_in_two_models(account: Account, stranger: Account, tmp_path: Path):
    file = model_file(tmp_path)
    assert (await create_version(account, file))["digest"] == (await create_version(stranger, file))["digest"]


@pytest.mark.parametrize(("given", "kept"), [("a/b.onnx", "b.onnx"), ("C:\\models\\b.onnx", "b.onnx"), ("é ü.onnx", "é ü.onnx")])
async def test_only_the_last_part_of_a_file_name_is_kept(account: Account, tmp_path: Path, given: str, kept: str):
    model = await create_model(account)
    answer = await upload(account, model["id"], model_file(tmp_path).read_bytes(), given)
    assert answer.json()["file_name"] == kept


def truncated(folder: Path) -> bytes:
    content = model_file(folder).read_bytes()
    return content[: len(content) // 2]


def with_nul(folder: Path) -> bytes:
    model = onnx.load(models.sum_model(folder / "sum.onnx"))
    onnx.helper.set_model_props(model, {"note": "a\0b"})
    return model.SerializeToString()


def with_much_metadata(folder: Path) -> bytes:
    return models.sum_model(folder / "sum.onnx", metadata={"note": "x" * 300_000}).read_bytes()


REFUSED: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "empty": (lambda _: b"", ""),
    "text": (lambda _: b"<!doctype html><title>Not a model</title>", ""),
    "truncated": (truncated, ""),
    "custom operator": (lambda it: models.custom_operator_model(it / "custom.onnx").read_bytes(), "com.example"),
    "external data": (lambda it: models.external_data_model(it / "external.onnx").read_bytes(), "secret.bin"),
    "external data beside it": (lambda it: models.external_data_model(it / "e.onnx", "model.onnx").read_bytes(), "model.onnx"),
    "U+0000": (with_nul, "U+0000"),
    "much metadata": (with_much_metadata, "256 KiB"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_refused_file_leaves_nothing(account: Account, settings: ControlSettings, tmp_path: Path, case: str):
    make, reason = REFUSED[case]
    folder = tmp_path / "made"
    folder.mkdir()
    content = make(folder)
    for it in folder.iterdir():
        it.unlink()
    model = await create_model(account)
    answer = await upload(account, model["id"], content)
    assert answer.status_code == 422, answer.text
    assert answer.json()["title"] == "Model refused"
    assert reason in answer.json()["detail"]
    assert await nothing_left(account, model["id"], settings)


@pytest.fixture
def settings(settings: ControlSettings) -> ControlSettings:
    """A control plane that takes files of 1 MB, so that a test can be over the limit."""
    return msgspec.structs.replace(settings, max_model_bytes=1_000_000)


async def zeros(count: int, sent: list[int]) -> AsyncIterator[bytes]:
    for _ in range(count):
        sent.append(1)
        yield bytes(100_000)


async def test_a_file_that_says_it_is_too_large_is_not_even_read(account: Account, settings: ControlSettings):
    model = await create_model(account)
    sent: list[int] = []
    request = account.client.build_request(
        "POST",
        f"{project(account)}/models/{model['id']}/versions",
        content=zeros(11, sent),
        headers={"Content-Length": "1100000"},
    )
    answer = await account.client.send(request)
    assert answer.status_code == 413
    assert "1,000,000 bytes" in answer.json()["detail"]
    assert sent == []
    assert await nothing_left(account, model["id"], settings)


async def test_a_file_that_turns_out_too_large_is_refused_at_once(account: Account, settings: ControlSettings):
    model = await create_model(account)
    sent: list[int] = []
    answer = await upload(account, model["id"], zeros(100, sent))
    assert answer.status_code == 413
    assert len(sent) == 11
    assert await nothing_left(account, model["id"], settings)


async def test_concurrent_uploads_get_numbers_of_their_own(account: Account, tmp_path: Path):
    model = await create_model(account)
    files = [model_file(tmp_path, seed).read_bytes() for seed in range(6)]
    answers = await asyncio.gather(*(upload(account, model["id"], it) for it in files))
    assert [it.status_code for it in answers] == [201] * 6
    assert sorted(it.json()["number"] for it in answers) == [1, 2, 3, 4, 5, 6]


async def test_of_concurrent_uploads_of_one_file_one_wins(account: Account, tmp_path: Path, settings: ControlSettings):
    content = model_file(tmp_path).read_bytes()
    (tmp_path / "linear-0.onnx").unlink()
    model = await create_model(account)
    answers = await asyncio.gather(*(upload(account, model["id"], content) for _ in range(4)))
    shown = await account.client.get(f"{project(account)}/models/{model['id']}")
    assert sorted(it.status_code for it in answers) == [201, 409, 409, 409]
    assert shown.json()["versions"] == 1
    assert stored_files(settings.data) == {hashlib.sha256(content).hexdigest()}


@contextmanager
def largest_file(size: int) -> Generator[None]:
    """Have the kernel refuse to let files grow beyond `size`, as on a full disk."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


async def test_a_full_disk_is_said_to_be_full(account: Account, settings: ControlSettings):
    model = await create_model(account)
    with largest_file(10_000):
        answer = await upload(account, model["id"], bytes(20_000))
    assert answer.status_code == 507
    assert "no room" in answer.json()["detail"]
    assert int(answer.headers["Retry-After"]) > 0
    assert await nothing_left(account, model["id"], settings)


async def test_a_store_that_fails_is_said_to_fail(account: Account, settings: ControlSettings, tmp_path: Path):
    content = model_file(tmp_path).read_bytes()
    model = await create_model(account)
    (settings.data / "artifacts").write_text("a file where the store's folder should be")
    answer = await upload(account, model["id"], content)
    assert answer.status_code == 503
    assert "artifact store" in answer.json()["detail"]
    versions = await account.client.get(f"{project(account)}/models/{model['id']}/versions")
    assert versions.json()["items"] == []


async def test_an_upload_that_falls_silent_is_ended(account: Account, settings: ControlSettings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(staging, "SILENCE_S", 0.05)
    model = await create_model(account)

    async def silent() -> AsyncIterator[bytes]:
        yield b"the first bytes"
        await asyncio.Event().wait()

    answer = await upload(account, model["id"], silent())
    assert answer.status_code == 408
    assert await nothing_left(account, model["id"], settings)


async def test_more_uploads_than_the_disk_should_bear_are_refused(account: Account, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(staging, "MAX_UPLOADS", 0)
    model = await create_model(account)
    answer = await upload(account, model["id"], b"anything")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


@asynccontextmanager
async def serving(app: Litestar) -> AsyncGenerator[int]:
    """The port of a real server, which tells the application when a client leaves."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_config=None, access_log=False, ws="none"))
    running = asyncio.create_task(server.serve())
    await asyncio.to_thread(wait_until, lambda: server.started, "the server")
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await running


async def test_a_client_that_leaves_in_mid_upload_leaves_nothing(
    app: Litestar, account: Account, settings: ControlSettings, caplog: pytest.LogCaptureFixture
):
    model = await create_model(account)
    uploads = settings.data / "uploads"
    head = [
        f"POST {project(account)}/models/{model['id']}/versions HTTP/1.1",
        "Host: headrace",
        f"Authorization: {account.headers['Authorization']}",
        "Content-Length: 900000",
    ]
    async with serving(app) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write("\r\n".join([*head, "", ""]).encode() + bytes(1000))
        await asyncio.to_thread(wait_until, lambda: stored_files(uploads) == {"model.onnx"}, "the upload to begin")
        writer.transport.abort()
        await asyncio.to_thread(wait_until, lambda: stored_files(uploads) == set(), "the upload to be gone")
    assert await nothing_left(account, model["id"], settings)
    assert not [it for it in caplog.records if it.levelname == "ERROR"]


async def test_a_real_server_answers_before_it_has_read_what_is_too_large(app: Litestar, account: Account):
    model = await create_model(account)
    async with serving(app) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        path = f"{project(account)}/models/{model['id']}/versions"
        answer = await client.post(path, content=bytes(40_000_000), headers=account.headers)
    assert answer.status_code == 413
