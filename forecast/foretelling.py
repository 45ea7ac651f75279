"""What all models of a workspace say together: fitted, simulated, weighed and pooled, and once more if that was too coarse to print.

A published probability may be wrong by `checks.MCSE` through sampling, whatever it is of. Its error is S / √(effective draws), and how
far draws differ about it, S, is known only when the rules have read the futures. So where the error asks for it every kept draw is
simulated from, and if that does not do, chains that agree are run again, longer.
"""

from dataclasses import dataclass

from forecast import checks, history, scenarios
from forecast.fitted import Ahead, Fitted, errors, fitted, look_ahead
from forecast.question import Question
from forecast.sidebyside import LONGER
from forecast.watching import Progress
from forecast.weighing import Weighed, weighed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Foretold:
    """The models of a workspace and what they say together."""

    models: tuple[Fitted, ...]
    ahead: tuple[Ahead, ...]  # of the used models, and of the one that latent quantities come from
    used: tuple[Ahead, ...]  # what the ensemble is made of
    weighed: Weighed
    shares: list[float]  # the posterior mean of each used model's weight
    ensemble: scenarios.Probabilities


def foretold(
    question: Question, past: history.History, *, seed: int, workers: int, progress: Progress
) -> Foretold:
    """Fit, simulate, weigh and pool; from every draw, then from chains `LONGER` times as long, where a probability is too coarse.

    Raises:
        Refusal: for beliefs that a model cannot use.
    """
    models = fitted(question, seed=seed, workers=workers, progress=progress)
    draws = question.workspace.config.simulate.draws
    found = _told(question, past, models, draws=draws, seed=seed, progress=progress)
    kept = models[0].posterior.draws.sizes
    if coarse(found) and draws < kept["chain"] * kept["draw"]:
        found = _told(question, past, models, draws=None, seed=seed, progress=progress)
    if coarse(found):
        models = fitted(question, seed=seed, workers=workers, progress=progress, times=LONGER)
        found = _told(question, past, models, draws=None, seed=seed, progress=progress)
    return found


def coarse(found: Foretold) -> bool:
    """Whether a published probability has too large an error though nothing is wrong with the fits."""
    sound = all(check.ok for one in found.models if one.used for check in one.verdict.checks)
    return sound and max(errors(found.ensemble), default=0.0) > checks.MCSE


def _told(
    question: Question,
    past: history.History,
    models: tuple[Fitted, ...],
    *,
    draws: int | None,
    seed: int,
    progress: Progress,
) -> Foretold:
    """What fitted models say, simulated from so many draws of each; None: all."""
    asked = [model for model in models if model.used or model.name == question.workspace.latent_from]
    ahead = look_ahead(question, asked, past, draws=draws, seed=seed, progress=progress)
    weights = weighed(models, seed=seed)
    used = tuple(one for one in ahead if one.model.used)
    shares = [weights.weights.weights[one.model.name].mean for one in used]
    ensemble = scenarios.pooled([one.probabilities for one in used], shares)
    return Foretold(models=models, ahead=ahead, used=used, weighed=weights, shares=shares, ensemble=ensemble)
