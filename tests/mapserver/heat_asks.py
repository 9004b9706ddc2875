"""Heat as tests ask for it over HTTP, and as they count it from the rows."""

from collections import Counter

import numpy as np

from layers.geo import hexgrid

MARCH = {"from": "2025-03-01T00:00:00Z", "to": "2025-04-01T00:00:00Z"}
FEBRUARY = {"from": "2025-01-31T23:00:00Z", "to": "2025-02-28T23:00:00Z"}


def in_march(rows):
    return [row for row in rows if row.at.month == 3]


async def cells_of(client, headers, **ask):
    answer = await client.get("/heat/all/cells", params=MARCH | {"res": "8"} | ask, headers=headers)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return body, dict(zip(body["cells"], body["values"], strict=True))


def by_cell(rows, res=8):
    cells = hexgrid.to_text(hexgrid.parent(np.array([row.cell for row in rows], np.uint64), res))
    return Counter(cells)
