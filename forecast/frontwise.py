"""A run by fronts: the streams of each front, all fronts fitted together, and what the record tells of each.

A stream is cut at a front as it is cut in the theatre, with the rows of that front alone; where it has none, or its rows know no
fronts, the front does not show it. The rules go on speaking of the streams as they are declared.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import xarray as xr

from forecast import checks, fronts
from forecast.incidents import Archive, gather
from forecast.latent import Latent
from forecast.panel import panel
from forecast.question import Question
from forecast.sidebyside import CHAINS, own_seed
from forecast.streams import StreamDefinition, slug
from forecast.watching import Progress
from models import CATALOGUE
from priors.refusal import Refusal


def by_front(question: Question) -> xr.DataArray:
    """Return the panel ``(front, stream, month)``, NaN throughout where a front does not show a stream.

    Raises:
        Refusal: if a front shows nothing at all.
    """
    workspace = question.workspace
    archive = gather(workspace.sources, workspace.streams, root=workspace.root)
    rows = xr.full_like(question.panel.counts, np.nan)
    found = []
    for front in workspace.config.fronts:
        streams = [own for s in workspace.streams if (own := _cut(archive, s, front)) is not None]
        if not streams:
            wanted = "a front that some stream has rows of"
            raise Refusal(file="forecast.toml", where=f"fronts.{front}", wanted=wanted)
        known = panel(
            archive,
            streams,
            workspace.sources,
            window_from=workspace.config.time.window.from_,
            window_to=question.panel.origin,
            as_of=question.clock.as_of,
        )
        shown = rows.copy()
        shown.loc[{"stream": known.counts["stream"]}] = known.counts
        found.append(shown)
    return xr.concat(found, xr.DataArray(list(workspace.config.fronts), dims="front", name="front"))


def regimes(
    question: Question, *, seed: int, progress: Progress
) -> tuple[Mapping[str, Latent], tuple[checks.Check, ...]]:
    """Fit one chain per front; return the regimes of each, and whether the chains agree on them.

    Both are empty where the theatre has one chain.

    Raises:
        Refusal: if a front shows nothing, or for beliefs that cannot vary by front.
    """
    workspace = question.workspace
    name = workspace.latent_from
    if workspace.config.models.chain == "theatre" or name is None:
        return {}, ()
    progress(f"fitting {name} with a chain for each front")
    own = own_seed(seed, f"{name} by front")
    setting = replace(question.setting(name), labels=None)  # a label speaks of the theatre
    joint = fronts.fit_fronts(
        by_front(question), CATALOGUE[name], workspace.priors, setting, seed=own, chains=CHAINS
    )
    found = dict(fronts.each(joint, months=question.months))
    reported = xr.Dataset(
        {front: (("chain", "draw", "regime"), one.filtered) for front, one in found.items()}
        | {
            f"{front} ahead": (("chain", "draw", "month", "regime"), one.ahead)
            for front, one in found.items()
        }
    )
    names = [str(name) for name in reported.data_vars]
    agreed = checks.convergence(reported, joint.statistics, reported=names)
    return found, tuple(replace(check, name=f"fronts: {check.name}") for check in agreed)


def _cut(archive: Archive, stream: StreamDefinition, front: str) -> StreamDefinition | None:
    """Return the stream with the rows of one front alone; None where the front has none."""
    frame = archive.incidents[stream.source].frame
    wanted = stream.where.get("front")
    if "front" not in frame.columns or (wanted and front not in [slug(name) for name in wanted]):
        return None
    if front not in {slug(name) for name in frame["front"].astype(str).unique()}:
        return None
    return stream.model_copy(update={"where": {**stream.where, "front": (front,)}})
