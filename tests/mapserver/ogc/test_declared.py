"""What is declared is what is tested, exactly."""

import importlib
from pathlib import Path

from mapserver.conformance import CONFORMANCE


def test_the_declared_classes_are_those_that_modules_here_test():
    modules = sorted(Path(__file__).parent.glob("test_*.py"))
    tested = [
        name
        for path in modules
        for name in getattr(importlib.import_module(f"tests.mapserver.ogc.{path.stem}"), "CLASSES", ())
    ]
    assert len(tested) == len(set(tested))
    assert {f"http://www.opengis.net/spec/{name}" for name in tested} == set(CONFORMANCE)
    assert len(set(CONFORMANCE)) == len(CONFORMANCE)
