"""The demo shop's customers: names, phones and addresses are masked, as a shop would send them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

from serve_app.demo.journeys import DAY_S

TIERS = ("bronze", "silver", "gold", "platinum")
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
INITIALS = "ABCDEGHJKLMNOPRSTW"
# Chinese and English, of a city and a district.
PLACES: tuple[tuple[str, str, str, str], ...] = (
    ("上海", "浦东新区", "Shanghai", "Pudong"),
    ("北京", "朝阳区", "Beijing", "Chaoyang"),
    ("广州", "天河区", "Guangzhou", "Tianhe"),
    ("深圳", "南山区", "Shenzhen", "Nanshan"),
    ("杭州", "西湖区", "Hangzhou", "Xihu"),
    ("成都", "武侯区", "Chengdu", "Wuhou"),
    ("武汉", "洪山区", "Wuhan", "Hongshan"),
    ("西安", "雁塔区", "Xi'an", "Yanta"),
    ("南京", "鼓楼区", "Nanjing", "Gulou"),
    ("重庆", "渝中区", "Chongqing", "Yuzhong"),
    ("青岛", "市南区", "Qingdao", "Shinan"),
    ("昆明", "五华区", "Kunming", "Wuhua"),
)
# Chinese, English, amount and threshold in yuan.
COUPONS: tuple[tuple[str, str, int, int], ...] = (
    ("满200减20", "20 off 200", 20, 200), ("满99减10", "10 off 99", 10, 99), ("满500减60", "60 off 500", 60, 500),
    ("无门槛5元券", "5 off, no minimum", 5, 0), ("生日礼券30元", "30 birthday gift", 30, 0),
    ("满300减40", "40 off 300", 40, 300),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str
    phone: str
    language: Literal["zh", "en"]
    tier: str
    tier_valid_s: int | None
    points: int
    city: str
    address: str


@dataclass(frozen=True, slots=True)
class CouponRow:
    id: str
    customer_id: str
    title_zh: str
    title_en: str
    amount_minor: int
    minimum_minor: int
    valid_until_s: int


def make_person(rng: Random, number: int) -> Person:
    """Customer `C{1000 + number}`. C1001 is a gold member who reads Chinese, C1002 a silver one who reads English."""
    language: Literal["zh", "en"] = "en" if number == 2 or (number > 5 and rng.random() < 0.25) else "zh"
    tier = {1: "gold", 2: "silver"}.get(number) or rng.choices(TIERS, (50, 28, 15, 7))[0]
    city_zh, district_zh, city_en, district_en = rng.choice(PLACES)
    if language == "zh":
        name = rng.choice(SURNAMES) + "*" * rng.choice((1, 2, 2))
        city, address = city_zh, f"{city_zh}市{district_zh}***"
    else:
        name = rng.choice(INITIALS) + "***"
        city, address = city_en, f"*** {district_en}, {city_en}"
    rank = TIERS.index(tier)
    return Person(
        id=f"C{1000 + number}",
        name=name,
        phone=f"1{rng.choice((38, 39, 58, 86, 77))}****{rng.randrange(10_000):04d}",
        language=language,
        tier=tier,
        # Tiers end with a day: the last second of it, in the shop's zone.
        tier_valid_s=rng.randint(20, 360) * DAY_S - 1 if rank else None,
        points=rng.randint(0, 900) + rank * rng.randint(800, 2500),
        city=city,
        address=address,
    )


def make_coupons(rng: Random, person: Person) -> list[CouponRow]:
    """Up to four, each ending with a day; some have ended."""
    count = 2 if person.id == "C1001" else rng.randint(0, 4)
    rows: list[CouponRow] = []
    for number, (title_zh, title_en, amount, minimum) in enumerate(rng.sample(COUPONS, count), start=1):
        ended = person.id != "C1001" and rng.random() < 0.2
        last_day = -rng.randint(1, 30) if ended else rng.randint(1, 60)
        rows.append(
            CouponRow(
                id=f"CP-{person.id[1:]}-{number}",
                customer_id=person.id,
                title_zh=title_zh,
                title_en=title_en,
                amount_minor=amount * 100,
                minimum_minor=minimum * 100,
                valid_until_s=(last_day + 1) * DAY_S - 1,
            )
        )
    return rows
