"""What a shop needs before it can sell: a region, a place where the goods are, a way to send them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from real.medusa import Medusa


def open_shop(shop: Medusa) -> dict[str, str]:
    """Make them; gives the ids by what they are."""
    ids = {
        "store": _one(shop, "admin/stores", "stores"),
        "sales_channel": _first(shop, "admin/sales-channels", "sales_channel", {"name": "Shop"}),
    }
    currency = {"supported_currencies": [{"currency_code": "cny", "is_default": True}]}
    shop.call("POST", f"admin/stores/{ids['store']}", {**currency, "default_sales_channel_id": ids["sales_channel"]})
    region = {"name": "China", "currency_code": "cny", "countries": ["cn"], "payment_providers": ["pp_system_default"]}
    ids["region"] = _made(shop, "admin/regions", "region", region)
    ids["stock_location"] = _made(shop, "admin/stock-locations", "stock_location", {"name": "上海仓"})
    ids["shipping_profile"] = _first(
        shop, "admin/shipping-profiles", "shipping_profile", {"name": "Default", "type": "default"}
    )
    place = f"admin/stock-locations/{ids['stock_location']}"
    shop.call("POST", f"{place}/sales-channels", {"add": [ids["sales_channel"]]})
    shop.call("POST", f"{place}/fulfillment-providers", {"add": ["manual_manual"]})
    shop.call("POST", f"{place}/fulfillment-sets", {"name": "Delivery", "type": "shipping"})
    found = shop.call("GET", f"{place}?fields=*fulfillment_sets")["stock_location"]["fulfillment_sets"][0]["id"]
    zone = {"name": "China", "geo_zones": [{"type": "country", "country_code": "cn"}]}
    made = shop.call("POST", f"admin/fulfillment-sets/{found}/service-zones", zone)
    option = {
        "name": "Express",
        "service_zone_id": made["fulfillment_set"]["service_zones"][0]["id"],
        "shipping_profile_id": ids["shipping_profile"],
        "provider_id": "manual_manual",
        "price_type": "flat",
        "type": {"label": "Express", "description": "Express", "code": "express"},
        "prices": [{"currency_code": "cny", "amount": 0}],
        "rules": [],
    }
    ids["shipping_option"] = _made(shop, "admin/shipping-options", "shipping_option", option)
    return ids


def _made(shop: Medusa, path: str, name: str, body: dict[str, Any]) -> str:
    return str(shop.call("POST", path, body)[name]["id"])


def _one(shop: Medusa, path: str, name: str) -> str:
    return str(shop.call("GET", path)[name][0]["id"])


def _first(shop: Medusa, path: str, name: str, body: dict[str, Any]) -> str:
    """The one that is there already (a new shop has some), else a new one."""
    there = shop.call("GET", path)[f"{name}s"]
    return str(there[0]["id"]) if there else _made(shop, path, name, body)
