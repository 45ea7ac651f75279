"""One number of the headline, derived again in ten lines from what the run kept, and held against what it published.

With R futures for each parameter draw, p̂_d the share of draw d that resolves to the scenario, and weights by futures
that resolve at all:

    p̄ = hits / resolved     σ̂² = S² − mean p̂_d(1 − p̂_d)/(R − 1)     p̃_d = p̄ + √(σ̂²/S²)(p̂_d − p̄)     MCSE = S/√ESS

The interval is that of p̃_d, or of the Beta with mean p̄ and variance σ̂² where a draw has under five hits to show.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from forecast import archive
from forecast.archive import Stored
from forecast.scenarios.nested import FEW, HIGH, LOW, effective, quantiles
from priors.refusal import Refusal, nearest
from reports import words

type Json = dict[str, Any]
type Array = np.ndarray[Any, np.dtype[Any]]

AGREES = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one model's futures say of a scenario in a quarter."""

    model: str
    weight: float
    draws: int
    hits: int
    resolved: int  # futures that the rules resolve
    mean: float  # p̄
    spread: float  # S²
    noise: float  # mean p̂(1 − p̂)/(R − 1)
    shrink: float  # √(σ̂²/S²); 1 where the noise explains all the spread
    coarse: bool  # under five hits a draw: the interval is that of a Beta
    ess: float
    mcse: float


def explain(run: Stored, scenario: str, *, quarter: str | None = None) -> Json:
    """The probability that a quarter resolves to a scenario, and where it comes from.

    Args:
        run: a stored run.
        scenario: its id.
        quarter: "YYYYQn"; the first quarter forecast if absent.

    Returns:
        ``derived`` and ``published`` (mean, q05, q95, mcse), ``agrees``, ``models`` (a `Share` each) and ``lines``.

    Raises:
        Refusal: a scenario or a quarter that the run does not speak of.
    """
    entry = _entry(run, scenario, quarter)
    published = entry["resolved"][scenario]
    data = archive.headline(run).sel(quarter=entry["quarter"])
    if published["mean"] is None:
        raise Refusal(file=str(run.path), got=entry["quarter"], wanted="a quarter that the rules can resolve")
    chains = int(data.attrs["chains"])
    parts = [
        _share(
            str(name),
            float(data["weight"].sel(model=name)),
            data["hits"].sel(model=name, scenario=scenario).values.astype(np.float64),
            data["trials"].sel(model=name).values.astype(np.float64),
            chains,
        )
        for name in data["model"].values
    ]
    shares = [part for part, _, _ in parts]
    futures = sum(part.resolved for part in shares)
    worth = np.array([part.weight * part.resolved for part in shares])
    worth = worth / worth.sum()
    low, high = quantiles(
        np.concatenate([draws for _, draws, _ in parts]),
        np.concatenate([share * weights for share, (_, _, weights) in zip(worth, parts, strict=True)]),
        (LOW, HIGH),
    )
    derived = {
        "mean": float(worth @ [part.mean for part in shares]),
        "q05": float(low),
        "q95": float(high),
        "mcse": float(np.sqrt(((worth * [part.mcse for part in shares]) ** 2).sum())),
    }
    agrees = all(abs(derived[key] - published[key]) <= AGREES for key in derived)
    told = {
        "run": run.id,
        "scenario": scenario,
        "quarter": entry["quarter"],
        "derived": derived,
        "published": {key: published[key] for key in derived},
        "agrees": agrees,
        "futures": futures,
        "models": [asdict(part) for part in shares],
    }
    return told | {"lines": [*_arithmetic(run, told, shares), *_origins(run, scenario, entry)]}


def _entry(run: Stored, scenario: str, quarter: str | None) -> Json:
    if scenario not in run.titles:
        raise Refusal(
            file=str(run.path),
            got=scenario,
            wanted="a scenario of the run",
            remedy=nearest(scenario, run.titles),
        )
    running = run.record["current_quarter"]
    entries = {e["quarter"]: e for e in (*([running] if running else ()), *run.record["quarters"])}
    name = quarter or run.record["quarters"][0]["quarter"]
    if name not in entries:
        raise Refusal(
            file=str(run.path), got=name, wanted="a quarter of the run", remedy=nearest(name, entries)
        )
    found: Json = entries[name]
    return found


def _share(model: str, weight: float, hits: Array, trials: Array, chains: int) -> tuple[Share, Array, Array]:
    """One model's arithmetic, its draws p̃_d, and their weights."""
    total = trials.sum()
    if total == 0:
        raise Refusal(where=model, wanted="futures that the rules resolve", remedy="none of its futures does")
    w, mean = trials / total, float(hits.sum() / total)
    p = np.where(trials > 0, hits / np.maximum(trials, 1), mean)
    each = np.where(
        trials > 1, p * (1 - p) / np.maximum(trials - 1, 1), mean * (1 - mean) / np.maximum(trials, 1)
    )
    between = 1 - float((w**2).sum())
    spread = float((w * (p - mean) ** 2).sum()) / between
    noise = float((w * (1 - w) * each).sum()) / between
    used = trials > 0
    shrink = np.sqrt(1 - noise / spread) if spread > noise else 1.0
    draws = np.clip(mean + shrink * (p - mean), 0, 1)[used]
    coarse = spread > noise and min(mean, 1 - mean) * trials.mean() < FEW
    if coarse:
        draws = _beta(p[used], mean, spread - noise)
    influence = len(trials) * w * (p - mean)
    ess = effective(influence, chains)
    share = Share(
        model=model,
        weight=weight,
        draws=len(trials),
        hits=int(hits.sum()),
        resolved=int(total),
        mean=mean,
        spread=spread,
        noise=noise,
        shrink=float(shrink),
        coarse=bool(coarse),
        ess=ess,
        mcse=float(np.sqrt(influence.var(ddof=1) / ess)),
    )
    return share, draws, w[used]


