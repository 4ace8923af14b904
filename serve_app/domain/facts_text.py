"""A customer's facts as text for a prompt: compact, complete, and the same as long as the facts are.

Nothing in it depends on the hour at which it is made (no `as_of`, no "tomorrow"), so that a prompt is extended only when a
fact has changed. Dates are written 2026-11-24, in the shop's zone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from serve_app.domain.facts import AfterSale, Coupon, Customer, Facts, Invoice, Line, Order, Parcel
from serve_app.domain.messages import Language
from serve_app.domain.wording import Locale, money, name_of, tier_name, zone


def facts_text(facts: Facts, language: Language, time_zone: str = "Asia/Shanghai") -> str:
    """One line for the customer, then one for each order, indented ones for what belongs to it. Empty without facts."""
    return "\n".join(_Writer(Locale(language, time_zone)).lines(facts))


_LABELS: dict[str, tuple[str, str]] = {
    "customer": ("客户", "Customer"),
    "until": ("有效期至", "valid until"),
    "points": ("积分", "points"),
    "coupon": ("优惠券", "coupon"),
    "minimum": ("满", "minimum"),
    "orders": ("订单总数", "Orders in all"),
    "order": ("订单", "Order"),
    "placed": ("下单", "placed"),
    "paid": ("付款", "paid"),
    "total": ("合计", "total"),
    "freight": ("运费", "freight"),
    "deposit": ("定金", "deposit"),
    "balance_due": ("尾款截止", "balance due"),
    "address": ("地址", "address"),
    "item": ("商品", "Item"),
    "discount": ("优惠", "discount"),
    "parcel": ("包裹", "Parcel"),
    "latest": ("最新", "latest"),
    "promised": ("承诺送达", "promised"),
    "estimated": ("预计送达", "expected"),
    "delivered": ("签收", "delivered"),
    "pickup_point": ("代收点", "pickup point"),
    "pickup_code": ("取件码", "pickup code"),
    "after_sale": ("售后", "After-sale"),
    "amount": ("金额", "amount"),
    "requested": ("申请", "requested"),
    "deadline": ("截止", "deadline"),
    "return_no": ("退货单号", "return number"),
    "return_freight": ("退货运费", "return freight"),
    "refund_to": ("退款至", "refund to"),
    "refunded": ("退款到账", "refunded"),
    "invoice": ("发票", "Invoice"),
    "issued": ("开具", "issued"),
}


class _Writer:
    def __init__(self, locale: Locale) -> None:
        self._locale = locale
        self._column = 0 if locale.language == "zh" else 1

    def lines(self, facts: Facts) -> Iterator[str]:
        if facts.customer is not None:
            yield self._customer(facts.customer)
        if facts.order_count is not None:
            yield f"{self._label('orders')}: {facts.order_count}"
        for order in facts.orders:
            yield self._order(order)
            for line in order.lines:
                yield f"  {self._line(line, order.currency)}"
                yield from (f"    {self._after_sale(sale, order.currency)}" for sale in line.after_sales)
            yield from (f"  {self._parcel(parcel)}" for parcel in order.parcels)
            yield from (f"  {self._invoice(invoice, order.currency)}" for invoice in order.invoices)

    def _customer(self, customer: Customer) -> str:
        tier = tier_name(customer.tier, self._locale.language) if customer.tier else None
        return self._joined(
            f"{self._label('customer')}: {customer.name}",
            tier,
            self._said("until", customer.tier_valid_until) if tier else None,
            self._said("points", customer.points),
            *(self._coupon(coupon) for coupon in customer.coupons),
        )

    def _coupon(self, coupon: Coupon) -> str:
        title = coupon.title_zh if self._locale.language == "zh" else coupon.title_en
        minimum = f", {self._label('minimum')} {self._money(coupon.minimum_minor)}" if coupon.minimum_minor else ""
        until = self._said("until", coupon.valid_until)
        return f"{self._label('coupon')} {title} ({self._money(coupon.amount_minor)}{minimum}, {until})"

    def _order(self, order: Order) -> str:
        return self._joined(
            f"{self._label('order')} {order.id}: {name_of(order.state, self._locale.language)}",
            self._said("placed", order.placed_at),
            self._said("paid", order.paid_at),
            self._said("total", self._money(order.total_minor, order.currency)),
            self._said("freight", self._money(order.freight_minor, order.currency)),
            self._said("deposit", self._money(order.deposit_minor, order.currency)),
            self._said("balance_due", order.balance_due_at),
            self._said("address", order.address),
        )

    def _line(self, line: Line, currency: str) -> str:
        title = line.title_zh if self._locale.language == "zh" else line.title_en
        return self._joined(
            f"{self._label('item')} {line.sku_id} {title} × {line.quantity}",
            self._said("paid", self._money(line.paid_minor, currency)),
            self._said("discount", self._money(line.discount_share_minor or None, currency)),
        )

    def _parcel(self, parcel: Parcel) -> str:
        latest = parcel.latest
        number = " ".join(part for part in (parcel.carrier, parcel.tracking_no) if part) or parcel.id
        event = " ".join(part for part in (self._when(latest.at), latest.place, latest.text) if part) if latest else None
        return self._joined(
            f"{self._label('parcel')} {number}: {name_of(parcel.state, self._locale.language)}",
            self._said("latest", event),
            self._said("promised", parcel.promised_date),
            self._said("estimated", parcel.estimated_date),
            self._said("delivered", parcel.delivered_at),
            self._said("pickup_point", parcel.pickup_point),
            self._said("pickup_code", parcel.pickup_code),
        )

    def _after_sale(self, sale: AfterSale, currency: str) -> str:
        language = self._locale.language
        return self._joined(
            f"{self._label('after_sale')} {sale.id} {name_of(sale.type, language)}: {name_of(sale.stage, language)}",
            self._said("amount", self._money(sale.amount_minor, currency)),
            self._said("requested", sale.requested_at),
            self._said("deadline", sale.deadline),
            self._said("return_no", sale.return_no),
            self._said("return_freight", name_of(sale.freight_payer, language) if sale.freight_payer else None),
            self._said("refund_to", name_of(sale.refund_channel, language) if sale.refund_channel else None),
            self._said("refunded", sale.refunded_at),
        )

    def _invoice(self, invoice: Invoice, currency: str) -> str:
        return self._joined(
            f"{self._label('invoice')} {invoice.id}: {invoice.kind}, {invoice.state}",
            self._said("amount", self._money(invoice.amount_minor, currency)),
            self._said("issued", invoice.issued_at),
        )

    def _label(self, key: str) -> str:
        return _LABELS[key][self._column]

    def _said(self, key: str, value: str | int | date | None) -> str | None:
        if value is None:
            return None
        return f"{self._label(key)} {self._when(value) if isinstance(value, date) else value}"

    def _when(self, value: date) -> str:
        local = value.astimezone(zone(self._locale.time_zone)) if isinstance(value, datetime) else value
        return f"{local:%Y-%m-%d %H:%M}" if isinstance(local, datetime) else f"{local:%Y-%m-%d}"

    def _money(self, minor: int | None, currency: str | None = None) -> str | None:
        return None if minor is None else money(minor, self._locale, currency)

    @staticmethod
    def _joined(*parts: str | None) -> str:
        return "; ".join(part for part in parts if part)
