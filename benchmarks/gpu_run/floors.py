"""How fast the hardware could be at best: what a token must read, and what it must compute.

The figures of a decoder-only transformer follow from its `config.json`. A card's peaks are the vendor's, dense.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Card:
    """Bytes a second from memory; floating-point operations a second with 8-bit and with 16-bit operands."""

    bytes_per_s: float
    flops_8bit: float
    flops_16bit: float


CARDS = {
    "H100": Card(3.35e12, 1979e12, 989e12),
    "H200": Card(4.8e12, 1979e12, 989e12),
    "A100": Card(2.04e12, 312e12, 312e12),  # no 8-bit floating point: such weights are computed with in 16 bits
}


@dataclass(frozen=True, slots=True)
class Weights:
    """Parameters. `tables` are looked up, one row a token; the others are multiplied with."""

    layers: int
    head: int
    tables: int

    @property
    def multiplied(self) -> int:
        return self.layers + self.head

    def bytes_read(self, bits: int) -> float:
        """By every step of decoding. The head stays in 16 bits where the layers have 8."""
        return self.layers * bits / 8 + self.head * 2


def weights_of(config: Mapping[str, Any]) -> Weights:
    """Of a `config.json` in the form of Llama's or Qwen's models. Raises KeyError for others."""
    hidden, wide, heads = config["hidden_size"], config["intermediate_size"], config["num_attention_heads"]
    head_dim = config.get("head_dim") or hidden // heads
    keys = config.get("num_key_value_heads", heads)
    attention = hidden * head_dim * (2 * heads + 2 * keys)
    table = config["vocab_size"] * hidden
    return Weights(
        layers=config["num_hidden_layers"] * (attention + 3 * hidden * wide),
        head=table,
        tables=0 if config.get("tie_word_embeddings") else table,
    )


def token_floor_ms(weights: Weights, card: Card, bits: int) -> float:
    """The time that one step's reading of the weights takes: no stream gets its next token sooner."""
    return weights.bytes_read(bits) / card.bytes_per_s * 1000


def compute_share(weights: Weights, card: Card, bits: int, tokens_per_s: float) -> float:
    """Of the card's peak: two operations for each parameter and token computed, prompts' uncached tokens among them. What
    attention computes is left out: it is under a tenth at a thousand tokens of context."""
    peak = card.flops_8bit if bits == 8 else card.flops_16bit
    return 2 * weights.multiplied * tokens_per_s / peak


def card_named(name: str) -> Card | None:
    """`name` as the driver tells it: "NVIDIA H100 80GB HBM3"."""
    return next((card for short, card in CARDS.items() if short in name), None)
