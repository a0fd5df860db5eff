"""What a charge and a row of its amounts are known by (inputs: code, owner and type; wholesale 5)."""

CHARGE = ("charge_code", "charge_type", "charge_owner_id")
GROUP = ("grid_area_code", "energy_supplier_id", "metering_point_type", "settlement_method")
