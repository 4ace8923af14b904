"""Signs in a question's form by which it is told whose it is, what it refers to, and which way it points.

All patterns read the canonical form: lower case, simplified, no apostrophes, commas between clauses.
"""

from __future__ import annotations

import re

# Points at something said or shown before: 这个, 那个, it, that one. The shop itself (你们这, 这里), the customer's own
# things (我那个订单) and dates (这周) are no such pointing.
_NOT_POINTING = re.compile(
    r"(?:你们?|您|咱们?|贵店)(?:这|那)(?:里|边|儿|家店?)?|这(?:里|边|儿|家店|家|店|周|个?星期|个?礼拜|个?月|两天|几天)|那边"
    r"|我(?:的|买的)?(?:那|这)(?:一)?[个件单些笔款双条包]?(?=订单|快递|包裹|货|东西|退款|退货|单|件|衣服|鞋|怎么"
    r"|还|到|什么时候|为什么|,)"
    r"|\bthis (?:week|month|year|weekend|shop|store|site|website|app|morning|afternoon|evening)\b"
    r"|\b(?:items?|products?|goods|things?|orders?|something|anything|ones?|true|sure|is there|ones|points?|coupons?) that\b"
    r"|\b(?:return|exchange|swap|refuse|cancel|change|send) it (?:back )?(?:if|after|for another|when|before|once)\b"
    r"|\b(?:after|once|when|before|until|till) (?:it|they) (?:is |was |are |has |have )?(?:been )?"
    r"(?:ship\w*|sent|dispatched|arrives?|delivered)\b"
    r"|\b(?:exchange|swap) it for\b|这种(?=.)|\b(?:just |only )?one (?:of (?:the |my |two |three |several )|thing"
    r"|shipment|item|order|parcel|package|person|product|time|year|day"
    r"|customer|account)"
    r"|\b(?:dont|do not|didnt) (?:like|want|need) (?:it|them)\b|\bbought it\b|\bsend it back\b"
    r"|\b(?:the )?same (?:card|account|time|day|address|parcel|way|person)\b|\bis it (?:real|genuine|a scam|safe)\b"
    r"|\b(?:shipping|dispatch|delivery|payment) will it\b|\bhow long does it take(?= after| from| until)"
    r"|(?<=shipped )how long does it take|\bdoes it say\b|\bhave it (?:delivered|installed|sent|repaired|wrapped)\b"
    r"|\b(?:not|havent|hasnt|didnt) (?:received?|get|got) it\b|\bstay the same\b"
    r"|\bthats all\b|\blike that\b"
    r"|\b(?:how long|how much|how many days|how much time)(?: time)? (?:does|will|would|did|do) it (?:usually "
    r"|normally )?(?:take|cost)(?= .{4})"
    r"|\b(?:an?|any) (?:order|item|parcel|package|product|refund|coupon)s?\b.{0,30}?\b(?:it|they)\b"
    r"|\bis it (?:possible|ok|okay|free|true|safe)(?: if| to| that| for)\b|\b(?:it says|it shows)\b"
)
_POINTING = re.compile(
    r"那|这|它|该(?:订单|商品|包裹)|此(?:订单|商品)|上面|下面的|刚才|刚刚说|前面(?:那|的|说)|前一个|后一个"
    r"|另外?[一那]?[个件单款]|另外的|其[他它余]"
    r"|同上|一样的|第[一二三四五六七八九十0-9]+[个件单款]|最后[一那]?[个件单款]"
    r"|\b(?:it|its|itll|that|thats|this|these|those|them|they|theyre|ones?|same|latter|former)\b"
    r"|\b(?:the )?(?:other|another) (?:one|order|parcel|package)\b"
)
# Begins or ends like the continuation of something.
_CONTINUING = re.compile(
    r"^(?:那|那么|还有|然后|另外|以及|还|再|而且|并且|所以|但是?|可是|不过|如果是?(?=.{0,7}$)|要是(?=.{0,7}$)|换成|改成"
    r"|也)(?!没|不|要"
    r"|想|能|可以|有人)"
    r"|^(?:and|but|or|so|then|also|plus|what about|how about|what of|as for)\b|\b(?:as well|too|instead|then)$"
    r"|也(?:一样|是|行|可以|能|要)?$"
)
# Says nothing of what it is about.
_ELLIPTICAL = re.compile(
    r"^(?:请|大概|一般|需要|那|要|得|还|一共|总共|具体|到底|都|会|我)*"
    r"(?:多久|多长时间|多少天|几天|多少钱?|几块钱?|什么时候|啥时候|几点|几号|哪天|为什么|为啥|凭什么|怎么弄|怎么办"
    r"|怎么操作|怎么说|怎么回事"
    r"|怎么样|如何|谁出|谁付|谁承担|要钱|收费|免费|可以|能|行|行不行|可不可以|能不能|真的|真的假的|确定|确定吗"
    r"|然后|还有|什么|哪里|在哪里?|怎么"
    r"|什么意思|多少|有|有没有|没有了?|要吗|需要|会|会不会|是不是|为何|详细说说?|继续|接着说|再说一遍)"
    r"(?:的|了|吗|呢|啊|呀|可以|能|弄|要|钱|行|说)*$"
    r"|^(?:(?:and|so|but|for|really|by|until) )*(?:how long|how much|how many|how|when|why|why not|where|who|what"
    r"|which|which one|really|can i|can you"
    r"|is that so|for how long|how come|what else|anything else|more|tell me more|go on|how do i|how so"
    r"|do i have to|should i|by when|until when"
    r"|are you sure|for free|who pays|how long does it take|how much is it|how much does it cost|what does it cost"
    r"|is it free|is it possible"
    r"|can i do it|how do i do that)$"
)
_NOTHING_SAID = re.compile(r"^[\W\d_]*$")

