"""Every file an analyst owns, parsed into one frozen workspace whose parts agree."""

from forecast.workspace.catalogue import MODELS, Capability, needs
from forecast.workspace.contents import Workspace, drivers_known, labels_known, masks_known
from forecast.workspace.loading import bundled, bundled_files, load
from forecast.workspace.schemas import rendered, schemas, write_schemas

__all__ = [
    "MODELS",
    "Capability",
    "Workspace",
    "bundled",
    "bundled_files",
    "drivers_known",
    "labels_known",
    "load",
    "masks_known",
    "needs",
    "rendered",
    "schemas",
    "write_schemas",
]
