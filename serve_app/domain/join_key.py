"""Which questions may share one generation."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence

from serve_app.domain.generation import Sampling


def join_key(prompt_token_ids: Sequence[int], sampling: Sampling, cache_salt: str) -> str:
    """A digest (BLAKE2b, 16 bytes, hexadecimal) of everything that decides an answer's text: equal ones get the same one."""
    # The prompt is last: the only part whose length is not told by what stands before it.
    head = f"{cache_salt!r}{sampling!r}\n".encode()
    return hashlib.blake2b(head + array("q", prompt_token_ids).tobytes(), digest_size=16).hexdigest()