_OWN_THING = re.compile(
    r"我的(?!妈|天)|我家|我(?:们)?(?:公司|单位|老婆|老公|妈|爸|同事|邻居)|我这(?!里)|我那|俺的|本人|自己的(?:订单|快递)"
    r"|帮我|(?<![还退赔返])给我|替我|我买的|我下的|我拍的|我寄的|\b(?:my"
    r"|mine|our|for me)\b"
)
_OWN_DEED = re.compile(
    r"我(?:们)?(?:上周|上个月|前几天|前两天|上次|昨天|昨晚|前天|今天|今早|刚才?|刚刚|之前|已经|早就|在你们?(?:家|店)?|都)*"
    r"(?:买|下单?|拍|订购?|付款?|支付|退|寄|申请|收到|签收|领|充|换|取消|投诉|咨询|等)了?(?:的|了|两|三|一|几|好几|多|错)"
    r"|我(?:还)?没(?:有)?(?:收到|拿到|看到|领到)|我怎么还|我什么时候能?(?:收|拿)到|我(?:现在)?(?:是|有)(?:什么"
    r"|多少|几|哪|没有)"
    r"|(?:昨天|前天|上周|上次)(?:买|下|拍|付|退|换|申请|收|签收|到|发)"
    r"|\b(?:(?:did|have) i (?:already |ever )?(?:pay|paid|order|ordered|buy|place|placed|spend)|(?:do"
    r"|did) i (?:still )?owe|do i (?:still )?have(?! to| in mind| the right))\b"
    r"|\bi (?:have |had |ve |just |already |also |recently )*(?:bought|ordered|paid|placed|received|returned|sent"
    r"|was|got|purchased"
    r"|requested|applied|cancelled|canceled|havent|have not|didnt|did not|been|am|never|shipped|chose|submitted"
    r"|entered)\b|\bive\b"
)
# "How do I cancel my order" asks for a rule although it says "my".
_HOW_EN = re.compile(
    r"^(?:how (?:do|can|could|would|to|should|must|long|much|many|is|are|does)\b|do i (?:get|lose|keep)|are|does an?"
    r"|is an?|do refunds?"
    r"|if i (?:dont|do|cancel|return|change)|will i (?:get|lose)"
    r"|what do i get|why (?:does|do)|(?:can|could|may|am i able to|is it possible to|what if"
    r"|what happens|what do i|what should i"
    r"|where (?:do|can|should) i|do i (?:have|need) to|when do i)\b)|what (?:should|can|do|must) i do$|\bif my\b"
)
_GENERIC_MY = re.compile(
    r"\bmy (?:orders?|returns?|privacy|(?:personal )?(?:data|information)|account|phone number|address"
    r"|delivery address|shipping address|payment|parcels?|packages?|items?|purchases?|money"
    r"|coupons?|points|password|reviews?|birthday|first order|size|membership(?: level)?|tier|deposit|card|number|mind"
    r"|old number|pickup code|company|account details|name|email|refund request|return request)\b"
)
_BOUGHT_THING = re.compile(
    r"\b(?:things?|items?|something|orders?|one|what) (?:that )?i (?:have |ve )?(?:just )?(?:bought|ordered|purchased"
    r"|placed)\b"
)
# Whose it is changes nothing.
_IDIOMATIC_MY = re.compile(
    r"\bmy (?:mind|card|wallet|company|company name|home|house|door|size|husband|wife|friends?|city"
    r"|country|feet|privacy)\b"
    r"|\b(?:for|to) our (?:staff|company|team)\b"
)
_ASKS_WHAT_TO_DO = re.compile(
    r"怎么办|怎么处理|怎么赔|(?:怎么|咋)回事$|咋办|如何处理|what (?:should|can|do|must) i do$|what (?:if|happens)\b"
)

