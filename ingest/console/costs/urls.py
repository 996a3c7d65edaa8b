"""The URLs of costs and budgets, for the console's site."""

from django.urls import URLPattern, path

from ingest.console.costs import budgets
from ingest.console.costs import page as costs
from slots.console.pages import AdminView


def get_costs_urls(
    admin_view: AdminView,
) -> list[URLPattern]:
    """``admin_view`` is the site's: it lets administrators in only."""
    return [
        path("costs/", admin_view(costs.costs_page), name="costs"),
        path("costs/budgets/", admin_view(budgets.budgets_page), name="budgets"),
        path("costs/budgets/new/", admin_view(budgets.budget_page), name="new_budget"),
        path("costs/budgets/<int:budget_id>/", admin_view(budgets.budget_page), name="budget"),
        path(
            "costs/budgets/<int:budget_id>/remove/",
            admin_view(budgets.remove_budget),
            name="remove_budget",
        ),
        path("costs/price/", admin_view(costs.save_price), name="save_price"),
        path("costs/currency/", admin_view(costs.save_currency), name="save_currency"),
        path("costs/recount/", admin_view(costs.recount), name="recount_costs"),
    ]
