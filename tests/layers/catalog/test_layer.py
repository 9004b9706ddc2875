from dataclasses import replace

import pytest

from layers.catalog.registry import LAYERS
from layers.core.errors import ShapeMismatch


def test_a_layer_has_a_moment_or_a_validity_or_neither_and_never_both():
    incidents, areas, roads = (LAYERS[name] for name in ("incidents", "areas", "roads"))
    assert (incidents.dated, areas.dated, roads.dated) == (True, True, False)
    with pytest.raises(ShapeMismatch, match="incidents has a moment and a validity"):
        replace(incidents, valid=areas.valid)


def test_a_layer_names_each_field_once():
    roads = LAYERS["roads"]
    with pytest.raises(ShapeMismatch, match="roads names a field twice"):
        replace(roads, fields=(*roads.fields, roads.fields[0]))
