"""Run by the system's Python, which has QGIS: what its providers find at a server, as JSON."""

import json
import sys
from urllib.request import urlopen

from qgis.core import (
    QgsApplication,
    QgsFeatureRequest,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsRectangle,
    QgsVectorLayer,
    QgsVectorTileLayer,
)
from qgis.PyQt.QtCore import QSize


def main(url: str) -> dict:
    """Features of collections, those in a box, and the share of a map of tiles that is painted."""
    found = {}
    for name in ("areas", "risk_areas"):
        layer = QgsVectorLayer(f"url='{url}' typename='{name}' restrictToRequestBBOX='1'", name, "OAPIF")
        inside = QgsFeatureRequest().setFilterRect(QgsRectangle(10.0, 50.0, 10.02, 50.02))
        found[name] = {
            "valid": layer.isValid(),
            "crs": layer.crs().authid(),
            "features": sum(1 for _ in layer.getFeatures()),
            "in_box": sum(1 for _ in layer.getFeatures(inside)),
            "fields": [field.name() for field in layer.fields()],
        }
    template = json.load(urlopen(f"{url}/tiles/areas.json"))["tiles"][0]
    tiles = QgsVectorTileLayer(f"type=xyz&url={template}&zmin=0&zmax=18", "areas")
    return found | {"tiles": {"valid": tiles.isValid(), "painted": painted(tiles)}}


def painted(layer: QgsVectorTileLayer) -> float:
    """Share of the pixels of a map of the city that are not its background."""
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(layer.crs())
    settings.setExtent(QgsRectangle(1113194.9, 6446275.8, 1124326.9, 6456660.7))
    settings.setOutputSize(QSize(256, 256))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    image, ground = job.renderedImage(), settings.backgroundColor()
    spots = [(x, y) for x in range(0, 256, 4) for y in range(0, 256, 4)]
    return sum(image.pixelColor(x, y) != ground for x, y in spots) / len(spots)


if __name__ == "__main__":
    application = QgsApplication([], False)  # noqa: FBT003 (without a screen)
    application.initQgis()
    sys.stdout.write(json.dumps(main(sys.argv[1])) + "\n")
    application.exitQgis()
