"""The demo shop's tables.

Nothing in them is a date: columns in `_s` count seconds from the start of today in the shop's zone (the past is negative), and
columns in `_day` count days from today. A query adds the present day, so the shop is as fresh tomorrow as it is now.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files

DDL = """
CREATE TABLE made (fingerprint TEXT NOT NULL);
CREATE TABLE customers (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, phone TEXT NOT NULL, language TEXT NOT NULL,
  tier TEXT NOT NULL, tier_valid_s INTEGER, points INTEGER NOT NULL
);
CREATE TABLE coupons (
  id TEXT PRIMARY KEY, customer_id TEXT NOT NULL REFERENCES customers, title_zh TEXT NOT NULL, title_en TEXT NOT NULL,
  amount_minor INTEGER NOT NULL, minimum_minor INTEGER NOT NULL, valid_until_s INTEGER NOT NULL
);
CREATE TABLE skus (
  id TEXT PRIMARY KEY, title_zh TEXT NOT NULL, title_en TEXT NOT NULL, category TEXT NOT NULL, price_minor INTEGER NOT NULL
);
CREATE TABLE orders (
  id TEXT PRIMARY KEY, customer_id TEXT NOT NULL REFERENCES customers, state TEXT NOT NULL,
  placed_s INTEGER NOT NULL, paid_s INTEGER, total_minor INTEGER NOT NULL, freight_minor INTEGER NOT NULL,
  deposit_minor INTEGER, balance_due_s INTEGER, address TEXT NOT NULL
);
CREATE TABLE order_lines (
  id TEXT PRIMARY KEY, order_id TEXT NOT NULL REFERENCES orders, sku_id TEXT NOT NULL REFERENCES skus,
  quantity INTEGER NOT NULL, paid_minor INTEGER NOT NULL, discount_share_minor INTEGER NOT NULL
);
CREATE TABLE parcels (
  id TEXT PRIMARY KEY, order_id TEXT NOT NULL REFERENCES orders, tracking_no TEXT NOT NULL UNIQUE, carrier TEXT NOT NULL,
  state TEXT NOT NULL, pickup_code TEXT, pickup_point TEXT, promised_day INTEGER, estimated_day INTEGER, delivered_s INTEGER
);
CREATE TABLE parcel_lines (
  parcel_id TEXT NOT NULL REFERENCES parcels, line_id TEXT NOT NULL REFERENCES order_lines, PRIMARY KEY (parcel_id, line_id)
);
CREATE TABLE parcel_events (
  parcel_id TEXT NOT NULL REFERENCES parcels, number INTEGER NOT NULL, at_s INTEGER NOT NULL, state TEXT NOT NULL,
  place TEXT, text TEXT, PRIMARY KEY (parcel_id, number)
);
CREATE TABLE after_sales (
  id TEXT PRIMARY KEY, line_id TEXT NOT NULL REFERENCES order_lines, type TEXT NOT NULL, stage TEXT NOT NULL,
  requested_s INTEGER NOT NULL, amount_minor INTEGER, deadline_s INTEGER, return_no TEXT, freight_payer TEXT,
  refund_channel TEXT, refunded_s INTEGER
);
CREATE TABLE invoices (
  id TEXT PRIMARY KEY, order_id TEXT NOT NULL REFERENCES orders, kind TEXT NOT NULL, state TEXT NOT NULL,
  amount_minor INTEGER NOT NULL, issued_s INTEGER
);
CREATE INDEX coupons_customer ON coupons (customer_id);
CREATE INDEX orders_customer ON orders (customer_id, placed_s);
CREATE INDEX order_lines_order ON order_lines (order_id);
CREATE INDEX parcels_order ON parcels (order_id);
CREATE INDEX after_sales_line ON after_sales (line_id);
CREATE INDEX invoices_order ON invoices (order_id);
"""


def fingerprint(seed: int) -> str:
    """Of the seed and of the code that makes the shop: another one means that the shop is made anew."""
    digest = hashlib.blake2b(str(seed).encode(), digest_size=16)
    folder = files("serve_app.demo")
    for name in ("schema.py", "catalogue.py", "people.py", "journeys.py", "stories.py", "orders.py", "shop.py"):
        digest.update(folder.joinpath(name).read_bytes())
    return digest.hexdigest()
