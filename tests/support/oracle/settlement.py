"""One settlement from input tables to result tables."""

from decimal import localcontext

from tests.support.oracle import judging, judging_charges, reading
from tests.support.oracle.charges import with_supplier_of_parent
from tests.support.oracle.energy import settle_energy
from tests.support.oracle.model import Arguments, Inputs, Row
from tests.support.oracle.rounding import EXACT
from tests.support.oracle.wholesale import settle_charges


def settle(inputs: Inputs, arguments: Arguments) -> dict[str, list[Row]]:
    """Every result table of the job, by name, as rows without job_id, attempt and result_id.

    Raises:
        RuleBroken: the data break a rule; the job must end with exit code 3.
    """
    with localcontext(EXACT):
        arguments = arguments.for_areas(reading.asked_areas(inputs, arguments))
        periods = reading.metering_points(inputs, arguments)
        points = reading.points(inputs, arguments)
        grid_loss_ids = {row["metering_point_id"] for row in inputs["grid_loss_metering_points"]}
        judging.judge_areas(periods, arguments)
        judging.judge_metering_points(periods, arguments)
        judging.judge_grid_loss(periods, grid_loss_ids)
        judging.judge_points(points)
        energy = settle_energy(periods, points, grid_loss_ids, arguments)
        if not arguments.settles_charges:
            return energy.tables
        periods = with_supplier_of_parent(periods)
        links = reading.links(inputs, arguments, periods)
        judging_charges.judge_links(links, arguments)
        charge_periods = reading.charge_periods(inputs, arguments, links)
        judging_charges.judge_charge_periods(charge_periods, arguments)
        prices = reading.prices(inputs, arguments, links, charge_periods)
        judging_charges.judge_prices(prices)
        grid_loss = grid_loss_ids, energy.grid_loss_points
        return energy.tables | settle_charges(periods, points, grid_loss, links, charge_periods, prices, arguments)
