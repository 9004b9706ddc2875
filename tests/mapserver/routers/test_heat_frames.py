"""Heat over HTTP as Arrow: cells, and frames of them."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from layers.geo import hexgrid
from layers.heat.arrow import quantised
from tests.mapserver.heat_asks import FEBRUARY, MARCH, cells_of


async def test_arrow_says_the_same_as_json(client, room):
    body, counts = await cells_of(client, room)
    answer = await client.get("/heat/all/cells", params=MARCH | {"res": "8", "f": "arrow"}, headers=room)
    assert answer.headers["content-type"] == "application/vnd.apache.arrow.stream"
    table = pa.ipc.open_stream(answer.content).read_all()
    assert dict(zip(hexgrid.to_text(table["cell"].to_numpy()), table["value"].to_pylist(), strict=True)) == counts
    told = {name.decode(): value.decode() for name, value in table.schema.metadata.items()}
    assert told == {name: str(value) for name, value in body.items() if name not in ("cells", "values")}
    for ask in ({"half_life": "3"}, {"per": "km2"}, {"against": "previous"}):
        refused = await client.get("/heat/all/cells", params=MARCH | ask | {"f": "arrow"}, headers=room)
        assert refused.status_code == 400
        assert refused.json()["parameter"] == "f"


async def test_frames_are_the_steps_of_the_whole_span_in_the_order_of_its_cells(client, room):
    body, counts = await cells_of(client, room, category="noise")
    ask = MARCH | {"res": "8", "category": "noise", "steps": "31", "values": "exact"}
    answer = await client.get("/heat/all/frames", params=ask | {"set": body["set"]}, headers=room)
    stream = pa.ipc.open_stream(answer.content)
    frames = [batch["v"].to_numpy() for batch in stream]
    assert stream.schema.metadata[b"set"].decode() == body["set"]
    assert len(frames) == 31
    assert sum(frames).tolist() == list(counts.values())
    for day in (0, 12, 30):
        span = {
            name: (datetime(2025, 3, 1, tzinfo=UTC) + timedelta(days=day + add)).isoformat()
            for name, add in (("from", 0), ("to", 1))
        }
        _, alone = await cells_of(client, room, category="noise", **span)
        assert {cell: int(value) for cell, value in zip(counts, frames[day], strict=True) if value} == alone


async def test_a_screens_frame_is_the_quantised_counts(client, room):
    ask = MARCH | {"res": "8", "steps": "4"}
    exact = (await client.get("/heat/all/frames", params=ask | {"values": "exact"}, headers=room)).content
    for top in (None, "7"):
        given = {} if top is None else {"scale_top": top}
        stream = pa.ipc.open_stream(
            (await client.get("/heat/all/frames", params=ask | given, headers=room)).content
        )
        counts = [batch["v"].to_numpy().astype(np.int64) for batch in pa.ipc.open_stream(exact)]
        end = float(top or max(frame.max() for frame in counts))
        assert float(stream.schema.metadata[b"top"]) == end
        for frame, count in zip(stream, counts, strict=True):
            assert frame["v"].to_numpy().tolist() == quantised(count, end).tolist()


async def test_frames_of_other_cells_than_the_callers_are_refused_with_the_set_that_there_is(client, room):
    answer = await client.get("/heat/all/frames", params=MARCH | {"steps": "2", "set": "0" * 24}, headers=room)
    assert answer.status_code == 409
    body, _ = await cells_of(client, room, res="9")
    assert answer.json()["set"] == body["set"]


@pytest.mark.parametrize(
    ("ask", "names"),
    [
        ({"steps": "0"}, "steps"),
        ({"steps": "1001"}, "steps"),
        ({}, "steps"),
        ({"steps": "2", "scale_top": "0"}, "scale_top"),
        ({"steps": "2", "values": "some"}, "values"),
        ({"steps": "2", "half_life": "3"}, "half_life"),
        ({"steps": "2", "top": "3"}, "top"),
        ({"steps": "2", "against": "previous"}, "against"),
        ({"steps": "9", "to": "2025-03-01T00:00:08Z"}, "steps"),
    ],
)
async def test_frames_that_cannot_be_are_refused_by_name(client, room, ask, names):
    answer = await client.get("/heat/all/frames", params=MARCH | ask, headers=room)
    assert answer.status_code == 400
    assert names in answer.text


async def test_frames_are_not_for_the_public(client):
    answer = await client.get("/heat/all/frames", params=FEBRUARY | {"steps": "2"})
    assert answer.status_code == 403
