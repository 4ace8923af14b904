"""Questions about the customer's own orders, parcels, refunds and tier, and what they want done.

All patterns read the canonical form: lower case, simplified, no apostrophes, commas between clauses.
"""

from __future__ import annotations

from serve_app.domain.intents import Intent
from serve_app.domain.understanding.rules import first_match, rule

_THING = "(?:快递|包裹|物流|货|货物|东西|宝贝|商品|订单|单子|件|衣服|鞋子?)"
_MINE = "(?:我的|我买的|我拍的|我订的|我下的|我那个|我这个|我那|我这|我昨天买的|我)?"
_THING_EN = "(?:orders?|parcels?|packages?|shipments?|delivery|deliveries|stuff|items?|purchase|goods)"
_MY_THING_EN = rf"(?:my|the) (?:\w+ ){{0,2}}?{_THING_EN}"
_SPECIAL_EN = (
    r"\b(?:refunds?|returns?|exchanges?|cancel|cancelled|invoice|coupons?|if|says delivered|marked|lost|damaged"
    r"|broken|wrong|charged|missing|usually"
    r"|normally|typically|in general|address|review|warranty|faulty|policy|how do i|how can i|how to|proof|gift)\b"
)

OWN_THINGS = (
    rule(
        Intent.REFUND_PROGRESS,
        r"我的?(?:退款|退的钱|钱|退货款|退货|换货|售后|维修|补发|返修|退换货).{0,6}(?:到哪|进度|进展|怎么样|处理"
        r"|状态|审核|情况|还没|还不|没到|没退|下来|批|通过|到账|到了|退了"
        r"|收到了|什么时候|多久|几时|啥时候|好了)",
        r"(?:退款|退货|换货|售后|维修|返修|补发)(?:的)?(?:申请|单|订单)?(?:的)?(?:进度|进展|状态|审核(?:通过|好"
        r"|完)?了?没?|处理(?:得|到|好|完|了)|到哪一?步|到哪了"
        r"|怎么样了|下来了|通过了|批了|什么情况|办好了)",
        r"(?:退款|钱)(?:怎么|为什么|为啥|咋)?(?:还|一直)(?:没|不|未)(?:有)?(?:到|退|收到|返|给)",
        r"(?:什么时候|啥时候|多久|几时|何时)(?:能|可以|会|才)*(?:退给我|给我退|退我钱|退我的?钱|把钱退给?我)",
        r"(?:查|看|查询)(?:一下|下)?(?:我的)?(?:退款|退货|售后|换货|维修)(?:进度|情况|状态|单)?$|^我的?(?:退款"
        r"|售后|退货|换货)$",
        r"^my (?:refund|return|exchange|repair|replacement)$",
        r"(?:退款|退货)(?:到账|退|成功|完成|签收|收到)了?(?:没有?|没)$|^(?:退款|钱)(?:到账|退|退回来?)了$"
        r"|你们收到我?(?:退|寄)(?:回|的)",
        r"^(?:我的?)?(?:退款|退货|换货|维修|售后|补发)(?:申请)?(?:结果|进度)?(?:出来|下来|批|通过|弄好|修好"
        r"|换好)了?(?:没有?|吗|没)?$"
        r"|\b(?:by )?when (?:will|is) (?:the|my) (?:repair|refund|exchange|replacement)\b(?! usually)",
        r"\b(?:wheres?|where is|where are) (?:\w+ )?my (?:refund|money|exchange|replacement|repair)\b",
        r"\b(?:status|progress|update)s? (?:of|on|for|about) (?:my|the) (?:refund|return|exchange|repair|claim"
        r"|replacement|warranty)",
        r"\b(?:refund|return|exchange|repair|claim|replacement) (?:status|progress|update)\b",
        r"\bwhen (?:will|do|can|should|am) i (?:\w+ )?(?:get|getting|receive|see|have) (?:my|the) (?:refund|money"
        r"|exchange|replacement)",
        r"\bwhen (?:will|is|does) my (?:refund|money|exchange|replacement|repair)\b|\b(?:has|did|is"
        r"|was) my (?:refund|return|exchange|repair|replacement)\b",
        r"\bhow (?:long|much longer) (?:will|until|till|for|does|before) .{0,14}my (?:refund|money|exchange"
        r"|replacement|repair)\b",
        r"\bwaiting (?:for|on) (?:my |the |a )?(?:refund|money|exchange|replacement)|\b(?:havent|have not|not"
        r"|didnt) (?:yet )?(?:received|gotten|got|get|receive|been)(?: back)?(?: yet)? ?(?:my |the |a )?(?:refund"
        r"|money|refunded)"
        r"|\b(?:track|check|look up|see) my (?:refund|return|exchange)$|\bmy (?:refund|money) (?:hasnt|has not"
        r"|still hasnt|isnt|is not|still not|didnt)\b"
        r"|\b(?:did|have) you (?:get|got|receive|received) (?:my return|the (?:item|parcel|package"
        r"|goods) i (?:sent|returned))",
        unless=(
            r"(?:怎么|如何)(?:查|看|申请|操作)|怎么办|少了|多退|部分|金额|不对|\b(?:how (?:do|can) i|policy"
            r"|usually|amount|less|partial"
            r"|wrong)\b|订单(?:状态|进度)"
        ),
    ),
    rule(
        Intent.TIER,
        r"我(?:的|现在)?(?:是|现在是|属于|算)?(?:什么|啥|哪个|哪种|几级|多少级|几星)(?:等级|级别)?(?:的)?(?:会员"
        r"|等级|vip)|我(?:的)?(?:会员)?(?:等级|级别"
        r"|vip)(?:是|到|多少|几|$|什么|还)|我(?:的)?会员(?:是|$|什么时候(?:到期|过期)|到期|几级|还有)"
        r"|我(?:现在)?(?:是|算)(?:不是)?(?:银卡|金卡|白金|黄金|铂金|vip|会员|普通会员|铜牌|青铜)",
        r"我(?:的)?(?:账户|账号|卡里|名下)?(?:还|现在|一共|总共|目前)*(?:有|剩)(?:多少|几|什么|哪些|没有)?(?:张|个"
        r"|可用的|能用的|可用)?(?:积分|优惠券|优惠卷|券|红包"
        r"|卡券)(?!怎么|为什么|用不)"
        r"|(?:我的|我)(?:可用)?(?:积分|优惠券|优惠卷|券)(?:还)?(?:有|剩|是)?(?:多少|几|哪些|什么|余额|明细|$)"
        r"|^(?:查|看|查询|查看)(?:一下"
        r"|下)?(?:我的)?(?:积分|优惠券|会员等级|会员|等级)(?:余额)?$",
        r"\b(?:what|which|whats)(?: is| s)? (?:my|is my) (?:current )?(?:membership|member|tier|level|vip|points"
        r"|loyalty)|\bwhat (?:membership |member )?(?:tier|level) am i\b"
        r"|^(?:show |check |see |view )?(?:me )?my (?:points|coupons?|tier|membership|membership (?:level|tier"
        r"|status)|member (?:level|tier|status)|vouchers?|points balance|loyalty (?:points|tier|level))$"
        r"|\bhow many (?:\w+ )?(?:points|coupons?|vouchers?) (?:do i have|have i|are in my|are left in my)"
        r"|\bdo i (?:still )?have (?:any )?(?:\w+ )?(?:coupons?|points|vouchers?)(?: left)?$"
        r"|\bam i (?:a |an )?(?:gold|silver|platinum|bronze|vip|member)|\bwhen (?:does|will|do) my (?:tier"
        r"|membership|membership (?:level|tier)|coupons?) (?:expire|end|run out)|\bmy points balance\b"
        r"|\bbalance of my points\b",
        unless=r"怎么|为什么|为啥|用不了|不能用|没到|少了|扣|降|掉|升|差多少|(?:能|可以)(?:抵|换)|(?<!张)(?<!券)(?:能|可以)用|积分.{0,6}(?:[到过]期|清[零空]|失效)|权益|好处|折扣|生日"
        r"|\b(?:how (?:do|can|to)|why|missing|lost|didnt|not working|upgrade|next|benefits?|worth|use|drop|downgrad\w+)\b",
    ),
    # Asked how to track it, we show where it is.
    rule(
        Intent.PARCEL,
        r"^(?:怎么|如何|在?哪里?|去哪|从哪)(?:能|可以)?(?:查|看|查询|查看|追踪)(?:到)?(?:我的)?(?:快递|物流"
        r"|包裹)(?:信息|进度)?$|^(?:东西|快递|包裹|货)?到(?:货)?了(?:没有?)?$",
        r"^(?:how|where) (?:do|can|to|could)(?: i)? (?:track|trace|check|follow) (?:on )?(?:my|an|the) (?:order"
        r"|parcel|package|shipment)$|^track(?:ing)?$",
    ),
    rule(
        Intent.PARCEL,
        r"^(?:查|看|查询)?(?:一?下)?(?:我的)?(?:这个|那个)?订单[ ,]?的?(?:物流|快递|包裹)(?:信息|进度|状态|情况)?$",
        rf"(?:{_THING}?(?:现在|目前|都)?(?:运|送|走|发|寄)?到|{_THING}(?:现在|目前|都)?在)"
        r"(?:哪|那)(?:里|儿|一站|个城市|个地方)?(?:了|啦)?$",
        rf"{_MINE}{_THING}(?:现在|目前|到底|又)?(?:在|到)?(?:哪|哪儿|哪里)(?:了|啦)?$",
        rf"^(?:请)?(?:{_MINE}{_THING}|我)(?:大概|预计|到底)?(?:什么时候|啥时候|几时|几号|哪天|何时|多久|几天|今天"
        rf"|明天|后天|周[一二三四五六日天])(?:才|能|可以|会"
        rf"|不)*(?:到|送到|送达|收到|拿到|派送|送来|送|收)(?:货|货物|快递)?(?:了)?$",
        r"^(?:大概|预计|到底)?(?:什么时候|啥时候|几时|几号|哪天|何时)(?:才|能|可以|会)*(?:到|送到|送达|收到|送来"
        r"|派送)(?:货|我手里|我这)?$|^(?:今天|明天|后天)(?:能"
        r"|会|可以)(?:不能)?(?:到|送到|收到|派送)(?:货)?$",
        rf"(?:怎么|为什么|为啥|咋)?(?:还|一直)(?:没|不|未)(?:有)?(?:到货?|收到(?:{_THING})?|送到?|派送|给我送)(?:呢|啊|了)?$"
        rf"|^{_MINE}没(?:有)?收到(?:货|快递|包裹|东西)$|^(?:我)?(?:的)?(?:快递|包裹|货)(?:还)?没到$",
        r"(?:取件码|取货码|提货码|取件号)(?:是|是多少|多少|呢|在哪|发我|给我|发我一?下)*$|^(?:查|看|查询|查看|追踪"
        r"|帮我查|帮我看)(?:一下|下|看|查)?(?:我的|我)?(?:快递"
        r"|物流|包裹)(?:信息|进度|状态|单号|到哪了?|情况)?$"
        r"|^我?(?:的)?(?:物流|快递|包裹)(?:信息|状态|进度|动态|单号|单号是多少|情况)?$|(?:我的|我)(?:快递|物流"
        r"|包裹)(?:的)?(?:单号|信息|状态|进度|怎么样了)|(?:快递"
        r"|包裹)(?:派送|签收|揽收|发出来?)了(?:没有?)?$",
        rf"\bwhere(?:s| is| are| s)? (?:(?:on earth|the hell|exactly) )?(?:is |are )?{_MY_THING_EN}\b"
        rf"|\bwheres? (?:my|the) .{{0,20}}(?:order|parcel|package)\b|^where my (?:order|parcel|package|stuff)",
        rf"^(?:(?:i want to|i need to|i would like to|can you|could you|help me) )?(?:track|trace|locate"
        rf"|find) {_MY_THING_EN}$|^(?:track(?:ing)?|parcel|package|delivery) (?:status|info|update)$|\b(?:track"
        rf"|tracking) (?:my )?(?:order|parcel|package)$",
        rf"\bwhen (?:will|is|does|should|would|can|do|are) (?:i (?:get|receive|expect"
        rf"|have) )?{_MY_THING_EN}(?: (?:to )?(?:arrive|arriving|come|coming|get here|getting here|be delivered"
        rf"|be here|delivered|due|reach me|show up|expected|going to arrive|supposed to arrive))?(?: here)?$",
        rf"\b(?:has|have|did|is|are|was|will) {_MY_THING_EN} (?:\w+ )?(?:arrived?|arriving|come|coming|delivered"
        rf"|been delivered|be delivered|here|late|delayed|be here|out for delivery|on (?:its|the) way|get here"
        rf"|in transit)(?: yet| today| tomorrow| this week)?$",
        rf"\b{_MY_THING_EN} (?:hasnt|has not|havent|still hasnt|didnt|did not|isnt|is not"
        rf"|never)(?: yet)? (?:\w+ )?(?:arrived?|come|been delivered|shown up|show up|here|delivered)(?: yet)?$"
        rf"|\bi? ?(?:still )?(?:havent|have not|didnt|did not|not|never)(?: yet)? (?:received|gotten|got|receive"
        rf"|get) (?:my|the|any) ?(?:\w+ )?{_THING_EN}(?: yet)?$|\b(?:still )?waiting (?:for"
        rf"|on) my (?:\w+ )?{_THING_EN}(?: to arrive| to come)?$",
        r"\b(?:status|location|eta) (?:of|for|on) my (?:parcel|package|shipment|delivery)\b|\bmy (?:parcel|package"
        r"|shipment|delivery|tracking) (?:status|location|eta|info|number)\b|\b(?:my|the) (?:pickup"
        r"|collection) code$|^pickup code$|\bwhats? (?:is )?(?:my|the) (?:pickup|collection) code\b"
        r"|\bany news (?:on|about|of) my (?:order|parcel|package|delivery)\b",
        unless=(
            rf"退|换|丢|破|坏|如果|要是|怎么办|一般|通常|正常|下单|拍下|付款|发货后|签收后|显示|发到|寄到|短信"
            rf"|验证码|积分|券|发票|钱|申请|补发|赔|优惠|能不能发|地址|怎么用"
            # Without its code, one is told what to do.
            rf"|(?:没有?(?:收到|拿到|看到|给我?|发)|找不[到着]).{{0,4}}取[件货提]"
            rf"|\b(?:find|forgot|deleted"
            rf"|(?:didnt|did not|never|havent|have not|not) (?:\w+ )?(?:get|got|gotten|received?))\b.*\bcode\b"
            rf"|{_SPECIAL_EN}"
        ),
    ),
    rule(
        Intent.ORDER_STATUS,
        r"(?:我的|我|这|查)?订单(?:现在|目前|到底)?(?:是)?(?:什么|啥)?(?:状态|情况|进度|进展|进行到哪|怎么样了"
        r"|处理得?怎么样)|^(?:我想|我要|想|帮我|我)?(?:查|看|查询|查看)(?:一下"
        r"|下|查)?(?:我的|我)?(?:那个)?(?:订单|单子)(?:状态|情况|进度|信息)?$"
        r"|^我?(?:的|那个|这个)?(?:订单|单子)$|^我(?:有|下了|买了|拍了)(?:哪些|几个|什么|多少)?(?:订单|单|东西|商品)$",
        rf"{_MINE}(?:{_THING})?(?:给我)?(?:发货|发出|发|寄出|出库|配货|打包)了(?:没有?|没)?$|(?:怎么|为什么|为啥"
        rf"|咋)?(?:还|一直|迟迟)(?:没|不"
        rf"|未)(?:有)?(?:给我)?(?:发货?|寄出|发出|出库)(?:呢|啊|了)?$"
        r"|^(?:我的|我买的|我拍的|我下的|我那个|我的订单|订单|我的货|我买的东西|我昨天买的|我的东西)(?:到底"
        r"|大概)?(?:什么时候|啥时候|几时|何时|多久|哪天|今天|明天)(?:才|能|可以"
        r"|会)*(?:给我)?(?:发货?|寄出|发出|出库)$"
        r"|(?:我的|我)(?:订单|单子|钱|款)?(?:付款|支付|付|下单|买)成功了(?:没有?|没)?$|^(?:订单|我的订单)(?:付款"
        r"|支付|下单|提交)成功了?(?:没有?|没)?$",
        r"\border (?:status|progress|update)\b|\b(?:status|progress) (?:of|on|for) (?:my|the) (?:\w+ )?order"
        r"|\b(?:check|look up|see|view|show|check on|show me)(?: me)? my (?:\w+ )?orders?$|^my (?:\w+ )?orders?$"
        r"|\b(?:has|have|did|is|was|are) my (?:\w+ )?(?:orders?|items?|stuff|things) (?:been |already |get "
        r"|getting )?(?:ship(?:ped)?|sent|dispatched|confirmed|paid|processed|ready|go through|gone through|packed"
        r"|placed|being processed|sent out)(?: out)?(?: yet)?$"
        r"|\b(?:did|have) you (?:already )?(?:ship|shipped|send|sent|dispatch"
        r"|dispatched)(?: out)? my (?:\w+ )?(?:orders?|items?|stuff)(?: yet| out)?$|\bwhen (?:will|is|are"
        r"|does) (?:my (?:\w+ )?(?:order|item|stuff)|you) (?:going to |be |being |get )?(?:ship|shipped|sent"
        r"|dispatched|leave|sent out|shipping|ship my (?:order|item|stuff))$"
        r"|\bmy (?:\w+ )?(?:order|item) (?:hasnt|has not|still hasnt|isnt|is not) (?:been )?(?:shipped|sent"
        r"|dispatched|confirmed)(?: yet)?$|\bwhats? (?:is )?(?:happening|going on|up) with my order\b"
        r"|\bany (?:update|news) (?:on|about) my order\b|\b(?:update|news) on my order\b"
        r"|\bdid my (?:payment|order) go through\b",
        unless=rf"退|换|取消|一般|通常|正常|下单后|怎么办|发票|地址|(?:怎么|如何)(?:查|看)|券|赠品|积分|{_SPECIAL_EN}",
    ),
)

