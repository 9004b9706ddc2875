"""The invented places: key zones of the six types with the year in which they opened, and what serves them."""

from dataclasses import dataclass

import numpy as np
import shapely

from data.jiangdong.make.areas import Land, Village, lonlat
from data.jiangdong.make.land import Coordinates, degrees, river, seat
from data.jiangdong.make.roads import Road
from data.partition import feature

_CHENGDONG, _LINJIANG, _GUZHU = "441602006000", "441621109000", "441621108000"


@dataclass(frozen=True)
class Zone:
    """A key zone: metric outline, reach of its influence in metres, year of its opening."""

    code: str
    zone_type: str
    name_zh: str
    name_en: str
    influence_m: int
    since: int
    shape: shapely.Polygon


# Type, names, town, metres east and north of its seat, width and height, reach, year.
_GREAT = [
    ("campus", "大学城一期", "University town, phase 1", _CHENGDONG, (2300, -900), (900, 700), 200, 2021),
    ("campus", "大学城二期", "University town, phase 2", _CHENGDONG, (2500, -1900), (800, 700), 200, 2024),
    ("campus", "城东中学", "Chengdong Middle School", _CHENGDONG, (-300, 500), (220, 180), 200, 2018),
    ("campus", "临江中学", "Linjiang Middle School", _LINJIANG, (500, 400), (220, 180), 200, 2018),
    ("campus", "古竹中学", "Guzhu Middle School", _GUZHU, (400, -300), (220, 180), 200, 2018),
    ("campus", "高铁新城小学", "New Town Primary School", _LINJIANG, (2300, 900), (180, 140), 200, 2023),
    ("transport", "高铁站", "High-speed rail station", _LINJIANG, (2900, 300), (420, 260), 250, 2021),
    ("transport", "城东客运站", "Chengdong coach station", _CHENGDONG, (500, -200), (160, 120), 150, 2018),
    ("transport", "临江公交枢纽", "Linjiang bus hub", _LINJIANG, (200, -300), (120, 100), 150, 2018),
    ("transport", "古竹客运站", "Guzhu coach station", _GUZHU, (-150, 200), (120, 100), 150, 2018),
    ("commerce", "高铁新城商业街", "New Town shopping street", _LINJIANG, (2300, 200), (360, 160), 150, 2022),
    ("commerce", "大学城美食街", "University food street", _CHENGDONG, (2000, -1400), (300, 120), 150, 2022),
    ("commerce", "城东市场", "Chengdong market", _CHENGDONG, (100, 200), (180, 140), 150, 2018),
    ("commerce", "临江墟", "Linjiang fair", _LINJIANG, (-100, 100), (180, 140), 150, 2018),
    ("commerce", "古竹墟", "Guzhu fair", _GUZHU, (100, 50), (180, 140), 150, 2018),
    ("rental", "大学城公寓区", "University flats", _CHENGDONG, (1700, -700), (420, 300), 100, 2021),
    ("rental", "高铁新城安置区", "New Town resettlement", _LINJIANG, (1900, 700), (420, 300), 100, 2022),
    ("rental", "产业园宿舍区", "Industrial park dormitories", _LINJIANG, (1500, -2000), (360, 260), 100, 2020),
    ("rental", "城东出租屋片", "Chengdong rooms to let", _CHENGDONG, (-400, -400), (380, 260), 100, 2018),
    ("industry", "临江产业园", "Linjiang industrial park", _LINJIANG, (1900, -2700), (1100, 800), 300, 2019),
    ("industry", "古竹物流园", "Guzhu logistics park", _GUZHU, (1300, 900), (700, 500), 300, 2021),
    ("industry", "高铁新城工地", "New Town building site", _LINJIANG, (3000, 1100), (700, 500), 200, 2022),
    ("industry", "大学城二期工地", "University building site", _CHENGDONG, (2900, -2500), (500, 400), 200, 2023),
    ("industry", "城东加油加气站", "Chengdong filling station", _CHENGDONG, (900, 700), (90, 70), 150, 2018),
    ("industry", "临江加油站", "Linjiang filling station", _LINJIANG, (700, -900), (90, 70), 150, 2018),
]  # fmt: skip
_REACHES = 9
_REACH_WIDTH_M = 120


