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
    CRISIS = "crisis"  # somebody speaks of harming themselves: a person at once, whatever else is asked
    AFFIRM = "affirm"
    DENY = "deny"
    COMPLAINT = "complaint"
    CHITCHAT = "chitchat"  # needs none of the shop's facts or policies
    # About this customer's own things
    ORDER_STATUS = "order_status"
    PARCEL = "parcel"  # where it is, when it comes, the pickup code
    REFUND_PROGRESS = "refund_progress"  # and any after-sale's progress
    TIER = "tier"  # 我是什么会员, points, coupons of mine
    MY_ORDERS = "my_orders"  # how many, and which
    ORDER_DATE = "order_date"
    ORDER_PAYMENT = "order_payment"  # whether it is paid
    ORDER_TOTAL = "order_total"
    ORDER_FREIGHT = "order_freight"
    ORDER_BALANCE = "order_balance"  # its deposit, what is still to be paid, by when
    PARCEL_NUMBER = "parcel_number"  # and its carrier
    PARCEL_COUNT = "parcel_count"
    PARCEL_PROMISE = "parcel_promise"  # the day that was promised
    PARCEL_PICKUP = "parcel_pickup"  # where it is collected, and the code
    OWN_REFUND_AMOUNT = "own_refund_amount"
    OWN_REFUND_CHANNEL = "own_refund_channel"
    OWN_RETURN_NUMBER = "own_return_number"
    OWN_RETURN_FREIGHT = "own_return_freight"
    OWN_INVOICE = "own_invoice"
    # To be done
    CANCEL_ORDER = "cancel_order"
    CHANGE_ADDRESS = "change_address"
    REQUEST_RETURN = "request_return"
    WITHDRAW_RETURN = "withdraw_return"
    REQUEST_INVOICE = "request_invoice"
    URGE_DELIVERY = "urge_delivery"  # 催发货, 催快递
    # The shop's rules: returns
    RETURN_POLICY = "return_policy"
    NON_RETURNABLE = "non_returnable"
    RETURN_OPENED = "return_opened"  # or tried on
    RETURN_QUALITY = "return_quality"
    RETURN_GIFT = "return_gift"  # does the gift go back
    RETURN_LATE = "return_late"
    RETURN_PARTIAL = "return_partial"
    RETURN_WITHDRAW = "return_withdraw"
    RETURN_HOWTO = "return_howto"
    RETURN_ADDRESS = "return_address"
    RETURN_PICKUP = "return_pickup"  # a courier collects it
    RETURN_FREIGHT = "return_freight"
    FREIGHT_INSURANCE = "freight_insurance"  # 运费险
    EXCHANGE_POLICY = "exchange_policy"
    REFUSE_DELIVERY = "refuse_delivery"  # 拒收
    # Refunds
    REFUND_TIME = "refund_time"
    REFUND_CHANNEL = "refund_channel"  # where the money goes
    REFUND_AMOUNT = "refund_amount"
    REFUND_REJECTED = "refund_rejected"
    # Delivery
    SHIPPING_FEE = "shipping_fee"
    SHIPPING_TIME = "shipping_time"
    DELIVERY_TIME = "delivery_time"  # after dispatch
    DELIVERY_AREA = "delivery_area"
    OVERSEAS = "overseas"
    CARRIER = "carrier"
    DELIVERY_SLOT = "delivery_slot"  # at an appointed time
    SPLIT_PARCELS = "split_parcels"
    INSTALLATION = "installation"
    ADDRESS_CHANGE_POLICY = "address_change_policy"
    PICKUP_POINT = "pickup_point"
    PICKUP_CODE_LOST = "pickup_code_lost"
    LOST_PARCEL = "lost_parcel"
    DAMAGED_PARCEL = "damaged_parcel"
    WRONG_ITEM = "wrong_item"  # or a missing one
    DELIVERED_NOT_RECEIVED = "delivered_not_received"
    TRACKING_STALLED = "tracking_stalled"
    # Orders and payment
    CANCEL_POLICY = "cancel_policy"
    MODIFY_ORDER = "modify_order"
    MERGE_ORDERS = "merge_orders"
    ORDER_AUTO_CLOSED = "order_auto_closed"
    PRESALE = "presale"  # when it is shipped
    RESTOCK = "restock"
    PURCHASE_LIMIT = "purchase_limit"
    PAYMENT = "payment"
    CASH_ON_DELIVERY = "cash_on_delivery"
    PAYMENT_FAILED = "payment_failed"
    INSTALMENTS = "instalments"
    DEPOSIT = "deposit"  # how it is paid, and the balance
    DEPOSIT_REFUND = "deposit_refund"
    PRICE_PROTECTION = "price_protection"
    INVOICE = "invoice"
    INVOICE_CHANGE = "invoice_change"
    VAT_INVOICE = "vat_invoice"  # 专票
    BULK_ORDER = "bulk_order"
    # Benefits
    COUPON_RULES = "coupon_rules"
    COUPON_STACKING = "coupon_stacking"
    COUPON_BACK = "coupon_back"  # after a refund
    POINTS_RULES = "points_rules"
    POINTS_EXPIRY = "points_expiry"
    TIER_RULES = "tier_rules"
    TIER_UPGRADE = "tier_upgrade"
    NEWCOMER_OFFER = "newcomer_offer"
    BIRTHDAY_GIFT = "birthday_gift"
    CAMPAIGN = "campaign"
    # Account
    ACCOUNT_LOGIN = "account_login"
    CHANGE_PHONE = "change_phone"
    ACCOUNT_DELETION = "account_deletion"
    PRIVACY = "privacy"
    SCAM_WARNING = "scam_warning"
    # The goods and the shop
    WARRANTY = "warranty"
    REPAIR = "repair"
    AUTHENTICITY = "authenticity"
    SIZE_GUIDE = "size_guide"
    GIFT_WRAP = "gift_wrap"
    SUPPORT_HOURS = "support_hours"
    COMPLAINT_CHANNEL = "complaint_channel"
    PHYSICAL_STORE = "physical_store"
    REVIEWS = "reviews"
    CAPABILITIES = "capabilities"  # what the bot can do, and that it is one
    # The rest
    PRODUCT = "product"
    OTHER = "other"


