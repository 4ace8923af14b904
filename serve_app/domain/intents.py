"""What a customer may want. A knowledge entry and a template each name the intent that they answer."""

from __future__ import annotations

from enum import StrEnum

from serve_app.domain.messages import Kind


class Intent(StrEnum):
    # Conversation
    GREETING = "greeting"
    THANKS = "thanks"
    GOODBYE = "goodbye"
    HUMAN = "human"  # 转人工
    AFFIRM = "affirm"
    DENY = "deny"
    COMPLAINT = "complaint"
    CHITCHAT = "chitchat"  # needs none of the shop's facts or policies
    # About this customer's own things
    ORDER_STATUS = "order_status"
    PARCEL = "parcel"  # where it is, when it comes, the pickup code
    REFUND_PROGRESS = "refund_progress"  # and any after-sale's progress
    TIER = "tier"  # 我是什么会员, points, coupons of mine
    # To be done
    CANCEL_ORDER = "cancel_order"
    CHANGE_ADDRESS = "change_address"
    REQUEST_RETURN = "request_return"
    # The shop's rules
    RETURN_POLICY = "return_policy"
    RETURN_FREIGHT = "return_freight"
    RETURN_HOWTO = "return_howto"
    NON_RETURNABLE = "non_returnable"
    EXCHANGE_POLICY = "exchange_policy"
    REFUND_TIME = "refund_time"
    SHIPPING_FEE = "shipping_fee"
    SHIPPING_TIME = "shipping_time"
    DELIVERY_AREA = "delivery_area"
    PICKUP_POINT = "pickup_point"
    ADDRESS_CHANGE_POLICY = "address_change_policy"
    CANCEL_POLICY = "cancel_policy"
    LOST_PARCEL = "lost_parcel"
    DAMAGED_PARCEL = "damaged_parcel"
    WARRANTY = "warranty"
    INVOICE = "invoice"
    COUPON_RULES = "coupon_rules"
    POINTS_RULES = "points_rules"
    TIER_RULES = "tier_rules"
    PAYMENT = "payment"
    DEPOSIT = "deposit"
    PRICE_PROTECTION = "price_protection"
    AUTHENTICITY = "authenticity"
    SUPPORT_HOURS = "support_hours"
    PRIVACY = "privacy"
    # The rest
    PRODUCT = "product"
    OTHER = "other"


TEMPLATED = frozenset({Intent.ORDER_STATUS, Intent.PARCEL, Intent.REFUND_PROGRESS, Intent.TIER})
ACTIONS = frozenset({Intent.CANCEL_ORDER, Intent.CHANGE_ADDRESS, Intent.REQUEST_RETURN})
# Mean nothing without what was said before them.
REPLIES = frozenset({Intent.AFFIRM, Intent.DENY})
UNSHARED = frozenset({Intent.PRODUCT, Intent.OTHER, Intent.CHITCHAT, Intent.COMPLAINT}) | REPLIES


def kind_of(intent: Intent) -> Kind:
    """The kind of answer an intent gets. When in doubt: personal."""
    if intent in ACTIONS:
        return Kind.ACTION
    if intent in TEMPLATED:
        return Kind.TEMPLATED
    return Kind.PERSONAL if intent in UNSHARED else Kind.PUBLIC
