"""One road in a process of its own: ``python -m bench.peers.one ROAD PROBLEM DRAWS BURST`` prints what was measured as JSON."""

import json
import sys
import warnings
from importlib import import_module
from pathlib import Path

from bench.peers import posterior
from bench.peers.measuring import measured

ROADS = {
    "by-hand": "bench.peers.ours:by_hand",
    "operation": "bench.peers.ours:operation",
    "scan-numba": "bench.peers.pymc_roads:scan_numba",
    "scan-jax": "bench.peers.pymc_roads:scan_jax",
    "pymc-extras": "bench.peers.pymc_roads:chain",
    "numpyro": "bench.peers.numpyro_road:road",
    "stan": "bench.peers.stan_road:road",
}


def main() -> None:
    road, problem, draws, burst = sys.argv[1:]
    warnings.simplefilter("ignore")  # of other people's libraries
    module, function = ROADS[road].split(":")
    open_road = getattr(import_module(module), function)
    found = measured(open_road, posterior.load(Path(problem)), int(draws), float(burst))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