ABOUT_THE_CUSTOMER = frozenset({Intent.TIER, Intent.MY_ORDERS})
OF_PARCELS = frozenset({Intent.PARCEL, Intent.PARCEL_NUMBER, Intent.PARCEL_COUNT, Intent.PARCEL_PROMISE, Intent.PARCEL_PICKUP})
OF_REFUNDS = frozenset(
    {
        Intent.REFUND_PROGRESS,
        Intent.OWN_REFUND_AMOUNT,
        Intent.OWN_REFUND_CHANNEL,
        Intent.OWN_RETURN_NUMBER,
        Intent.OWN_RETURN_FREIGHT,
    }
)
OF_ORDERS = frozenset(
    {
        Intent.ORDER_STATUS,
        Intent.ORDER_DATE,
        Intent.ORDER_PAYMENT,
        Intent.ORDER_TOTAL,
        Intent.ORDER_FREIGHT,
        Intent.ORDER_BALANCE,
        Intent.OWN_INVOICE,
    }
)
TEMPLATED = ABOUT_THE_CUSTOMER | OF_PARCELS | OF_REFUNDS | OF_ORDERS
ACTIONS = frozenset(
    {
        Intent.CANCEL_ORDER,
        Intent.CHANGE_ADDRESS,
        Intent.REQUEST_RETURN,
        Intent.WITHDRAW_RETURN,
        Intent.REQUEST_INVOICE,
        Intent.URGE_DELIVERY,
    }
)
# Mean nothing without what was said before them.
REPLIES = frozenset({Intent.AFFIRM, Intent.DENY})
UNSHARED = frozenset({Intent.PRODUCT, Intent.OTHER, Intent.CHITCHAT, Intent.COMPLAINT, Intent.CRISIS}) | REPLIES


def kind_of(intent: Intent) -> Kind:
    """The kind of answer an intent gets. When in doubt: personal."""
    if intent in ACTIONS:
        return Kind.ACTION
    if intent in TEMPLATED:
        return Kind.TEMPLATED
    return Kind.PERSONAL if intent in UNSHARED else Kind.PUBLIC
