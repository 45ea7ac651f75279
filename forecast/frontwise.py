"""A run by fronts: the streams of each front, all fronts fitted together, and what the record tells of each.

A stream is cut at a front as it is cut in the theatre, with the rows of that front alone; where it has none, or its rows know no
fronts, the front does not show it. One that no regime moves is left out: it tells nothing of where a front stands. The rules go
on speaking of the streams as they are declared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from forecast import checks, fronts
from forecast.fronts import Front, Joint
from forecast.incidents import Archive, gather
from forecast.latent import Array
from forecast.panel import panel
from forecast.question import Question
from forecast.sidebyside import CHAINS, own_seed
from forecast.streams import StreamDefinition, slug
from forecast.watching import Progress
from models import CATALOGUE
from models.contract import Setting
from priors.refusal import Refusal


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ByFront:
    """What one chain per front says."""

    joint: Joint
    fronts: Mapping[str, Front]
    dwell: Mapping[str, Array]  # average spell of each regime that the fronts vary about, (chain, draw)
    apart: Mapping[str, Array]  # how far they do, in percent, by the key of its statement, (chain, draw)
    checks: tuple[checks.Check, ...]  # whether the chains agree on all of it


def by_front(question: Question) -> xr.DataArray:
    """Return the panel ``(front, stream, month)``, NaN throughout where a front does not show a stream.

    Raises:
        Refusal: if a front shows nothing at all.
    """
    workspace = question.workspace
    archive = gather(workspace.sources, workspace.streams, root=workspace.root)
    moved = [stream for stream in workspace.streams if stream.effect != "none"]
    rows = xr.full_like(question.panel.counts.sel(stream=[stream.id for stream in moved]), np.nan)
    found = []
    for front in workspace.config.fronts:
        streams = [own for s in moved if (own := _cut(archive, s, front)) is not None]
        if not streams:
            wanted = "a front that some stream has rows of, and a regime moves"
            raise Refusal(file="forecast.toml", where=f"fronts.{front}", wanted=wanted)
        known = panel(
            archive,
            streams,
            workspace.sources,
            window_from=question.panel.months[0],
            window_to=question.panel.origin,
            as_of=question.clock.as_of,
        )
        shown = rows.copy()
        shown.loc[{"stream": known.counts["stream"]}] = known.counts
        found.append(shown)
    return xr.concat(found, xr.DataArray(list(workspace.config.fronts), dims="front", name="front"))


def regimes(question: Question, *, seed: int, progress: Progress) -> ByFront | None:
    """Fit one chain per front; None where the theatre has one chain.

    Raises:
        Refusal: if a front shows nothing, or for beliefs that cannot vary by front.
    """
    workspace = question.workspace
    name = workspace.latent_from
    if workspace.config.models.chain == "theatre" or name is None:
        return None
    stage = f"sampling {name} by front"
    progress(stage)

    def watch(chains: Sequence[Any]) -> None:
        done, total = sum(c.finished_draws for c in chains), sum(c.total_draws for c in chains)
        progress(stage, done=done, total=total, note=f"{sum(c.divergences for c in chains)} divergences")

    shown = by_front(question)
    joint = fronts.fit_fronts(
        shown,
        CATALOGUE[name],
        workspace.priors,
        told_to(question, shown),
        seed=own_seed(seed, f"{name} by front"),
        chains=CHAINS,
        progress=watch,
    )
    return told_of(joint, months=question.months)


def told_to(question: Question, shown: xr.DataArray) -> Setting:
    """Return what the fronts are told beside their panel: its streams alone, and no label, which speaks of the theatre."""
    assert question.workspace.latent_from is not None  # a workspace with a chain per front has one
    told, kept = question.setting(question.workspace.latent_from), shown["stream"].values.tolist()
    return replace(told, labels=None, streams=tuple(stream for stream in told.streams if stream.id in kept))


def told_of(joint: Joint, *, months: int) -> ByFront:
    """Return what a joint posterior says of each front, now and so many months ahead."""
    found = dict(fronts.each(joint, months=months))
    dwell, apart = fronts.shared(joint)
    reported: dict[str, tuple[tuple[str, ...], Array]] = {
        f"dwell {name}": (("chain", "draw"), values) for name, values in {**dwell, **apart}.items()
    }
    for front, one in found.items():
        reported |= {
            front: (("chain", "draw", "regime"), one.latent.filtered),
            f"{front} ahead": (("chain", "draw", "month", "regime"), one.latent.ahead),
            f"{front} hazard": (("chain", "draw", "regime"), one.latent.hazard),
        }
    agreed = checks.convergence(xr.Dataset(reported), joint.statistics, reported=list(reported))
    return ByFront(
        joint=joint,
        fronts=found,
        dwell=dwell,
        apart=apart,
        checks=tuple(replace(check, name=f"fronts: {check.name}") for check in agreed),
    )


def _cut(archive: Archive, stream: StreamDefinition, front: str) -> StreamDefinition | None:
    """Return the stream with the rows of one front alone; None where the front has none."""
    frame = archive.incidents[stream.source].frame
    wanted = stream.where.get("front")
    if "front" not in frame.columns or (wanted and front not in [slug(name) for name in wanted]):
        return None
    if front not in {slug(name) for name in frame["front"].astype(str).unique()}:
        return None
    return stream.model_copy(update={"where": {**stream.where, "front": (front,)}})
