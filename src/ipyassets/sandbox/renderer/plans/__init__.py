"""Our own buildings, drawn by code: the key of the catalogue to what draws it."""

from __future__ import annotations

from collections.abc import Callable

from ipyassets.sandbox.renderer.model import Model
from ipyassets.sandbox.renderer.plans import bridges, halls, offices, works

__all__ = ["PLANS"]

PLANS: dict[str, Callable[[], Model]] = {
    "harbour-office-tower": offices.harbour_office_tower,
    "lindenhof-offices": offices.lindenhof_offices,
    "quayside-apartments": offices.quayside_apartments,
    "birchwood-primary-school": offices.birchwood_primary_school,
    "station-car-park": offices.station_car_park,
    "weir-road-bridge": bridges.weir_road_bridge,
    "north-gate-cable-stayed-bridge": bridges.cable_stayed_bridge,
    "canal-footbridge": bridges.canal_footbridge,
    "mill-valley-viaduct": bridges.mill_valley_viaduct,
    "chilled-water-plant-room": works.chilled_water_plant_room,
    "hilltop-water-tower": works.hilltop_water_tower,
    "logistics-warehouse": works.logistics_warehouse,
    "weaving-mill": works.weaving_mill,
    "airfield-control-tower": works.airfield_control_tower,
    "central-station-hall": halls.central_station_hall,
    "botanical-glasshouse": halls.botanical_glasshouse,
    "riverside-grandstand": halls.riverside_grandstand,
}