ACTING = (
    rule(
        Intent.WITHDRAW_RETURN,
        r"(?:帮我|给我|替我|我要|我想|请|麻烦你?|把)(?:把)?.{0,8}(?:撤销|撤回|撤了|取消)(?:一下|掉)?(?:我的)?.{0,4}(?:退货|退款|换货|售后|维修|申请)"
        r"|(?:帮我|给我|我要|我想|请|把)(?:把)?(?:我的)?.{0,4}(?:退货|退款|换货|售后|维修)(?:的)?(?:申请)?(?:撤销|撤回|撤了|取消)",
        r"^(?:(?:can|could|would|will) you |i want to |i need to |i would like to |id like to |help me (?:to )?|just |please )?"
        r"(?:cancel|withdraw|stop|undo) (?:my|the|this|that) (?:\w+ ){0,2}?(?:return|refund|exchange|repair|claim)\b",
        unless=r"怎么|如何|多久|能不能|可以吗|能(?:取消|撤)|被|^(?:how|can i|what|will)\b",
    ),
    rule(
        Intent.REQUEST_INVOICE,
        r"(?:帮我|给我|替我|我要|我想|请|麻烦你?)(?:把)?(?:再|重新)?(?:补|重)?(?:开|发|寄)(?:一?下|一?[张份个]).{0,10}(?:发票|专票)(?:给我|发我)?$"
        r"|(?:帮我|给我|替我|请|麻烦你?)(?:再|重新)?(?:补|重)?开(?:具)?.{0,10}发票$"
        r"|^把?.{0,8}发票(?:再)?(?:发|寄|开)(?:一下)?(?:给我|我)(?:一下)?$",
        r"^(?:(?:can|could|would|will) you |i want you to |i need you to |help me (?:to )?)?"
        r"(?:send|resend|email|issue|reissue|forward) (?:me |us )?(?:my|the|an|a) (?:\w+ ){0,2}?(?:invoice|receipt)\b",
        unless=r"怎么|如何|多久|可以吗|抬头|税号|错|改|不要|^(?:how|can i|do you|when)\b",
    ),
    rule(
        Intent.URGE_DELIVERY,
        r"(?:帮我?|给我|替我|麻烦你?|请|能不能|可以)(?:帮我?)?(?:去)?(?:再)?催(?!.{0,6}(?:怎么|有用))|^催(?:一下|下|个)?(?:单|发货|快递|件|物流)?$"
        r"|(?:快点|赶紧|尽快|马上|抓紧|早点)(?:给我)?(?:发货|发出|送|派送|退款?|处理)$",
        r"^(?:(?:can|could|would|will) you |i want you to |i need you to )?(?:hurry up|speed up|chase|rush|expedite)\b",
        unless=r"怎么|如何|有用|多久|^(?:how|what)\b|吗$",
    ),
    rule(
        Intent.CANCEL_ORDER,
        r"(?:帮我|给我|替我|我要|我想|想要?|要|请|麻烦你?|需要|把|可以帮我|能帮我"
        r"|能不能帮我)(?:把)?(?:我的?)?(?:那个|这个|这|那)?.{0,6}取消|^取消(?:一下)?(?:我的"
        r"|我|这个|这|那个)?(?:订单|单|交易|购买)?(?:zw\d+|\d{10,20}|尾号\d{4}的?(?:订单)?)?$|订单(?:zw\d+"
        r"|\d{10,20})?(?:我)?(?:不要了"
        r"|不想要了|取消了?|取消掉)$|^我不(?:想)?要了,?(?:取消|帮我取消)",
        r"^(?:(?:can|could|would|will) you |i want (?:to |you to )?|i wanna |i need (?:to |you to )?"
        r"|i would like to |id like to |help me (?:to )?|lets |just )?cancel (?:my|the|this|that|it|order|zw)",
        unless=(
            r"怎么|如何|流程|政策|规则|多久|会不会|退款吗|手续费|^(?:how|can i|is it)|已经取消|取消了(?:两|一)"
            r"|(?<!帮我)(?:能|可以|能不能|可不可以|还能)取消(?:掉|订单)?(?:不|吗|么)?$|售后|申请|来得及"
            r"|取消后|退货|退款|预约|账号|会员|\bsubscription"
            r"|\baccount|membership"
        ),
    ),
    rule(
        Intent.CHANGE_ADDRESS,
        r"(?:帮我|给我|替我|我要|我想|想要?|请|麻烦你?|需要|能帮我|可以帮我|能不能帮我)(?:把)?.{0,8}(?:改|换|修改"
        r"|更改|变更).{0,6}(?:地址|收货人|收件人|电话|手机号"
        r"|收货信息)|(?:帮我|给我|我要|我想|能帮我)(?:把)?.{0,6}(?:地址|收货人|电话|收货信息).{0,4}(?:改|换|修改"
        r"|更改)|^(?:改|修改|更改|换|变更)(?:一下|下"
        r"|个)?(?:我的)?(?:收货|配送)?(?:地址|收货人|收货信息)$"
        r"|地址(?:写|填|选)错了.{0,3}(?:帮我|改一?下)|把?(?:收货)?地址(?:改|换)(?:成|到|为)",
        r"^(?:(?:can|could|would|will) you |i want to |i wanna |i need to |i would like to |id like to "
        r"|help me (?:to )?)?(?:change|update|correct|edit|modify) (?:my|the) (?:delivery |shipping "
        r"|order )?(?:address|recipient|phone number)|\b(?:send|ship|deliver) (?:it|my order|the order) to (?:a "
        r"|another |a different |my )(?:different |other |new )?(?:address|place)",
        unless=r"怎么|如何|还能|可以改|能改|能不能改|可不可以|多久|流程|来得及|^(?:how|can i|is it)|邮箱|密码",
    ),
    rule(
        Intent.REQUEST_RETURN,
        r"^给我退(?:款|钱|货|了)(?!.*[吗多])|^(?:那|你好)?(?:帮我|给我|我要|我想要?|我需要|我得|要|想|请帮我|请给我|我还是|麻烦给我"
        r"|我决定)(?!.{0,2}[查看])(?:申请"
        r"|办理?|把)?(?:一下|下)?(?:这个|那个|这件|那件|我的|这单|整单"
        r"|.{0,6}的?)?(?:退货退款|退货|退款|退换货|换货|退了|退掉|退|换)(?:一下|下|掉|了)?(?:zw\d+|\d{10,20})?$"
        r"|^(?:申请|办理)(?:退货|退款|退货退款|换货"
        r"|售后)$|^(?:退货|退款)申请$|^(?:zw\d+|订单zw\d+|\d{10,20}|尾号\d{4}的?(?:订单)?)(?:我)?(?:要|想)?(?:退货|退款|退)$",
        r"^(?:(?:can|could|would|will) you (?:help me )?|i want (?:to |a )?|i wanna |i need (?:to |a )?"
        r"|i would like (?:to |a )?|id like (?:to |a )?|help me (?:to )?|please |lets )(?:return|refund|exchange"
        r"|send back|start a return|request a (?:return|refund)|get a refund|swap)(?: (?:my|the|this|that|an?|it"
        r"|these|those|order|zw|for|me|both|one).{0,30})?$|^(?:return|refund) (?:my|this|order|zw)",
        unless=r"怎么|如何|流程|政策|多久|运费|邮费|谁|可以吗|能退|能换|what|how|who|cost|fee|free|为什么|没",
    ),
)


def own_thing(form: str) -> Intent | None:
    """What of the customer's own is asked for, or is to be done, as whole wordings tell it."""
    return first_match(OWN_THINGS, form) or first_match(ACTING, form)
