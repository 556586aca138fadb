"""The studies by name."""

from collections.abc import Mapping
from types import MappingProxyType

from changeling.errors import UserError
from changeling.study.experiments.ablation import ABLATION
from changeling.study.experiments.attack import ATTACK
from changeling.study.experiments.experiment import Study
from changeling.study.experiments.face_to_face import FACE_TO_FACE
from changeling.study.experiments.fashion import REPORT_FASHION
from changeling.study.experiments.stopping import WHEN_TO_STOP

STUDIES: Mapping[str, Study] = MappingProxyType(
    {one.name: one for one in (REPORT_FASHION, FACE_TO_FACE, ATTACK, ABLATION, WHEN_TO_STOP)}
)


def study(name: str) -> Study:
    """The study of that name; raises `UserError` when there is none."""
    if name not in STUDIES:
        raise UserError(f"there is no study {name!r}: give one of {', '.join(STUDIES)}")
    return STUDIES[name]
