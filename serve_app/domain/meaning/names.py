"""What a question is about by name: places, kinds of goods, means of payment, carriers, tiers, codes."""

from __future__ import annotations

import re

from serve_app.domain.meaning.sense import Sense
from serve_app.domain.meaning.tokens import Part
from serve_app.domain.understanding.aspects import ASPECTS
from serve_app.domain.understanding.things import THINGS

_PLACES = (THINGS["region"], THINGS["abroad"])
_NAMING = (*_PLACES, THINGS["campaign"], ASPECTS["kinds"], ASPECTS["means"])
# Of what they find, this names none.
_GENERIC = re.compile(
    r"哪|地区|地方|范围|全国|付款方式|支付方式|活动|满减|大促|国外|海外|境外|出国|国际|"
    r"areas?|regions?|everywhere|anywhere|nationwide|which cards|payment|methods|forms of|abroad|overseas|international|"
    r"outside|worldwide|countries|the sale|on sale|sale |promotions?|deals|with |together|in (?:a|the) sale"
)
_GOODS = re.compile(
    r"鞋|裤|裙|外套|帽子|面膜|被子|毛巾|耳机|手机壳|手机(?!号)|电脑|平板|相机|手表|t恤|卫衣|羽绒服|衬衫|围巾|睡衣|靴|背包|双肩包"
    r"|行李箱|充电宝|键盘|鼠标|台灯|杯|四件套|枕头|浴巾|蜡烛|炸锅|电饭煲|瑜伽垫|哑铃|玩具|积木|衣服|电视|家具"
    r"|\b(?:shoe|trouser|skirt|jacket|hat|cap|towel|headphone|earphone|earbud|phone case|laptop|computer|tablet|camera|watch"
    r"|shirt|hoodie|scarf|pyjama|boot|backpack|bag|suitcase|charger|keyboard|mouse|lamp|mug|cup|pillow|candle|fryer|cooker"
    r"|yoga mat|dumbbell|toy|dress|jeans|sneaker|sofa|chair|tv|book|bike|bicycle)s?\b"
)


def names_in(sense: Sense) -> frozenset[str]:
    """What is named beside the goods; each as it is called, or as the words that mean the same."""
    found = {match.group() for words in _NAMING for match in _pattern(words, sense).finditer(sense.form)}
    return frozenset({name for name in found if not _GENERIC.match(name)} | {*sense.all(Part.NAME)})


def places_named(sense: Sense, *, generic: bool = False) -> dict[int, frozenset[str]]:
    """Regions and countries, by kind; with the words that speak of them in general (哪些地区) where `generic`."""
    found = {at: {match.group() for match in _pattern(words, sense).finditer(sense.form)} for at, words in enumerate(_PLACES)}
    return {
        at: frozenset(name for name in names if generic or not _GENERIC.match(name)) for at, names in found.items() if names
    }


def goods_in(sense: Sense) -> frozenset[str]:
    return frozenset(match.group().removesuffix("s") for match in _GOODS.finditer(sense.form))


def _pattern(words: tuple[re.Pattern[str], re.Pattern[str]], sense: Sense) -> re.Pattern[str]:
    return words[1] if sense.language == "en" else words[0]
