"""What a stored record must hold for the commands that read it: a run's files are checked before anything is derived.

The keys are those of the contract and no more than commands use; a later version may have added others.
"""

import datetime
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from forecast.months import MONTH_PATTERN, QUARTER_PATTERN
from priors.refusal import Refusal


def _day(text: str) -> str:
    return datetime.date.fromisoformat(text).isoformat()


def _moment(text: str) -> str:
    if datetime.datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("a time with its offset from UTC")
    return text


type Day = Annotated[str, AfterValidator(_day)]
type Moment = Annotated[str, AfterValidator(_moment)]
type Month = Annotated[str, Field(pattern=MONTH_PATTERN)]
type Quarter = Annotated[str, Field(pattern=QUARTER_PATTERN)]
type Probability = Annotated[float, Field(ge=0, le=1)]


class Part(BaseModel):
    """Strict where it looks, blind to what it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, allow_inf_nan=False)


class Chance(Part):
    """A probability, or a question that never arose."""

    mean: Probability | None
    q05: Probability | None
    q95: Probability | None
    mcse: float | None


class Scenario(Part):
    """A scenario of the run."""

    id: str
    title: str
    rule: str
    precedents: int


class Ahead(Part):
    """What is said of one quarter."""

    quarter: Quarter
    resolved: dict[str, Chance]
    regime: dict[str, Chance] | None


class Now(Part):
    """The latent regime at the origin."""

    regime: dict[str, Chance]


class Resolved(Part):
    """The last quarter that the rules resolve."""

    quarter: Quarter
    scenario: str


class Crosswalk(Part):
    """Rows of regimes, columns of scenarios."""

    rows: list[str]
    columns: list[str]
    mean: list[list[Probability | None]]


class Belief(Part):
    """A prior, and what the data made of it."""

    key: str
    posterior: dict[str, float] | None


class Check(Part):
    """One check of the gate."""

    name: str
    ok: bool
    value: Any
    limit: Any
    advice: str


class Verdict(Part):
    """What the gate said."""

    ok: bool
    forced: bool
    checks: list[Check]


class Head(Part):
    """The ledger's head before the run's own row."""

    count: Annotated[int, Field(ge=0)]
    head: str | None


class Provenance(Part):
    """What the run rested on."""

    seed: Annotated[int, Field(ge=0)]
    data_sha256: str
    priors_sha256: str
    scenarios_sha256: str
    code_sha256: str
    python: str
    versions: dict[str, str]


class Record(Part):
    """``forecast.json``, as far as commands about a stored run rely on it."""

    schema_: Annotated[Literal["scenariocast/forecast/1"], Field(alias="schema")]
    run: str
    title: str
    issued_at: Moment
    as_of: Day
    timing: Literal["live", "retrospective"]
    origin: Month
    scenarios: Annotated[list[Scenario], Field(min_length=2)]
    now: Now | None
    current_quarter: Ahead | None
    quarters: Annotated[list[Ahead], Field(min_length=1)]
    last_resolved: Resolved | None
    latent_from: str | None
    crosswalk: Crosswalk | None
    priors: list[Belief]
    notes: list[str]
    ledger: Head | None
    verdict: Verdict
    provenance: Provenance

    @model_validator(mode="after")
    def _one_chance_for_each_scenario(self) -> Self:
        ids = {scenario.id for scenario in self.scenarios}
        running = [self.current_quarter] if self.current_quarter else []
        rows = [row for ahead in (*running, *self.quarters) for row in (ahead.resolved, ahead.regime)]
        for row in (*rows, self.now and self.now.regime):
            if row is not None and not ids <= set(row):
                raise ValueError(f"a probability for each of {', '.join(sorted(ids))}")
        if self.last_resolved is not None and self.last_resolved.scenario not in ids:
            raise ValueError("a last quarter resolved to a scenario of the record")
        return self


class Manifest(Part):
    """``manifest.json``: hashes of what was read and of what was written."""

    schema_: Annotated[Literal["scenariocast/manifest/1"], Field(alias="schema")]
    inputs: dict[str, str]
    outputs: dict[str, str]


def check(found: Mapping[str, Any], *, file: str, kind: type[Part]) -> None:
    """Refuse a file of a run that does not hold what it should.

    Args:
        found: the file, parsed.
        file: its name.
        kind: what it is to be.

    Raises:
        Refusal: for the first mistake, the schema before all others.
    """
    try:
        kind.model_validate(found)
    except ValidationError as error:
        first = min(error.errors(include_url=False), key=lambda one: one["loc"][:1] != ("schema",))
        where = ".".join(str(step) for step in first["loc"])
        missing = first["type"] == "missing"
        reason = str(first.get("ctx", {}).get("error", first["msg"]))
        raise Refusal(
            file=file,
            where=where or None,
            got=None if missing or not where else first["input"],
            wanted="this key" if missing else reason,
            remedy=_remedy(where, first["input"]),
        ) from None


def _remedy(where: str, got: object) -> str:
    newer = where == "schema" and isinstance(got, str) and got.startswith("scenariocast/")
    return (
        "read it with the scenariocast that wrote it" if newer else "bring it back, or run the forecast again"
    )
