"""What the Context room does: a customer's facts from the shop's systems, as the configuration declares them."""

from serve_app.context.declared import gatherer
from serve_app.context.gathering import ContextGatherer, Gathered, SourceReport

__all__ = ["ContextGatherer", "Gathered", "SourceReport", "gatherer"]