def _beta(p: Array, mean: float, variance: float) -> Array:
    from scipy.stats import beta

    worth = mean * (1 - mean) / variance - 1
    if worth <= 0:
        return p
    rank = np.argsort(np.argsort(p, kind="stable"), kind="stable")
    law: Array = beta.ppf((rank + 0.5) / len(p), mean * worth, (1 - mean) * worth)
    return law


def _arithmetic(run: Stored, told: Json, shares: list[Share]) -> list[str]:
    """The number itself, line by line."""
    derived, title = told["derived"], run.titles[told["scenario"]]
    lines = [
        f"P({words.quarter(told['quarter'])} resolves to {title}) = {_p(derived['mean'])}, 90 % interval "
        f"{_p(derived['q05'])} to {_p(derived['q95'])}, Monte Carlo error {_p(derived['mcse'])}; forecast.json says "
        + ("the same." if told["agrees"] else f"{_p(told['published']['mean'])}: IT DOES NOT AGREE.")
    ]
    for one in shares:
        lines += [
            f"{one.model} ({_part(one.weight)}): {one.hits:,} of {one.resolved:,} futures "
            f"from {one.draws:,} parameter draws, so p̄ = {_p(one.mean)}.",
            f"Over the draws p̂ varies with S² = {one.spread:.3g}, of which {one.noise:.3g} is noise of the "
            f"simulation: " + _narrowed(one),
            f"The draws are worth {one.ess:,.0f} independent ones: MCSE = S/√ESS = {_p(one.mcse)}.",
        ]
    return lines


def _origins(run: Stored, scenario: str, entry: Json) -> list[str]:
    """Where the number comes from: rule, past, latent regime, priors."""
    record, titles = run.record, run.titles
    about = next(one for one in record["scenarios"] if one["id"] == scenario)
    lines = [f"The rule: {about['rule']}"]
    precedents = about["precedents"]
    lines.append(
        f"In the window {words.plural(precedents, 'quarter')} resolved so"
        + (
            f"; the last resolved quarter, {words.quarter(record['last_resolved']['quarter'])}, was "
            f"{titles[record['last_resolved']['scenario']]}."
            if record["last_resolved"]
            else "."
        )
    )
    lines += _latent(record, scenario, entry, titles)
    lines += _by_front(run, scenario, entry["quarter"])
    told = entry["resolved"][scenario]
    if told.get("contraction") is not None:
        lines.append(
            f"The draws are {told['contraction']:.2f} times as wide as the priors alone had them"
            + (": the number rests on the priors." if told.get("prior_driven") else ".")
        )
    return lines


def _latent(record: Any, scenario: str, entry: Json, titles: Any) -> list[str]:
    if record["now"] is None or entry["regime"] is None or entry["regime"][scenario]["mean"] is None:
        return []
    now, then = record["now"]["regime"][scenario]["mean"], entry["regime"][scenario]["mean"]
    lines = [
        f"{record['latent_from']} holds the latent regime {titles[scenario]} at {words.percent(now)} in "
        f"{words.month(record['origin'])} and at {words.percent(then)} in the last month of the quarter."
    ]
    walk = record["crosswalk"]
    if walk is not None and scenario in walk["rows"]:
        cell = walk["mean"][walk["rows"].index(scenario)][walk["columns"].index(scenario)]
        if cell is not None:
            lines.append(f"A quarter spent mostly in that regime resolves so with {words.percent(cell)}.")
    return lines


def _by_front(run: Stored, scenario: str, quarter: str) -> list[str]:
    """The regime of each front at the quarter's end, again from the joint draws that the run kept."""
    record = run.record
    if record.get("fronts_pooled") is None:
        return []
    from forecast.fronts import each  # late: only a run by fronts needs it
    from forecast.months import ordinal, quarter_months

    months = ordinal(quarter_months(quarter)[2]) - ordinal(record["origin"])
    told, agrees = [], True
    for name, one in each(archive.joint(run), months=months):
        entry = next(e for e in record["fronts"][name]["quarters"] if e["quarter"] == quarter)
        ahead = one.latent.quarter_end(quarter)
        if scenario in ahead:
            mean = float(ahead[scenario].mean())
            agrees &= abs(mean - entry["regime"][scenario]["mean"]) <= AGREES
            told.append(f"{record['fronts'][name]['title'] or name} {words.percent(mean)}")
    if not told:
        return []
    verdict = "forecast.json says the same" if agrees else "forecast.json DOES NOT AGREE"
    return [f"By front, from posterior/{archive.FRONTS}: {', '.join(told)}; {verdict}."]


def _part(weight: float) -> str:
    return "the whole forecast" if weight == 1 else f"{words.percent(weight)} of the forecast"


def _narrowed(one: Share) -> str:
    if one.coarse:
        return "with under five hits a draw the interval is that of the Beta with mean p̄ and the rest as variance."
    if one.noise >= one.spread:
        return "all of it, so the draws are left as they are and the interval is too wide."
    return f"each draw is drawn in towards p̄ by {one.shrink:.3f}."


def _p(value: float) -> str:
    return f"{value:.4f}"
