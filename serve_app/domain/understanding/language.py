"""The answer's language: the dominant script outside product names.

Neutral text (an order number, ok, 1, an emoji) keeps the session's language. A detector only ever decides whether Latin text
is another language than English, because detectors are unsure about short texts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

from serve_app.domain.messages import Language


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HAN = re.compile(r"[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
_KANA = re.compile(r"[\u3041-\u30ff\uff66-\uff9f]")
_LATIN_WORD = re.compile(r"[a-z\u00c0-\u024f\u1e00-\u1eff]+(?:'[a-z]+)?")
# Web addresses, and words with a digit in them: order numbers, SKUs, models.
_CODE = re.compile(r"https?://\S+|(?<!\S)[^\s@]+@\S+|(?<![a-z0-9_#-])[a-z_#-]*\d[a-z0-9_-]*")
_NEUTRAL_WORDS = _words("ok okay okey okk k kk lol xs s m l xl xxl xxxl sku id vip app pro max mini plus qq wechat sf zw")

_ENGLISH_WORDS = _words(
    """i you we they my your our it its is are was were be am isnt arent the this that these those there here of for from with
    and or but not dont cant wont didnt doesnt havent hasnt do does did have has had can could will would should may might
    what whats where wheres when whens who why which how
    much many long any some more one to into about after before if get got give take
    want need know help please thanks thank hello hey hi yes order orders refund refunds return returns exchange cancel ship
    shipping shipped delivery deliver delivered parcel package tracking track invoice coupon coupons points tier member
    membership payment pay paid price address change money back free policy time days human agent person support item
    items product size broken damaged wrong late missing lost still due yet now today tomorrow yesterday arrive arrived arrives
    receive received buy bought account warranty repair"""
)
# Words by which an English sentence is told from product names inside a Chinese one.
_FUNCTION_WORDS = _words(
    """i you we my your the is are was do does did can could will would have has what where wheres when who why which how of
    for to and not dont cant it this that please if any about"""
)
_FOREIGN_WORDS = _words(
    """hola gracias bonjour merci hallo danke bitte ciao grazie obrigado obrigada salut privet spasibo konnichiwa arigatou
    arigato annyeong pedido reembolso bestellung commande ordine paket"""
)


class Spoken(NamedTuple):
    language: Language
    foreign: bool  # neither Chinese nor English


def language_of(text: str, session: Language | None, locale: str | None, detect: Callable[[str], tuple[str, float]]) -> Spoken:
    """The language to answer a cleaned text in. `detect` gives an ISO 639-1 code and its probability."""
    lower = _CODE.sub(" ", text.lower().replace("\u2019", "'"))
    han = len(_HAN.findall(lower))
    words = [word.replace("'", "") for word in _LATIN_WORD.findall(lower)]
    telling = [word for word in words if word not in _NEUTRAL_WORDS]
    if _is_other_script(lower, han, len("".join(words))):
        return Spoken("en", True)
    if han:
        # A Chinese character says about half of what an English word does.
        speaks_english = sum(word in _FUNCTION_WORDS for word in telling) >= 2 and len(telling) > han * 0.6
        return Spoken("en" if speaks_english else "zh", False)
    if telling:
        return Spoken("en", _is_foreign(" ".join(words), words, detect))
    return Spoken(session or _of_locale(locale), False)


def _is_other_script(text: str, han: int, latin: int) -> bool:
    kana = len(_KANA.findall(text))
    # One の is decoration in Chinese; a Japanese sentence is full of kana.
    if kana >= 2 and kana * 4 >= kana + han:
        return True
    letters = sum(unicodedata.category(character)[0] == "L" for character in text)
    others = letters - kana - han - sum(len(word) for word in _LATIN_WORD.findall(text))
    return others >= 2 and others > han + latin / 2


def _is_foreign(text: str, words: list[str], detect: Callable[[str], tuple[str, float]]) -> bool:
    if any(word in _FOREIGN_WORDS for word in words):
        return True
    if sum(word in _ENGLISH_WORDS for word in words) >= 0.4 * len(words):
        return False
    code, probability = detect(text)
    if code in ("en", "zh"):
        return False
    if not text.isascii():
        return probability >= 0.4
    return probability >= (0.6 if len(words) > 1 else 0.85)


def _of_locale(locale: str | None) -> Language:
    return "en" if locale and not locale.lower().startswith("zh") else "zh"