# Something that happened and is complained of, or asked the reason of: no rule answers it.
_EVENT = re.compile(
    r"为什么|为啥|凭什么|怎么回事|怎么(?:还|又|这么|都|没|不|会|少|多|只|变)|一直(?:没|不)|还(?:没|不)(?!可以"
    r"|发货(?:的话|能|可以|,))"
    r"|到现在|可是|(?:收|扣|付|退|发)了我?[两三四几多一0-9]*(?:次|遍|笔|块|元)"
    r"|多(?:收|扣|付)|少(?:退|给|了[一两几0-9])|扣了|没给我|说好的|骗|泄露了|(?:金额|数目|数量|价格)(?:不对|错)"
    r"|少退|算错|(?<!不)(?<!降价)了$|没有?(?:抵扣|生效|成功|返|取消|到账|用上|减)|退错|明明|居然|竟然"
    r"|\b(?:why(?! (?:does|do|is|are) (?:an?|the|any|some|coupons?|points) )|twice|double charged|charged me"
    r"|overcharged|still (?:not|no|havent|hasnt|waiting)|how come"
    r"|you (?:said|told|promised))\b"
)
_WHY = re.compile(r"为什么|为啥|怎么(?=会)|\bwhy\b")
_REQUEST = re.compile(
    r"^(?:leave|add|put|call|send|give|make|remove|renew|check|update|fix|undo|combine|hold|keep) "
    r"|^(?:请|帮忙|麻烦)?(?:把|放到?|放在|通知|催|备注|加一?[个件]|送到|打电话)(?!.*(?:多久|几|能|可以|怎么|谁|什么))"
)
# The question's verb is turned round: 不想退货, "can I not pay". Conditions (不想要了能退吗, what if I don't pay) are not.
_REVERSED = re.compile(
    r"(?<![能可会要退换])(?:不想|不要|不用|不打算|不需要|不愿意?|不准备|不(?!支持|能|可)|别|先别|无需|取消不了"
    r"|没法|没办法)再?(?:给我|帮我|让我|申请|走)?"
    r"(?:退货|退款|退(?!换)|换货|换|取消|付款|付钱|付|支付|改地址|改|发货|发|寄|开发票|要发票|转人工|送)(?!不)"
    r"|\b(?:dont|do not|didnt|did not|not|never|wont|will not|without|no longer|instead of|rather than|stop|cant"
    r"|cannot|unable to)"
    r" (?:(?!like\b|need it\b|if\b)\w+ ){0,3}?"
    r"(?:return|returning|refund|refunding|exchange|exchanging|cancel|cancelling|canceling|pay|paying|ship"
    r"|shipping|change|changing|transfer|talk)\b"
)
_CONDITION = re.compile(
    r"(?:如果|要是|万一|多久|没付?|逾期|超时|超过).{0,6}(?:不|没)(?:付|退|发|换|取消)|(?:what )?(?:if|happens if"
    r"|happens when) i (?:dont"
    r"|do not|never)\b"
)
# Names particulars that a rule for everyone does not know.
_ELIGIBILITY = re.compile(
    r"(?:能|可以|可不可以|能不能|还能|支持)(?:不能|无理由|七天|7天)*(?:退|换|取消|改|开|用|送|发|保)|包邮|保修"
    r"|^(?:can|could|may|is|are|do|does|will) "
)
_COMPLAIN = re.compile(r"(?:我?要|想)投诉|\b(?:want|like|need) to (?:make|file|lodge) .{0,12}complaint\b|\bformal complaint\b")
_WHETHER_DONE = re.compile(
    r"了(?:没有?|吗|么)?$|没有?$|到账|进度|下来|还没|多少"
    r"|\b(?:did|was|were|been|yet|already|status|how much|when will|(?:has|have) (?:my|you))\b"
)
_GENERIC = re.compile(
    r"一般|通常|正常|规[则定]|政策|每次|所有|普通|\b(?:usually|normally|generally|typically|in general|policy|rules?"
    r"|an order|orders)\b"
)
_SHOP = re.compile(
    r"订单|退|换货|运费|邮费|快递|物流|包裹|发货|优惠|券|积分|会员|价|钱|买|卖|店|你们|商品|产品|货|付款|支付|发票"
    r"|保修|质保|售后|客服|地址|下单|评价|尺码|尺寸"
    r"|\b(?:orders?|refunds?|returns?|exchange|ship\w*|deliver\w*|parcels?|packages?|coupons?|points|member\w*"
    r"|prices?|cost|buy|bought|sell|stores?|shop|products?"
    r"|items?|stock|pay\w*|invoice|warranty|address|account|discounts?|sale|size|track\w*|you (?:guys )?(?:have"
    r"|offer|accept|sell))\b"
)


