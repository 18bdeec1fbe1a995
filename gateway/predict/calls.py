"""One prediction call: rows in, predictions out, and between them what every inference call goes through."""

from weakref import WeakKeyDictionary

from contracts.errors import HeadraceError
from gateway.inference import Context
from gateway.predict.answers import AnswerEncoder
from gateway.predict.features import features_of
from gateway.predict.problems import refuse
from gateway.predict.rows import RowsDecoder
from serving.application import HttpCall
from serving.batcher import Ticket
from serving.buffers import as_text
from serving.classification import labels_of
from serving.http import JSON, Exchange
from serving.models import Model
from serving.requests import InferRequest
from serving.responses import Answer


class Form:
    """How one model is talked to in rows."""

    def __init__(self, model: Model) -> None:
        self.features = features_of(model)
        self.decoder = RowsDecoder(self.features)
        self.encoder = AnswerEncoder(model.version, model.outputs, labels_of(model.metadata), self.features)
        self.outputs = tuple(it.name for it in model.outputs)
        self.binary = (False,) * len(self.outputs)


class Forms:
    """The forms of the models that were asked for, as long as the models live."""

    def __init__(self) -> None:
        self._forms: WeakKeyDictionary[Model, Form] = WeakKeyDictionary()

    def of(self, model: Model) -> Form:
        """Made the first time it is asked for."""
        form = self._forms.get(model)
        if form is None:
            form = self._forms[model] = Form(model)
        return form


class PredictCall(HttpCall):
    """`POST /v1/predict/{deployment}`."""

    TAKES_BINARY = False

    __slots__ = ("_form", "_forms")

    def __init__(self, exchange: Exchange, limit: int, forms: Forms) -> None:
        """`limit` bounds the decompressed body, in bytes."""
        super().__init__(exchange, limit)
        self._forms = forms
        self._form: Form

    def decode(self, model: Model) -> InferRequest:
        form = self._form = self._forms.of(model)
        inputs, rows = form.decoder.decode(as_text(self._body))
        return InferRequest(inputs, rows, form.outputs, form.binary)

    def encode(self, ticket: Ticket) -> Answer:
        return self._form.encoder.encode(ticket.outputs, ticket.request.rows), JSON, b""

    def refuse(self, error: HeadraceError) -> None:
        context: Context = self.context
        refuse(self.exchange, error, context[2], self.headers)
