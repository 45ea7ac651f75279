"""A brief is everything one report says, as numbers and plain text, before a single one is formatted.

The reports define it for themselves, so that they can be tested with literals; ``brief.json`` holds one.
What does not exist yet is ``None`` or empty, and the text knows it. Every tuple of estimates follows the
order of ``scenarios``, calm first. How a number is written is decided once, in `reports.compose`: HTML, PDF
and notebook render that document and can therefore not disagree.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from reports.given import Driver, Label, Lever
from reports.parts import (
    Change,
    Coverage,
    Crosswalk,
    Day,
    Front,
    Gap,
    Id,
    Matrix,
    Month,
    MonthName,
    Noise,
    Passage,
    Pooling,
    Prior,
    Quarter,
    QuarterName,
    Record,
    Resolution,
    Row,
    Scenario,
    Signpost,
    Source,
    Stream,
)
from reports.trust import Fitted, Head, Provenance, Sensitivity, Track, Verdict


class Brief(Record):
    """All of one report. See the module's claim for what it leaves to `reports.compose`."""

    schema_: Literal["scenariocast/brief/1"] = Field(default="scenariocast/brief/1", alias="schema")
    run: str
    title: str
    question: str | None = None
    organisation: str | None = None
    language: str = "en-GB"
    licence: str | None = None
    citation: str | None = None

    issued_at: Day
    as_of: Day
    timing: Literal["live", "retrospective"]
    data_as_of: str | None = None
    origin: MonthName  # last month that a rule's stream covers
    window: tuple[MonthName, MonthName]

    verdict: Verdict
    scenarios: Annotated[tuple[Scenario, ...], Field(min_length=2)]
    last_resolved: tuple[QuarterName, Id] | None = None  # (quarter, scenario)
    now: Row | None = None
    current_quarter: Quarter | None = None
    quarters: Annotated[tuple[Quarter, ...], Field(min_length=1)]
    first_passage: tuple[Passage, ...] = ()

    scenario_transitions: Matrix | None = None
    transitions: Matrix | None = None
    transitions_quarter: Matrix | None = None
    dwell_months: Row | None = None
    latent_from: str | None = None
    crosswalk: Crosswalk | None = None
    history: tuple[Month, ...] = ()
    fronts: tuple[Front, ...] = ()  # where each has a chain of regimes
    pooling: Pooling | None = None

    resolved_history: tuple[Resolution, ...] = ()
    rule_noise: tuple[Noise, ...] = ()
    rule_warnings: tuple[str, ...] = ()

    streams: tuple[Stream, ...] = ()
    masks: tuple[Gap, ...] = ()
    drawn: tuple[Gap, ...] = ()
    coverage: Coverage | None = None
    sources: tuple[Source, ...] = ()
    labels: tuple[Label, ...] = ()
    drivers: tuple[Driver, ...] = ()

    change: Change | None = None
    signposts: tuple[Signpost, ...] = ()
    levers: tuple[Lever, ...] = ()
    unmoved: tuple[str, ...] = ()  # models in use that no driver can move

    priors_name: str | None = None
    priors: tuple[Prior, ...] = ()
    sensitivity: Sensitivity | None = None
    models: tuple[Fitted, ...] = ()
    weights_sentence: str | None = None
    track: Track | None = None
    ledger: Head | None = None

    notes: tuple[str, ...] = ()
    provenance: Provenance = Provenance()

    @model_validator(mode="after")
    def _every_row_follows_the_scenarios(self) -> Self:
        """A row of another length would put a probability under the wrong name."""
        wide = len(self.scenarios)
        quarters = (*self.quarters, *([self.current_quarter] if self.current_quarter else []))
        rows = [quarter.resolved for quarter in quarters]
        rows += [
            row for row in (*(q.regime for q in quarters), self.now, self.dwell_months) if row is not None
        ]
        rows += [row for matrix in self.matrices for row in matrix.cells]
        rows += [
            row for lever in self.levers for course in lever.courses for row in (course.before, course.shift)
        ]
        rows += [row for front in self.fronts for row in (front.now, front.dwell_months)]
        rows += [entry.regime for front in self.fronts for entry in front.quarters]
        rows += [self.pooling.dwell_months] if self.pooling else []
        others: list[tuple[float | None, ...]] = [month.regime for month in self.history]
        others += [month.regime for front in self.fronts for month in front.history]
        others += [course.after for lever in self.levers for course in lever.courses]
        if any(len(row) != wide for row in (*rows, *others)):
            raise ValueError(f"every row of estimates needs one entry for each of the {wide} scenarios")
        return self

    @property
    def matrices(self) -> tuple[Matrix, ...]:
        """The transition matrices that exist."""
        found = (self.scenario_transitions, self.transitions_quarter, self.transitions)
        return tuple(matrix for matrix in found if matrix is not None)
