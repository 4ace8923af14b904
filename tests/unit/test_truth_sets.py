"""What cache_truth reads: a file that is not what it should be is refused, not measured as nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.truth.sets import BadSet, Pair, pairs


def written(folder: Path, text: str) -> Path:
    file = folder / "pairs.tsv"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_header_and_comments_are_passed_over(tmp_path: Path) -> None:
    file = written(tmp_path, "# by hand\nfirst\tsecond\tsame\twhy\n能退吗\t能换吗\t0\tsku\ncan I\tmay I\t1\n")
    assert pairs(file) == (Pair("能退吗", "能换吗", False, "sku"), Pair("can I", "may I", True))


@pytest.mark.parametrize("text", ["", "# nothing\n", "first\tsecond\tsame\n", "a\tb\tno\nc\td\tno\n", "a\tb\n", "a,b,0\n"])
def test_a_file_without_pairs_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadSet, match="pairs"):
        pairs(written(tmp_path, text))
