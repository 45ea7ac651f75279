"""Where models are fitted when there are several: processes that have loaded the sampler before they are asked.

Loading it takes as long as sampling. Where the system allows, one server loads it once, beside the reading of the
workspace, and every worker starts from that; elsewhere each worker loads it for itself.
"""

from multiprocessing import get_all_start_methods, get_context
from multiprocessing.context import BaseContext

LOADED = ["forecast.sidebyside", "models.sampler"]


def context() -> BaseContext:
    """The way in which workers are started; none inherits threads or locks of this process."""
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    chosen = get_context("forkserver")
    chosen.set_forkserver_preload(LOADED)
    return chosen


def prepare() -> None:
    """Let the server begin to load, if there is one; it ends with this process."""
    if context().get_start_method() == "forkserver":
        from multiprocessing import forkserver

        forkserver.ensure_running()