def points_back(form: str) -> bool:
    """It refers to something outside itself."""
    return bool(_POINTING.search(_NOT_POINTING.sub(" ", form)))


def is_fragment(form: str) -> bool:
    """It continues something, or says nothing of what it is about."""
    return bool(_CONTINUING.search(form) or _ELLIPTICAL.match(form) or _NOTHING_SAID.match(form))


def is_own(form: str) -> bool:
    """It is about this customer's own things, or about what they did; a case that asks what is done then is not."""
    form = _IDIOMATIC_MY.sub(" ", form)
    if _HOW_EN.search(form):
        form = _GENERIC_MY.sub(" ", _BOUGHT_THING.sub(" ", form))
    return bool(_OWN_THING.search(form) or (_OWN_DEED.search(form) and not asks_what_to_do(form)))


def asks_what_to_do(form: str) -> bool:
    """It describes a case and asks what is done then: 收到的东西坏了怎么办."""
    return bool(_ASKS_WHAT_TO_DO.search(form))


def is_event(form: str) -> bool:
    """It complains of something that happened, or asks its reason."""
    return bool(_EVENT.search(form))


def without_why(form: str) -> str:
    """The form as if it asked no reason: 为什么支付失败 may be about payments that fail."""
    return _WHY.sub(" ", form)


def is_request(form: str) -> bool:
    """It tells what to do, where a rule would be asked for."""
    return bool(_REQUEST.search(form))


def is_reversed(form: str) -> bool:
    """What it is about is refused, not asked for."""
    return bool(_REVERSED.search(form) and not _CONDITION.search(form))


def wants_to_complain(form: str) -> bool:
    """It says that a complaint is to be made, where others only show anger."""
    return bool(_COMPLAIN.search(form))


def asks_whether_done(form: str) -> bool:
    """It asks how far something is that was begun: 到账了吗, "has my claim been paid"."""
    return bool(_WHETHER_DONE.search(form))


def is_generic(form: str) -> bool:
    """It says itself that it asks for the rule."""
    return bool(_GENERIC.search(form))


def asks_of_this_one(form: str) -> bool:
    """With an order or a product attached, it asks whether the rule holds for that one."""
    return bool(_ELIGIBILITY.search(form))


def speaks_of_the_shop(form: str) -> bool:
    """It names something that only the shop can answer for."""
    return bool(_SHOP.search(form))
