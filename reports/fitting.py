"""Page one and the charts have no room for very long titles: there they are cut, and stand in full further on."""

from reports.brief import Brief
from reports.text import shortened

HEAD, LABEL = 120, 60  # letters of a title above page one, of a title in a chart or a sentence


def fitting(brief: Brief) -> Brief:
    """The brief with titles that fit a label; the same brief where they do already."""
    organisation = None if brief.organisation is None else shortened(brief.organisation, HEAD)
    return brief.model_copy(
        update={
            "title": shortened(brief.title, HEAD),
            "organisation": organisation,
            "scenarios": tuple(
                s.model_copy(update={"title": shortened(s.title, LABEL)}) for s in brief.scenarios
            ),
            "streams": tuple(
                s.model_copy(update={"title": shortened(s.title, LABEL)}) for s in brief.streams
            ),
            "fronts": tuple(f.model_copy(update={"title": shortened(f.title, LABEL)}) for f in brief.fronts),
        }
    )
