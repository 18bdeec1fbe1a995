"""The request log record by record, as tests write and read it."""

import itertools
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from contracts.records import COLUMNS, Origin, RecordBatch


class RequestRecord(Struct, frozen=True):
    """One inference call; the fields are those of the table `request_log`, in its order."""

    time_us: int
    request_id: bytes
    organization_id: bytes
    project_id: bytes
    deployment_id: bytes
    revision_id: bytes
    version_id: bytes
    key_id: bytes
    status: int
    error_code: str
    rows: int
    queue_us: int
    decode_us: int
    infer_us: int
    encode_us: int
    total_us: int
    batch_rows: int
    cache_hit: bool
    input_numbers: bytes = b""
    input_texts: tuple[str, ...] = ()
    output_numbers: bytes = b""
    output_texts: tuple[str, ...] = ()


ORIGIN = Origin.__struct_fields__


def pack(batch_id: str, records: Sequence[RequestRecord], lost: int = 0) -> RecordBatch:
    """`records` as a gateway would send them."""
    of_record = [Origin(*(getattr(it, name) for name in ORIGIN)) for it in records]
    origins, errors = list(dict.fromkeys(of_record)), list(dict.fromkeys(it.error_code for it in records))
    columns: dict[str, list[Any]] = {
        name: [getattr(it, name) for it in records] for name in COLUMNS if name in RequestRecord.__struct_fields__
    }
    columns["origin"] = [origins.index(it) for it in of_record]
    columns["error"] = [errors.index(it.error_code) for it in records]
    for side in ("input", "output"):
        columns[f"{side}_number_counts"] = [len(getattr(it, f"{side}_numbers")) // 8 for it in records]
        columns[f"{side}_text_counts"] = [len(getattr(it, f"{side}_texts")) for it in records]
    packed: dict[str, Any] = {name: np.array(it, COLUMNS[name]).tobytes() for name, it in columns.items()}
    return RecordBatch(
        batch_id=batch_id,
        count=len(records),
        lost=lost,
        origins=tuple(origins),
        error_codes=tuple(errors),
        request_id=b"".join(it.request_id for it in records),
        input_numbers=b"".join(it.input_numbers for it in records),
        output_numbers=b"".join(it.output_numbers for it in records),
        input_texts=tuple(text for it in records for text in it.input_texts),
        output_texts=tuple(text for it in records for text in it.output_texts),
        **packed,
    )


def unpack(batch: RecordBatch) -> list[RequestRecord]:
    """The records of `batch`, in order."""
    columns: dict[str, list[Any]] = {name: np.frombuffer(getattr(batch, name), of).tolist() for name, of in COLUMNS.items()}
    assert {len(it) for it in columns.values()} == {batch.count}
    values = {
        f"{side}_{kind}": _split(getattr(batch, f"{side}_{kind}"), columns[f"{side}_{kind[:-1]}_counts"], size)
        for side in ("input", "output")
        for kind, size in (("numbers", 8), ("texts", 1))
    }
    return [
        RequestRecord(
            request_id=batch.request_id[16 * index : 16 * index + 16],
            **msgspec.structs.asdict(batch.origins[columns["origin"][index]]),
            error_code=batch.error_codes[columns["error"][index]],
            **{name: it[index] for name, it in columns.items() if name in RequestRecord.__struct_fields__},
            **{name: it[index] for name, it in values.items()},
        )
        for index in range(batch.count)
    ]


def _split(values: Any, counts: Sequence[int], size: int) -> list[Any]:
    bounds = np.cumsum([0, *counts]) * size
    assert bounds[-1] == len(values)
    return [values[begin:end] for begin, end in itertools.pairwise(bounds)]
