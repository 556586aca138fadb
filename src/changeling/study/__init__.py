"""An experiment from films to scores: training with the truth in sight, the demo, reports."""

from changeling.study.coverage import publish_coverage
from changeling.study.demo import Demo, demo
from changeling.study.drawing import Wish, draw, draw_mixed, draw_process, draw_walk, sheet
from changeling.study.editing import Edit, draw_edits
from changeling.study.graphics import Footage, edit, reenact, swap_by_fit
from changeling.study.judge import judge_report
from changeling.study.mending import Chosen, Damage, Mended, restore
from changeling.study.options import DemoOptions
from changeling.study.page import Curve, Curves
from changeling.study.page_html import chart_svg
from changeling.study.pairs import PAIRS, Pair
from changeling.study.rating_questions import QUESTIONS, Question
from changeling.study.rating_results import RatingResults, rating_results
from changeling.study.rating_sitting import Sitting
from changeling.study.scores import Results, ScoreLine, Seeds, Versions, score_lines
from changeling.study.stages import Stage, Tell, quiet
from changeling.study.train import Advance, donor_of, train_family, train_pictures

__all__ = [
    "PAIRS",
    "QUESTIONS",
    "Advance",
    "Chosen",
    "Curve",
    "Curves",
    "Damage",
    "Demo",
    "DemoOptions",
    "Edit",
    "Footage",
    "Mended",
    "Pair",
    "Question",
    "RatingResults",
    "Results",
    "ScoreLine",
    "Seeds",
    "Sitting",
    "Stage",
    "Tell",
    "Versions",
    "Wish",
    "chart_svg",
    "demo",
    "donor_of",
    "draw",
    "draw_edits",
    "draw_mixed",
    "draw_process",
    "draw_walk",
    "edit",
    "judge_report",
    "publish_coverage",
    "quiet",
    "rating_results",
    "reenact",
    "restore",
    "score_lines",
    "sheet",
    "swap_by_fit",
    "train_family",
    "train_pictures",
]
