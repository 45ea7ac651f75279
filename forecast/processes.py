"""Where models are fitted when there are several: processes that have loaded the sampler before they are asked.

Loading it takes as long as sampling. Where the system allows, one server loads it once, beside the reading of the
workspace, and every worker starts from that; elsewhere each worker loads it for itself.
"""

import os
import threading
from multiprocessing import get_all_start_methods, get_context, parent_process
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


def end_with_parent() -> None:
    """Let this worker end when the process that started it has ended, however that was: it would wait for work for ever."""
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    parent = parent_process()
    assert parent is not None, "only a worker has a parent to follow"
    parent.join()
    os._exit(1)
