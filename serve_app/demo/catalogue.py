"""The demo shop's 2,000 articles, titled in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from random import Random

# Chinese, English, category, price in yuan from and to.
TYPES: tuple[tuple[str, str, str, int, int], ...] = (
    ("纯棉T恤", "Cotton T-Shirt", "clothing", 59, 129),
    ("连帽卫衣", "Hoodie", "clothing", 139, 299),
    ("羽绒服", "Down Jacket", "clothing", 499, 1599),
    ("牛仔裤", "Jeans", "clothing", 159, 399),
    ("衬衫", "Shirt", "clothing", 119, 329),
    ("羊毛围巾", "Wool Scarf", "clothing", 89, 259),
    ("运动短裤", "Running Shorts", "clothing", 69, 169),
    ("居家睡衣", "Pyjamas", "clothing", 99, 239),
    ("跑步鞋", "Running Shoes", "shoes", 269, 899),
    ("小白鞋", "Sneakers", "shoes", 189, 459),
    ("居家拖鞋", "Slippers", "shoes", 29, 79),
    ("雨靴", "Rain Boots", "shoes", 99, 199),
    ("双肩包", "Backpack", "bags", 159, 599),
    ("帆布袋", "Canvas Tote", "bags", 39, 119),
    ("登机箱", "Cabin Suitcase", "bags", 299, 999),
    ("卡包", "Card Holder", "bags", 49, 199),
    ("蓝牙耳机", "Wireless Earbuds", "electronics", 149, 1299),
    ("充电宝", "Power Bank", "electronics", 89, 299),
    ("机械键盘", "Mechanical Keyboard", "electronics", 199, 899),
    ("无线鼠标", "Wireless Mouse", "electronics", 59, 399),
    ("手机壳", "Phone Case", "electronics", 19, 99),
    ("台灯", "Desk Lamp", "home", 79, 359),
    ("保温杯", "Insulated Bottle", "home", 69, 259),
    ("马克杯", "Mug", "home", 29, 89),
    ("四件套", "Bedding Set", "home", 199, 899),
    ("记忆枕", "Memory Foam Pillow", "home", 99, 399),
    ("浴巾", "Bath Towel", "home", 39, 129),
    ("收纳箱", "Storage Box", "home", 29, 119),
    ("香薰蜡烛", "Scented Candle", "home", 49, 199),
    ("电饭煲", "Rice Cooker", "kitchen", 199, 899),
    ("空气炸锅", "Air Fryer", "kitchen", 249, 799),
    ("不粘锅", "Non-Stick Pan", "kitchen", 99, 399),
    ("厨师刀", "Chef's Knife", "kitchen", 89, 499),
    ("手冲咖啡壶", "Pour-Over Kettle", "kitchen", 129, 459),
    ("瑜伽垫", "Yoga Mat", "sports", 69, 299),
    ("哑铃", "Dumbbell", "sports", 79, 359),
    ("露营灯", "Camping Lantern", "sports", 89, 259),
    ("面霜", "Face Cream", "beauty", 99, 599),
    ("护手霜", "Hand Cream", "beauty", 29, 129),
    ("积木玩具", "Building Blocks", "toys", 79, 499),
)
SERIES: tuple[tuple[str, str], ...] = (
    ("云朵", "Cloud"), ("晨光", "Daybreak"), ("山野", "Highland"), ("海盐", "Sea Salt"), ("初雪", "First Snow"),
    ("青柠", "Lime"), ("暮色", "Dusk"), ("松果", "Pinecone"), ("流萤", "Firefly"), ("拾光", "Timeless"),
)  # fmt: skip
COLOURS: tuple[tuple[str, str], ...] = (
    ("米白", "Off-White"), ("雾蓝", "Misty Blue"), ("炭黑", "Charcoal"), ("豆沙粉", "Dusty Pink"), ("橄榄绿", "Olive"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sku:
    id: str
    title_zh: str
    title_en: str
    category: str
    price_minor: int


def make_catalogue(rng: Random) -> list[Sku]:
    """Every type in every series and colour; a series has one price."""
    prices = {(kind[1], series[1]): rng.randint(kind[3], kind[4]) * 100 for kind in TYPES for series in SERIES}
    return [
        Sku(
            id=f"SKU-{number:05d}",
            title_zh=f"{series[0]}系列{kind[0]} {colour[0]}",
            title_en=f"{series[1]} {kind[1]}, {colour[1]}",
            category=kind[2],
            price_minor=prices[kind[1], series[1]],
        )
        for number, (kind, series, colour) in enumerate(product(TYPES, SERIES, COLOURS), start=1)
    ]
