"""What all models of a workspace say together: fitted, simulated, weighed and pooled, and once more if that was too coarse to print.

A published probability may be wrong by `checks.MCSE` through sampling, whatever it is of. Its error is S / √(effective draws), and how
far draws differ about it, S, is known only when the rules have read the futures. So chains that agree are run again, longer, where
the error asks for it, and every kept draw is then simulated from.
"""

from collections.abc import Sequence
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
    weighed: Weighed
    ensemble: scenarios.Probabilities

    @property
    def used(self) -> tuple[Ahead, ...]:
        """What the ensemble is made of."""
        return tuple(one for one in self.ahead if one.model.used)

    @property
    def shares(self) -> list[float]:
        """The posterior mean of each used model's weight."""
        return shares(self.weighed, self.used)


def foretold(
    question: Question, past: history.History, *, seed: int, workers: int, progress: Progress
) -> Foretold:
    """Fit, simulate, weigh and pool; with chains `LONGER` times as long where the usual ones leave a probability too coarse.

    Raises:
        Refusal: for beliefs that a model cannot use.
    """
    draws = question.workspace.config.simulate.draws
    found = _once(question, past, draws=draws, times=1, seed=seed, workers=workers, progress=progress)
    if not coarse(found):
        return found
    return _once(question, past, draws=None, times=LONGER, seed=seed, workers=workers, progress=progress)


def coarse(found: Foretold) -> bool:
    """Whether a published probability has too large an error though nothing is wrong with the fits."""
    sound = all(check.ok for one in found.models if one.used for check in one.verdict.checks)
    return sound and max(errors(found.ensemble), default=0.0) > checks.MCSE


def shares(weights: Weighed, used: Sequence[Ahead]) -> list[float]:
    """The posterior mean of each used model's weight."""
    return [weights.weights.weights[one.model.name].mean for one in used]


def _once(
    question: Question,
    past: history.History,
    *,
    draws: int | None,
    times: int,
    seed: int,
    workers: int,
    progress: Progress,
) -> Foretold:
    models = fitted(question, seed=seed, workers=workers, progress=progress, times=times)
    asked = [model for model in models if model.used or model.name == question.workspace.latent_from]
    ahead = look_ahead(question, asked, past, draws=draws, seed=seed, progress=progress)
    weights = weighed(models, seed=seed)
    used = [one for one in ahead if one.model.used]
    ensemble = scenarios.pooled([one.probabilities for one in used], shares(weights, used))
    return Foretold(models=models, ahead=ahead, weighed=weights, ensemble=ensemble)