def zones(land: Land) -> list[Zone]:
    """The zones, in the order of their types."""
    found = []
    for number, (kind, zh, en, town, (east, north), (width, height), reach, since) in enumerate(_GREAT, start=1):
        x, y = seat(town) + np.array([east, north])
        box = shapely.box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        found.append(Zone(f"{kind[0].upper()}{number:02d}", kind, zh, en, reach, since, box))
    bank = shapely.transform(river(), lambda xy: xy + np.array([_REACH_WIDTH_M * 2.0, 0]))
    district = shapely.coverage_union_all(list(land.grids.values()))
    for number in range(_REACHES):
        at = shapely.line_interpolate_point(bank, (number + 0.7) / (_REACHES + 0.5), normalized=True)
        shape = shapely.intersection(shapely.buffer(at, 260, quad_segs=4), district)
        found.append(
            Zone(f"W{number + 1:02d}", "water", f"滨江低洼段{number + 1}", f"Riverside lowland {number + 1}",
                 150, 2018, shapely.get_parts(shape)[0])
        )  # fmt: skip
    return found


def zone_features(found: list[Zone]) -> list[str]:
    """Lines of GeoJSON."""
    lines = []
    for zone in found:
        properties: dict[str, object] = {
            "code": zone.code, "zone_type": zone.zone_type, "name_zh": zone.name_zh, "name_en": zone.name_en,
            "influence_m": zone.influence_m, "valid_from": f"{zone.since}-01-01", "approximate": True,
            "synthetic": True,
        }  # fmt: skip
        lines.append(feature(properties, lonlat(zone.shape)))
    return lines


def _office(village: Village, land: Land) -> Coordinates:
    return shapely.get_coordinates(shapely.point_on_surface(land.shape(village)))[0]


def resources(land: Land, found: list[Zone], roads: list[Road]) -> list[list[str]]:
    """Rows code, kind, name_zh, name_en, unit, device_id, lon, lat, synthetic: no person is in any of them."""
    rows: list[list[str]] = []

    def add(
        kind: str, code: str, names: tuple[str, str], at: Coordinates, unit: str = "", device: str = ""
    ) -> None:
        lon, lat = np.round(degrees(np.asarray(at)[None])[0], 6)
        rows.append([code, kind, *names, unit, device, f"{lon:.6f}", f"{lat:.6f}", "true"])

    add(
        "centre",
        "C00",
        ("江东新区综治中心", "District governance centre"),
        seat(_LINJIANG) + np.array([1700, 300]),
    )
    for number, town in enumerate(dict.fromkeys(village.town_code for village in land.villages), start=1):
        named = next(village for village in land.villages if village.town_code == town)
        names = (f"{named.town_zh}综治中心", f"{named.town_en} governance centre")
        add("centre", f"C{number:02d}", names, seat(town) + np.array([60, 40]))
        add(
            "post",
            f"P{number:02d}",
            (f"{named.town_zh}警务站", f"{named.town_en} police post"),
            seat(town) - np.array([90, 30]),
        )
    for number, village in enumerate(land.villages, start=1):
        unit = f"{village.town_zh}{village.name_zh}群防队"
        names = (unit, f"{village.name_en} prevention team")
        add("team", f"T{number:02d}", names, _office(village, land), unit)
    for number, zone in enumerate((each for each in found if each.zone_type == "campus"), start=1):
        add(
            "school",
            f"S{number:02d}",
            (zone.name_zh, zone.name_en),
            shapely.get_coordinates(zone.shape.centroid)[0],
        )
    rng = np.random.default_rng(61)
    joints = np.unique(
        np.array([road.line.coords[0] for road in roads if road.road_class in ("primary", "residential")]), axis=0
    )
    for number, at in enumerate(joints[np.sort(rng.choice(len(joints), 90, replace=False))], start=1):
        rows.append([f"H{number:03d}", "hydrant", f"消火栓{number}", f"Hydrant {number}", "", "",
                     f"{at[0]:.6f}", f"{at[1]:.6f}", "true"])  # fmt: skip
    for number, zone in enumerate(found, start=1):
        # 8 digits of a centre that does not exist, type 132 (camera), a sequence.
        device = f"4416990000132{number:07d}"
        names = (f"{zone.name_zh}公共视频", f"Camera, {zone.name_en}")
        add(
            "camera",
            f"V{number:02d}",
            names,
            shapely.get_coordinates(zone.shape.centroid)[0] + np.array([20, 20]),
            "",
            device,
        )
    return rows
