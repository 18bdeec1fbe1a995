"""Everything under `/v1`: predictions, and what describes them."""

from collections.abc import Callable
from functools import partial
from typing import Final
from urllib.parse import parse_qs

import msgspec

from contracts.errors import HeadraceError
from gateway.aims import Aim, remember
from gateway.endpoints import Placement
from gateway.inference import Inference, NotServing, choose
from gateway.predict.calls import Forms, PredictCall
from gateway.predict.openapi import describe
from gateway.predict.page import FILES, answer_file, answer_page
from gateway.predict.problems import MethodNotAllowed, refuse
from gateway.routing import Caller
from serving.errors import PathNotFound
from serving.http import Exchange

PREFIX: Final = "/v1/"
PREDICT: Final = "/v1/predict/"
DESCRIPTION: Final = "openapi.json"
PAGE: Final = "docs"
METHODS: Final = {"": "POST", DESCRIPTION: "GET", PAGE: "GET"}
"""By the last part of a path, which is empty for predictions."""


class Predict:
    """Answers the paths that begin with `PREFIX`."""

    def __init__(self, inference: Inference, max_body_bytes: int, authenticate: Callable[[Exchange, str], Caller]) -> None:
        """`authenticate` gives the caller of an exchange whose path had that prefix. It raises HeadraceError."""
        self._inference, self._max_body_bytes, self._authenticate = inference, max_body_bytes, authenticate
        self._forms = Forms()
        self._make_call = partial(PredictCall, forms=self._forms)

    def answer(self, exchange: Exchange, prefix: str, path: str, request_id: str, time_ns: int) -> None:
        """Answer a request for `path` behind `prefix`, which may be empty. Never raises.

        `time_ns` is when it arrived, by the wall clock.
        """
        try:
            if path.startswith(FILES):
                _answer_file(exchange, path)
            else:
                self._answer(exchange, prefix, path, request_id, time_ns)
        except HeadraceError as error:
            self._inference.count_refusal(error.status)
            refuse(exchange, error, request_id)

    def _answer(self, exchange: Exchange, prefix: str, path: str, request_id: str, time_ns: int) -> None:
        name, version, verb = _split(path)
        if verb not in METHODS:
            raise PathNotFound(path)
        _expect(exchange, METHODS[verb])
        if verb == PAGE:
            answer_page(exchange, path.count("/") - PREFIX.count("/"))
            return
        caller = self._authenticate(exchange, prefix)
        version = version or _asked_version(exchange)
        endpoint = caller.endpoint(name)
        placement = choose(endpoint, name, version)
        if verb == DESCRIPTION:
            self._describe(exchange, placement)
            return
        assert self._inference.routes is not None
        remember(exchange.head, Aim(self._inference.routes, caller, endpoint, version, self._make_call))
        self._inference.run(self._make_call(exchange, self._max_body_bytes), caller, placement, request_id, time_ns)

    def _describe(self, exchange: Exchange, placement: Placement) -> None:
        if placement.model is None:
            raise NotServing(placement.why_not_serving())
        form = self._forms.of(placement.model)
        document = describe(placement.model, form, exchange.path.removesuffix(f"/{DESCRIPTION}"))
        exchange.respond(200, msgspec.json.encode(document))


def _answer_file(exchange: Exchange, path: str) -> None:
    _expect(exchange, "GET")
    if not answer_file(exchange, path[len(FILES) :]):
        raise PathNotFound(path)


def _split(path: str) -> tuple[str, str | None, str]:
    """Deployment, version if one is given, and what is asked for. Raises PathNotFound."""
    if not path.startswith(PREDICT):
        raise PathNotFound(path)
    name, _, rest = path[len(PREDICT) :].partition("/")
    if not name:
        raise PathNotFound(path)
    if not rest.startswith("versions/"):
        return name, None, rest
    version, _, verb = rest.removeprefix("versions/").partition("/")
    return name, version, verb


def _asked_version(exchange: Exchange) -> str | None:
    """That of the query."""
    if not exchange.query:
        return None
    return parse_qs(exchange.query.decode("latin-1")).get("version", [None])[-1]


def _expect(exchange: Exchange, method: str) -> None:
    """HEAD counts as GET. Raises MethodNotAllowed."""
    got = exchange.method.decode("latin-1")
    if got != method and (got, method) != ("HEAD", "GET"):
        raise MethodNotAllowed(method, got)
