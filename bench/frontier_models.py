"""What the models of the catalogue say on the frontier, and what each foresaw: the table of docs/frontier-models.md.

Every variant is fitted to the bundled data as known at the theatre's date, then scored on three months at a time that
its parameters, levels and regimes had not seen. Densities compare within one set of streams only. Some minutes.
"""

from dataclasses import replace

import numpy as np

from forecast import clock
from forecast.ensemble import foresee
from forecast.fitting import compile_model, fit
from forecast.latent import view
from forecast.question import ask
from forecast.workspace import load
from models import CATALOGUE, Setting
from priors import PriorSet

SEED = 20260630
BLOCK = 3  # months foreseen overlap by so many origins


def without(setting: Setting, stream: str) -> Setting:
    """The setting without one stream."""
    return replace(setting, streams=tuple(s for s in setting.streams if s.id != stream))


def two(setting: Setting) -> Setting:
    """The setting with war and no war alone, as two latent regimes."""
    kept = [n for n, name in enumerate(setting.scenarios) if name != "de-escalation"]
    labels = None if setting.labels is None else tuple(tuple(row[n] for n in kept) for row in setting.labels)
    return replace(setting, scenarios=tuple(setting.scenarios[n] for n in kept), labels=labels)


def stationary(priors: PriorSet) -> PriorSet:
    """The beliefs without the one about the first month, which names three regimes."""
    return replace(priors, statements={key: said for key, said in priors.items() if key != "start"})


def error(differences: np.ndarray, rng: np.random.Generator) -> float:
    """Standard error of a mean of overlapping differences, by blocks of months."""
    n = differences.size
    starts = rng.integers(0, n - BLOCK + 1, size=(2000, -(-n // BLOCK)))
    blocks = differences[(starts[:, :, None] + np.arange(BLOCK)).reshape(2000, -1)[:, :n]]
    return float(blocks.mean(axis=1).std())


def main() -> None:
    workspace = load("frontier")
    question = ask(workspace, clock.read(workspace.config.time, as_of=None))
    panel = question.panel.counts
    agreement = next(s.id for s in question.setting("switching-level").streams if s.family == "bernoulli")
    rng = np.random.default_rng(1)
    for absent in (None, agreement):
        print(f"\n{'every stream' if absent is None else f'without {absent}'}\n")
        print(
            "| model | regimes | divergences | R-hat | nats a month, three ahead | against the first | months of war | of de-escalation |"
        )
        print("|---|---|---|---|---|---|---|---|")
        first = None
        for name, K in (
            ("switching-level", 3),
            ("switching-level", 2),
            ("local-level", 1),
            ("regimes", 3),
            ("regimes", 2),
        ):
            setting = question.setting(name)
            setting = two(setting) if K == 2 else setting
            priors = stationary(workspace.priors) if K == 2 else workspace.priors
            setting = without(setting, absent) if absent else setting
            y = panel if absent is None else panel.sel(stream=[s.id for s in setting.streams])
            compiled = compile_model(y, CATALOGUE[name], priors, setting)
            posterior = fit(y, CATALOGUE[name], priors, setting, seed=SEED, compiled=compiled)
            found = foresee(posterior, seed=SEED, compiled=compiled).log_density / 3.0
            first = found if first is None else first
            apart = found - first
            told = "" if first is found else f"{apart.mean():+.3f} ({error(apart, rng):.3f})"
            months = {"regional-war": "–", "de-escalation": "–"}
            if K > 1:
                latent = view(posterior, months=1)
                sure = dict(zip(latent.regimes, (latent.smoothed > 0.5).sum(axis=0), strict=True))
                months |= {k: str(int(sure[k])) for k in months if k in sure}
            print(
                f"| {name} | {K} | {int(posterior.statistics['diverging'].sum())} | {rhat(posterior):.3f} "
                f"| {found.mean():.3f} | {told} | {months['regional-war']} | {months['de-escalation']} |",
                flush=True,
            )


def rhat(posterior) -> float:  # type: ignore[no-untyped-def]
    """Largest R-hat of what was stated."""
    from arviz_stats.base.array import array_stats

    stated = posterior.draws["stated"].transpose("prior", "chain", "draw").values
    return max(float(array_stats.rhat(row)) for row in stated)


if __name__ == "__main__":
    main()
