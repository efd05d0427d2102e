"""What the author of a CareBot plugin imports.

A plugin rates documents (Scorer), filters dialogues (Filter) or judges answers (Reward), a batch at a time. It is a
script that calls serve() and runs as a process of its own.
"""

from carebot.answers import Action, Edit, EditOp, Judgement, Rating, Status, Verdict
from carebot.errors import Error, ModelError
from carebot.manifest import ConfigKey, Manifest, ScoreInfo
from carebot.model import LogLik, LogLikRequest, Model, ModelInfo
from carebot.plugin import Env, Filter, Reward, Scorer
from carebot.records import Dialogue, Document, Role, Sample, Turn
from carebot.serve import serve

__all__ = [
    "Action", "ConfigKey", "Dialogue", "Document", "Edit", "EditOp", "Env", "Error", "Filter", "Judgement", "LogLik",
    "LogLikRequest", "Manifest", "Model", "ModelError", "ModelInfo", "Rating", "Reward", "Role", "Sample", "ScoreInfo",
    "Scorer", "Status", "Turn", "Verdict", "serve",
]
