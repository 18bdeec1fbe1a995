"""The small parsers: compressed bodies, Accept-Encoding, paths, API keys, requests to the repository."""

from uuid import UUID

from contracts.errors import HeadraceError
from contracts.routes import Key, RouteTable
from gateway.routing import Routes, split_prefix
from serving.application import MODELS, nothing_at, split_path
from serving.compression import OFFERED, choose_encoding, compress, decompress
from serving.http.exchange import Head
from serving.repository import MODELS as REPOSITORY_MODELS
from serving.repository import read_change, read_index
from tests.fuzz.refusals import demand_callers_fault
from tests.fuzz.source import Source

LIMIT = 10_000
SEEDS = [
    b"\x00" + compress([b"hello"], b"gzip"),
    b"\x01" + compress([b"hello"], b"deflate"),
    b"\x02gzip;q=0.5, *;q=0, deflate",
    b"\x03/o/acme/p/fraud/v2/models/a%2Fb/versions/1/infer?x",
    b"\x04Bearer hr_abcdefghijkl_secret",
    b'\x05{"parameters":{"config":"{}"}}',
    b"\x06a/b/load",
]
ROUTES = Routes(RouteTable(1, (), (Key("abcdefghijkl", UUID(int=1), UUID(int=2), UUID(int=3), b"\0" * 32, ("infer",)),)), {})


def check(data: bytes) -> None:
    """Raises if bytes break a parser, or if it takes what it must not."""
    source = Source(data)
    mode, rest = source.below(7), source.rest()
    try:
        match mode:
            case 0 | 1:
                assert len(decompress(rest, OFFERED[mode], LIMIT)) <= LIMIT
                assert decompress(compress([rest], OFFERED[mode]), OFFERED[mode], len(rest)) == rest
            case 2:
                assert choose_encoding(rest) in (None, *OFFERED)
            case 3:
                _check_path(rest)
            case 4:
                ROUTES.authenticate(rest, 0.0)
                raise AssertionError("a key that nobody has was taken")
            case 5:
                assert read_index(rest) in (True, False)
            case _:
                name, verb = read_change(REPOSITORY_MODELS + rest.decode("latin-1"), rest)
                assert name
                assert verb in ("load", "unload")
    except HeadraceError as error:
        demand_callers_fault(error)


def _check_path(target: bytes) -> None:
    path = Head(b"GET", target, {}, keeps_alive=True).path
    prefix, rest = split_prefix(path)
    assert prefix + rest == path
    name, version, verb = split_path(MODELS + rest)
    assert MODELS + rest in (f"{MODELS}{name}/{verb}", f"{MODELS}{name}", f"{MODELS}{name}/versions/{version}/{verb}") or (
        version is not None and rest.endswith(f"versions/{version}")
    )
    assert nothing_at(rest).status in (400, 404)
