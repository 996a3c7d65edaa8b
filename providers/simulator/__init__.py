"""Real HTTP servers that speak the providers' contracts, for tests, demos and benchmarks.

Nothing here imports the project's drivers or their tables: the contract is implemented a second
time, from the providers' documents, so that a mistake on one side fails a test.

    with simulator.running(latency=0.2) as sim:
        ...  # call sim.url, then inspect sim.calls
"""

from providers.simulator.gemini import scenarios as gemini_scenarios
from providers.simulator.journal import Call, Fetch, PictureSeen
from providers.simulator.options import Options
from providers.simulator.server import Simulator, running
from providers.simulator.turbotext import scenarios as turbotext_scenarios

__all__ = ["Call", "Fetch", "Options", "PictureSeen", "Simulator", "running", "scenarios"]


def scenarios(service: str) -> dict[str, str]:
    """The names of a service's scenarios, with a one-line description of each."""
    if service == "turbotext":
        return {name: row.description for name, row in turbotext_scenarios.SCENARIOS.items()}
    return {name: row.description for name, row in gemini_scenarios.SCENARIOS.items()}
