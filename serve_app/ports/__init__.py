"""What the domain needs from outside. Each protocol has a real adapter in `serve_app.adapters` (or a Serve room behind a
handle), and a fake beside it that passes the same contract tests."""

from serve_app.ports.access import Authenticator, KeyGrant, Keys
from serve_app.ports.answers import AnswerTiers, Eviction, SharedAnswers, TierCounts
from serve_app.ports.aside import SetAsides
from serve_app.ports.engine import Engine, EngineSignals, Replicas, Stream
from serve_app.ports.facts import FactSource, FactsQuery
from serve_app.ports.knowledge import KnowledgeRecord, Proposals, Ratings
from serve_app.ports.language import Classifier, Detokenizer, Embedder, LanguageDetector, Tokenizer, VectorClassifier
from serve_app.ports.live import DeskFeed, DeskView, LiveAnswers
from serve_app.ports.pregeneration import Jobs, QuestionLog
from serve_app.ports.rooms import CacheRoom, ContextRoom, InferenceRoom
from serve_app.ports.scaling import PolicyEdit, ScalingRecord
from serve_app.ports.sessions import LiveSessions, Sessions, Transcripts
from serve_app.ports.system import Clock
from serve_app.ports.tickets import Notice, Outbox, Tickets

__all__ = [
    "AnswerTiers",
    "Authenticator",
    "CacheRoom",
    "Classifier",
    "Clock",
    "ContextRoom",
    "DeskFeed",
    "DeskView",
    "Detokenizer",
    "Embedder",
    "Engine",
    "EngineSignals",
    "Eviction",
    "FactSource",
    "FactsQuery",
    "InferenceRoom",
    "Jobs",
    "KeyGrant",
    "Keys",
    "KnowledgeRecord",
    "LanguageDetector",
    "LiveAnswers",
    "LiveSessions",
    "Notice",
    "Outbox",
    "PolicyEdit",
    "Proposals",
    "QuestionLog",
    "Ratings",
    "Replicas",
    "ScalingRecord",
    "Sessions",
    "SetAsides",
    "SharedAnswers",
    "Stream",
    "Tickets",
    "TierCounts",
    "Tokenizer",
    "Transcripts",
    "VectorClassifier",
]
