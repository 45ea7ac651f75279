"""Beliefs become a model's free variables: one vector for each family, its parameters given as data.

The normal families (lognormal, shifted-lognormal, signed-lognormal, normal) are sampled on the scale where they
are normal; shares are Dirichlet vectors, one matrix for all statements over the same number of alternatives.
Because the parameters are data, an edited prior needs no new compilation. The same few lines then turn free
variables into what the analyst spoke of, in PyTensor for the density and in numpy for the draws.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from priors import Distribution

type Floats = NDArray[np.float64]

NORMAL = ("normal", "lognormal", "shifted-lognormal", "signed-lognormal")
PARAMETERS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(NORMAL, ("mu", "sigma")),
    "studentt": ("nu", "mu", "sigma"),
    "beta": ("alpha", "beta"),
    "gamma": ("alpha", "beta"),
    "halfnormal": ("sigma",),
    "exponential": ("lam",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Beliefs:
    """The distributions a model rests on, by key, and its latent standard normal matrices.

    ``shape`` ``[walks, waves]`` is that of its walks; ``others`` are named with their rows and columns.
    """

    laws: Mapping[str, Distribution]
    walks: int = 0
    waves: int = 0
    others: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    path: Callable[[Mapping[str, Floats], np.random.Generator], Floats] | None = (
        None  # draws ``shape``; None: normal
    )

    @property
    def latent(self) -> Mapping[str, tuple[int, int]]:
        """Every latent matrix with its rows and columns."""
        return {**({"shape": (self.walks, self.waves)} if self.walks else {}), **self.others}

    @property
    def families(self) -> Mapping[str, tuple[str, ...]]:
        """Keys of one number each, by family, in order."""
        return _grouped({key: law.family for key, law in self.laws.items() if law.family != "dirichlet"})

    @property
    def shares(self) -> Mapping[str, tuple[str, ...]]:
        """Keys of the statements over so many alternatives, by the name of their variable."""
        return _grouped(
            {
                key: f"shares_{len(law.parameters)}"
                for key, law in self.laws.items()
                if law.family == "dirichlet" and len(law.parameters) > 1
            }
        )

    @property
    def structure(self) -> tuple[Any, ...]:
        """What a compiled density depends on besides its data."""
        fixed = tuple(
            (key, law.family, law.scale, law.parameters.get("sign"), law.parameters.get("shift"))
            if law.family != "dirichlet"
            else (key, *law.parameters)
            for key, law in self.laws.items()
        )
        return fixed, self.walks, self.waves, *self.others.items()

    def parameters(self, family: str, name: str) -> Floats:
        """One parameter of all keys of a family, ``[n]``."""
        return np.array([self.laws[key].parameters[name] for key in self.families[family]], dtype=np.float64)

    def concentrations(self, variable: str) -> Floats:
        """Dirichlet parameters of a variable's rows, ``[rows, alternatives]``.

        Raises:
            ValueError: if one is not positive, which PyMC would accept in silence.
        """
        rows = [list(self.laws[key].parameters.values()) for key in self.shares[variable]]
        alpha = np.array(rows, dtype=np.float64)
        if not np.all(alpha > 0.0):
            raise ValueError(f"{variable}: got concentrations {rows}; wanted positive ones")
        return alpha


def said(beliefs: Beliefs) -> Floats:
    """Return the parameters of all free variables in one vector, in the order of `declare`."""
    parts = [beliefs.parameters(family, name) for family in beliefs.families for name in PARAMETERS[family]]
    parts += [beliefs.concentrations(name).ravel() for name in beliefs.shares]
    return np.concatenate(parts)


def declare(beliefs: Beliefs, given: Any) -> dict[str, Any]:
    """Add the free variables to the PyMC model in context, their parameters ``given`` as `said`; return them."""
    import pymc as pm

    laws: Mapping[str, Callable[..., Any]] = {
        **dict.fromkeys(NORMAL, pm.Normal),
        "studentt": pm.StudentT,
        "beta": pm.Beta,
        "gamma": pm.Gamma,
        "halfnormal": pm.HalfNormal,
        "exponential": pm.Exponential,
    }
    variables: dict[str, Any] = {}
    at = 0
    for family, keys in beliefs.families.items():
        n = len(keys)
        names = PARAMETERS[family]
        parameters = {name: given[at + n * i : at + n * (i + 1)] for i, name in enumerate(names)}
        variables[family] = laws[family](family, **parameters, shape=(n,))
        at += n * len(names)
    for name in beliefs.shares:
        rows, alternatives = beliefs.concentrations(name).shape
        alpha = given[at : at + rows * alternatives].reshape((rows, alternatives))
        variables[name] = pm.Dirichlet(name, a=alpha, shape=(rows, alternatives))
        at += rows * alternatives
    for name, size in beliefs.latent.items():
        variables[name] = pm.Normal(name, 0.0, 1.0, shape=size)
    return variables


def draw(beliefs: Beliefs, rng: np.random.Generator, size: int) -> dict[str, Floats]:
    """Draw the free variables from the prior, ``[size, …]`` each, under their names."""
    drawn: dict[str, Floats] = {}
    for family, keys in beliefs.families.items():
        if family in NORMAL:
            mu, sigma = beliefs.parameters(family, "mu"), beliefs.parameters(family, "sigma")
            drawn[family] = mu + sigma * rng.standard_normal((size, len(keys)))
        else:
            drawn[family] = np.stack([beliefs.laws[key].rvs(rng, size) for key in keys], axis=-1)
    for name, keys in beliefs.shares.items():
        drawn[name] = np.stack([beliefs.laws[key].rvs(rng, size) for key in keys], axis=-2)
    for name, shape in beliefs.latent.items():
        drawn[name] = rng.standard_normal((size, *shape))
    if beliefs.path is not None:
        drawn["shape"] = beliefs.path(drawn, rng)
    return drawn


def unconstrain(name: str, value: Floats) -> Floats:
    """Map a free variable to the real coordinates that PyMC samples it in."""
    if name.startswith("shares_"):
        logs = np.log(np.clip(value, 1e-300, None))
        return logs[..., :-1] - logs.mean(axis=-1, keepdims=True)
    if name == "beta":
        value = np.clip(value, 1e-12, 1.0 - 1e-12)
        return np.log(value) - np.log1p(-value)
    if name in ("gamma", "halfnormal", "exponential"):
        return np.log(np.clip(value, 1e-300, None))
    return value


@dataclass(frozen=True, slots=True)
class Stated:
    """Free variables read as what was stated: months, times, percent, probabilities, shares.

    ``xp`` is numpy or ``pytensor.tensor``; the variables have any leading axes ``[..., *shape]``.
    """

    xp: ModuleType
    beliefs: Beliefs
    variables: Mapping[str, Any]

    def all(self) -> tuple[tuple[str, ...], Any]:
        """Return every key of one number and their values, ``[..., n]``."""
        keys: list[str] = []
        values = []
        for family, members in self.beliefs.families.items():
            keys += members
            values.append(self._natural(family))
        if len(values) == 1:
            return tuple(keys), values[0]
        return tuple(keys), self.xp.concatenate(values, axis=-1)

    def of(self, keys: Sequence[str]) -> Any:
        """Return the values of some keys, ``[..., len(keys)]``."""
        names, values = self.all()
        where = {key: n for n, key in enumerate(names)}
        return values[..., np.array([where[key] for key in keys], dtype=np.int64)]

    def shares_of(self, key: str) -> Any:
        """Return the shares one statement is about, ``[..., alternatives]``; a single one is certain."""
        law = self.beliefs.laws[key]
        name = f"shares_{len(law.parameters)}"
        return self.variables[name][..., self.beliefs.shares[name].index(key), :]

    def _natural(self, family: str) -> Any:
        value = self.variables[family]
        exp = self.xp.exp
        match family:
            case "lognormal":
                return exp(value)
            case "shifted-lognormal":
                return self.beliefs.parameters(family, "shift") + exp(value)
            case "signed-lognormal":
                return exp(self.beliefs.parameters(family, "sign") * exp(value))
        return value


def _grouped(names: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Turn key → group into group → keys, both in order of appearance."""
    groups: dict[str, tuple[str, ...]] = {}
    for key, group in names.items():
        groups[group] = (*groups.get(group, ()), key)
    return groups
