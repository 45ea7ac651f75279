"""Independent series, or draws, are shared out among threads in blocks; results do not depend on their number.

Compiled kernels and scipy's functions release the interpreter lock, so threads run side by side. A thread costs about
a tenth of a millisecond, so that work of less than that stays where it is.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

LEAST = 100_000  # steps of work, of some nanoseconds each, that are worth a thread


def each_block(size: int, run: Callable[[int, int], object], *, steps: int) -> None:
    """Call ``run(begin, end)`` for blocks that make up ``range(size)``, side by side where there is enough to do.

    Args:
        size: how many series.
        run: does those from ``begin`` to ``end - 1``; it may write to places of its own series only.
        steps: of work in each series.
    """
    threads = min(os.cpu_count() or 1, size, size * steps // LEAST)
    if threads < 2:
        run(0, size)
        return
    bounds = [size * n // threads for n in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, bounds[:-1], bounds[1:]))  # raises what a block raised
