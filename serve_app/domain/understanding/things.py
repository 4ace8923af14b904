"""The things that a question names. A thing that a topic does not know excludes the topic.

All patterns read the canonical form: lower case, simplified, no apostrophes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple


class Words(NamedTuple):
    """Chinese is found anywhere, English at a word's beginning. They stand apart because most questions need only one."""

    chinese: re.Pattern[str]
    english: re.Pattern[str]


def words_of(chinese: str, english: str) -> Words:
    return Words(re.compile(chinese), re.compile(rf"\b(?:{english})", re.ASCII))


THINGS: Mapping[str, Words] = {
    "return": words_of(
        r"退货|退换|退件|无理由|寄回|退回去|退掉|(?<![价差])退(?!款|钱|的钱|差|税|出|订|全款|到|回|多少|换|货|件|掉|优惠|额"
        r"|给)|退给我?们|不给退|退不退货",
        r"return(?:able|s|ed|ing)?\b(?! shipping insurance)|sen[dt](?:ing)? \w+ back|send something back"
        r"|send back(?! (?:the |my )?money)|take back"
        r"|no[ -]reason|give it back",
    ),
    "refund": words_of(
        r"退款|退钱|退的钱|退全款|退.{0,2}多少钱?|钱.{0,8}(?:退|返回|到账)|退回来|退到|退额|退给谁|返款|打款",
        r"refund(?:s|ed|d|ing|es)?\b|refundable|money back|money .{0,12}back|reimburse(?:s|ed|d|ing|es)?\b"
        r"|get .{0,14}\bback\b",
    ),
    "exchange": words_of(
        r"换货|退换|换.{0,4}(?:[大小]一?[码号点]|大的|小的)|(?:能|可以|怎么|想|要|期)换(?!绑|号|手机|个?(?:收货)?地址"
        r"|账|个账|开|个?快递"
        r"|个?别的快递|成|$|吗|什么)|合适.{0,3}换|不对.{0,3}换|换[一个]*(?:尺?码|颜色|别的款)|换.{0,2}(?:小|大)的|换一个尺",
        r"exchang(?:s|ed|d|ing|es)?\b|exchanges?\b|swap(?:s|ed|d|ing|es)?\b|swapping|(?:another|different) (?:colou?r"
        r"|size) instead|change the (?:size|colou?r)(?: of an item)?$|change to another colou?r",
    ),
    "opened": words_of(
        r"拆(?!单|成|发|开发)开?了?封?|开封|打开|试[穿用戴过了]|试了|穿过|用过|用了一次|(?<!货)用掉(?!的优惠|的券)"
        r"|用了(?=可以退|还|能)|洗过|水洗|激活|吊牌|包装盒|塑封|外包装(?=扔)|包装坏了(?=能退)",
        r"opened|opening (?:it|the)|tried\b|try on|worn|used (?:items|it|the free|something)|washed|seal\b"
        r"|without (?:the )?(?:tags?|original box)|tags\b|original box",
    ),
    "fault": words_of(
        r"质量|坏的|瑕疵|次品|残次|缺陷|毛病|故障|有问题|裂纹|起球|掉色|开线",
        r"faulty|defect(?:s|ive)?\b|quality|that does not work|poor(?:ly)?\b|fault\b",
    ),
    "gift": words_of(
        r"赠品|送的(?:东西|小?礼品|小?礼物)|小样|附赠|送的那个|买一送一",
        r"free ?gifts?\b|freebies?|(?:the|a) gift\b(?! (?:box|message|card))|gift (?:with|go|back)|gifts have",
    ),
    "withdraw": words_of(
        r"撤[销回]|撤$|(?:取消|撤)(?!订单|后|之后|以后).{0,4}(?:退|申请|售后)|(?:退|售后|申请).{0,4}(?:取消|撤)|反悔"
        r"|(?:退货|退款"
        r"|售后)申请.{0,8}(?:取消|撤)",
        r"withdraw(?:s|ed|d|ing|es)?\b|undo|take back a|cancel (?:a |the |my )?(?:return|refund|after-sales)"
        r"|cancel the request",
    ),
    "reject": words_of(
        r"(?:被|遭|商家|卖家|会)?(?:拒绝|驳回)|被拒|不通过|没通过|未通过|(?<!质量)不合格|不同意|不给退|不批|退款失败"
        r"|平台介入",
        r"reject(?:ed|s|ion|ions)?\b(?! (?:a |the )?(?:parcel|package|delivery))|(?:request|refund|return"
        r"|after-sales) (?:is |was )?(?:refused|declined)|refuse a refund|not approved|denied|appeal|inspection fails",
    ),
    "refuse": words_of(
        r"拒[收签]|不(?:签收|收货)",
        r"refus(?:e|ed|es|ing)\b(?! (?:a )?refund)(?<!refund refused)(?<!sales is refused)(?<!refund is refused)"
        r"|reject(?:ing)? (?:a |the )?(?:parcel|package|delivery)|decline a delivery|not accept",
    ),
    "collect": words_of(
        r"上门.{0,4}[取拿收]|上门揽|[来叫]取|取件(?!码|短信)|来拿|快递员?来(?:取|拿|收)|揽件|快递上门|上门(?=$|吗)"
        r"|家里[拿取]",
        r"pick(?:ed|s)? ?up(?! (?:point|code|station))|pick(?:ed)? up|collect(?:s|ed|ion)?\b|pickup(?= (?:for|from)|$"
        r"| service| free| cost)|drop off|fetch|courier to",
    ),
    "insurance": words_of(
        r"运费险|退货险|退货运费险",
        r"(?:freight|return(?: shipping| freight)?|shipping) insurance|insurance",
    ),
    "self_send": words_of(r"自己.{0,3}寄", r"(?:send|drop) .{0,14}myself|drop off"),
    "freight": words_of(
        r"运费(?!险)|邮费|快递费|配送费|包邮|免邮|运输费|偏远.{0,4}加|运费能.{0,3}退",
        r"postage|freight(?! insurance)|(?:shipping|delivery|return|combined)(?: shipping)? (?:fee|cost|charge|rate"
        r"|price)s?\b|(?:free|cost of|pays? for|pays|charge for|pay|cover) (?:\w+ )?(?:shipping|delivery)|(?:free"
        r"|pays? for) (?:a |the )?returns?\b|how much .{0,18}(?:ship\b|shipping|delivery|return\b|send)|(?:shipping|delivery"
        r"|returns) free|what (?:does|will) (?:\w+ )?(?:shipping|delivery|return) cost|cost to (?:send|return|ship)"
        r"|cost to .{0,10}back|(?:what|how much) does it cost to return|(?:fee|charge) (?:to|for) return|return label"
        r"|a return cost|shipping charge|(?:fee|charge) .{0,10}(?:sending|returning|send)",
    ),
    "after_dispatch": words_of(
        r"(?:发货|发出|寄出|揽收|发出来)(?:之后|以后|后|来)|从发货到|发货到收货|从你们那|路上|运输要|在途|已发货多久",
        r"after (?:dispatch|shipping|it (?:ships|is shipped)|being shipped)|once (?:it is |its )?shipped|in transit"
        r"|from dispatch|on the road|after the item ships",
    ),
    "region": words_of(
        r"新疆|西藏|内蒙|青海|宁夏|甘肃|海南|云南|四川|广东|贵州|东北|北京|上海|广州|深圳|农村|乡[镇下]|村|山区|县城|偏远"
        r"|全国|哪些(?:地区|地方)|地区|地方不能|范围|哪里可以送|成都|杭州|武汉|西安|重庆|南京|天津|苏州|长沙|郑州|青岛"
        r"|厦门|福州|济南|沈阳|哈尔滨|昆明|贵阳|拉萨|乌鲁木齐",
        r"tibet|xinjiang|rural|villages?|beijing|shanghai|remote|areas?\b|everywhere|anywhere|in china|nationwide"
        r"|regions?|chengdu|hangzhou|wuhan|guangzhou|shenzhen|chongqing|nanjing|inner mongolia|gansu|yunnan|hainan"
        r"|sichuan",
    ),
    "abroad": words_of(
        r"国外|海外|境外|出国|国际|港澳台?|香港|澳门|台湾|美国|加拿大|日本|韩国|英国|澳洲|澳大利亚|欧洲|德国|法国|新加坡"
        r"|马来西亚|泰国|越南|俄罗斯",
        r"abroad|overseas|international(?:ly)?|outside china|worldwide|countries|hong kong|macao|macau|taiwan|(?:to"
        r"|in) (?:the )?(?:us|usa|uk|canada|japan|korea|singapore|germany|france|london|europe|australia|america|malaysia"
        r"|thailand|russia)\b|malaysia|singapore|post to",
    ),
    "courier": words_of(
        r"顺丰|圆通|中通|申通|韵达|邮政|京东快递|(?:什么|哪[家个]|换个?|选|指定)(?:的?快递|物流)(?:公司)?|快递公司|(?:发|走"
        r"|用)(?:的)?(?:是)?(?:什么|哪家|哪个)(?:快递|物流)?|投诉快递|发京东|京东吗",
        r"(?:which|what|choose|change|pick|another|about a|report a) (?:\w+ )?(?:couriers?|carriers?)\b|couriers? (?:do"
        r"|company)|(?:shipping|delivery) (?:company|companies|service)|who do you ship with|ship with|dhl|ems\b|sf\b"
        r"|sf express|yto|fedex|ups\b|by sf|use (?:ems|sf|dhl)",
    ),
    "slot": words_of(
        r"预约|约(?:个)?时间|(?:指定|选).{0,2}(?:时间|日期)|(?:送货|配送|取件)时间.{0,3}(?:选|指定|约|改)|定时|约.{0,2}送"
        r"|晚上.{0,2}送|下班后|几点送|时间改|晚几天|怎么约|周末送|周六日?送|怎么约|(?:周末|周六|周日)(?:可以)?送|下午"
        r"|上午|点以后",
        r"slot|schedul\w+|(?:choose|pick|set|book).{0,14}(?:time|date|day)|certain time|evening|deliver\w* .{0,12}at night"
        r"|after \d ?pm|book (?:a |an )?|weekend delivery|on a weekend|arrange|after work",
    ),
    "split": words_of(
        r"分(?:开|批|成|几个|包裹)|拆[单开成](?=发|成|$|要|怎)|拆单|拆(?:成|开发)|几个(?:包裹|快递)|两个快递|好几个|一次发完"
        r"|一起(?:买的|发不)|会一起发|多件商品会|分[两三好多]+几?个|分着发|两个单号|[两几]个物流",
        r"split|separate(?:ly)?|several (?:parcels|packages)|multiple packages|two parcels|in one parcel"
        r"|everything arrive together|shipped together$|part of (?:the|my) order$|part of an order arrive|(?:two|three"
        r"|several|different) (?:packages|parcels|boxes|shipments)|come together|all at once",
    ),
    "install": words_of(
        r"安装|师傅|送装|上楼|包装吗(?<=灯具包装吗)|组装|送上楼", r"install(?!ment)\w*|assembl\w+|upstairs|set ?up"
    ),
    "address": words_of(
        r"地址|寄[去往到]哪|寄给谁|什么地方|仓库地址|仓库",
        r"address(?:s|ed|d|ing|es)?\b|where (?:do|should|can) (?:i )?(?:send|ship|mail|post)|redirect",
    ),
    "station": words_of(r"代收点|驿站|快递柜|丰巢|自提柜|菜鸟", r"pick-? ?up (?:point|station)s?|lockers?|parcel locker"),
    "code": words_of(r"取[件货](?:码|短信)|提货码", r"(?:pick-? ?up|collection) code|without (?:the|a) code|lost the code"),
    "lost": words_of(
        r"丢(?:件|了|失)?|遗失|弄丢",
        r"lost|gets lost|lose my (?:parcel|package)|(?:parcel|package|order|delivery) (?:\w+ )?(?:goes|went|gone|is) missing",
    ),
    "broken": words_of(
        r"破损|破了|破的|坏[了的]?|碎|压[坏扁]|摔|变形|漏液|压破|裂开",
        r"damag\w+|broken|breaks?\b|broke\b|crushed|smashed|cracked|shattered|in pieces",
    ),
    "wrong": words_of(
        r"发错|寄错|送错|不是我[买要]|货不对|不对板|[款颜色尺码型号数量货]+不[对同符]|和.{0,6}不一样|不一样|图片不符|开错",
        r"wrong(?:ly)?\b|not what i ordered|different product|incorrect|(?:somebody|someone) elses item",
    ),
    "delivered": words_of(
        r"(?:显示|写着|说|已|被.{0,4}|不是本人|本人)签收|签收了|妥投|送到了|已送达",
        r"(?:says|marked|shows?|shown)(?: as)? delivered|delivered (?:but|to the wrong)|signed",
    ),
    "stalled": words_of(
        r"不更新|没(?:有)?更新|停滞|滞留|卡(?:在|住不)|不动|没动|没(?:有)?动静|停[着在]|不走了|没变化|一直(?:显示)?运输",
        r"not (?:updat\w+|moved|changed)|hasnt (?:updated|moved|changed)|has not (?:updated|moved|changed)|stuck|stalled"
        r"|stops? updating|no (?:tracking )?(?:updates?|movement)|stay the same|does tracking not|tracking is not moving",
    ),
    "cancel": words_of(r"取消|撤单|撤销订单|订单怎么撤", r"cancel\w*"),
    "merge": words_of(
        r"合并|合成|一起(?:发|寄|付)|(?:两|几|多)个?订单.{0,4}一起|同一个包裹|放一起|一起寄",
        r"combin\w+|merg\w+|together|put two orders|both orders|in one box",
    ),
    "presale": words_of(r"预售|预购|预定", r"pre-? ?(?:orders?|ordered|sale)\b|presale|preorder\w*"),
    "balance": words_of(r"尾款", r"balance|final payment"),
    "deposit": words_of(r"[定订]金", r"deposits?\b"),
    "restock": words_of(
        r"补货|还会补|再上|(?:没货|缺[货码]|断[货码]|售罄|没有.{0,2}码).{0,8}(?:补|有|上|办|通知|提醒)|到货(?:通知|提醒)"
        r"|有货了(?!没)|卖完|售罄|下架了|断[码货]|缺货|没货.{0,3}补",
        r"restock\w*|back in stock|sold[ -]?out|out of stock|more in stock|coming back|(?:items|sizes) (?:be|come) back"
        r"|sold out .{0,12}back|an alert when",
    ),
    "limit": words_of(
        r"限购|最多(?:能|可以)?买|多买几件|买多了|(?:每|一)个?人.{0,4}买?几|购买数量|能买几|可以买(?:几|多少)",
        r"(?<!time )limit(?:s|ed)?\b|how many can|maximum|max number|how many (?:items|pieces) |can i only buy|the max\b",
    ),
    "cod": words_of(
        r"货到.{0,2}付|到付|收到?货.{0,2}付|先收货|到了再付|送到再给|见货付|(?<!抵)现金|收到?货再",
        r"cash|cod\b|pay (?:on|upon|when (?:i|it|the parcel))|(?:payment|pay) (?:on|upon) (?:delivery|arrival)"
        r"|pay the courier",
    ),
    "instalments": words_of(
        r"分期|分[几三六]+期|分\d+期|免息",
        r"instal?lments?|monthly|pay later|in parts|pay over time|split the payment|into parts|in three parts"
        r"|over (?:the )?months|spread the cost|half now",
    ),
    "price_drop": words_of(
        r"价保|保价|价格保护|降价|差价|买贵|便宜了|变低",
        r"price (?:protection|drop\w*|difference|match|adjust\w*|guarantee)|price match|cheaper now|on sale$|best price"
        r"|the difference if|price (?:went|goes|came) down|get the difference",
    ),
    "invoice": words_of(r"发票|开票|抬头", r"invoices?\b|receipts?\b"),
    "vat": words_of(r"专票|专用发票|增值税", r"vat\b|special vat"),
    "bulk": words_of(
        r"(?<!分)批[发量]|团购|(?:企业|公司|单位|大[批量]+)(?:采购|购买|客户|福利)|采购|多买有|买(?:得|很)多|一百件"
        r"|员工福利|百[份件个]",
        r"bulk|wholesale|corporate|large (?:order|quantit\w+)|business purchase|volume|group buying|company (?:orders|gifts)"
        r"|buying for|for compan(?:y|ies)",
    ),
    "coupon": words_of(r"优惠[券卷]|(?<![人日])券|红包|代金券", r"coupons?\b|vouchers?\b|promo codes?|discount code"),
    "points": words_of(r"积分", r"(?<!up )(?<!pickup )points?\b"),
    "tier": words_of(
        r"会员|等级|[金银铜]卡|白金|vip|保级",
        r"member(?:s|ship)?\b|tiers?\b|gold|silver|platinum|bronze|vip\b|loyalty program|(?:next|membership) level|levels?\b",
    ),
    "newcomer": words_of(
        r"新(?:人|用户|客|顾客|会员|注册)|首[单次]|第一单|第一次(?:买|下单|购|来)|注册(?:送|有)",
        r"new (?:customers?|users?|members?)|first[ -](?:order|time)|welcome|sign(?:ing)? ?up|first (?:purchase|buy)",
    ),
    "birthday": words_of(r"生日", r"birthday"),
    "campaign": words_of(
        r"双\d+|双十[一二]|618|活动|满减|大促",
        r"double (?:12|twelve|11)|the sale|(?:next|current|december) sale|sale (?:rules|discount|end|start)"
        r"|on sale\b(?! now)|(?:with|together with|in) (?:a|the) sale|promotions?|deals right now",
    ),
    "login": words_of(r"登[录陆]|登不|登上", r"log ?in\b|sign in|login"),
    "password": words_of(r"密码", r"passwords?"),
    "verification": words_of(r"验证码", r"verification codes?"),
    "privacy": words_of(
        r"隐私|个人信息|信息(?:安全|会给)|收集哪些信息|我的信息|收件人信息|泄[露漏]|面单|我的数据|电话给别人"
        r"|把我的(?:电话|信息|地址)",
        r"privacy|(?:personal|my|payment) (?:data|information)|(?<!return )label|data\b|shown on|visible|gdpr|see my address"
        r"|hide my phone|number on the parcel|sell (?:customer|my) data",
    ),
    "scam": words_of(
        r"骗|冒充|诈骗|真假客服|是真的|可信|防止被|骗局|链接",
        r"scams?\b|fraud|fake customer|phishing|suspicious|pretend\w*|call .{0,20}genuine|is it real|really from"
        r"|asked me to transfer|link about|avoid scams|is it real|bank details",
    ),
    "warranty": words_of(
        r"保修|质保|三包|联保|过保",
        r"warrant\w*|(?<!price )guarantee\b(?! (?:authentic|it))|accidental|water damage|out of warranty",
    ),
    "repair": words_of(r"维修|送修|寄修|返修|返厂|(?<!保)修(?![改码])", r"repair\w*|fix a broken"),
    "genuine": words_of(
        r"正品|真[货假]|假[货的一]|假一|授权|原装|防伪|专柜验|验货(?!不)|货是哪里",
        r"genuine|official|goods real|authentic\w*|fakes?\b|counterfeit|original$|authori[sz]ed|real or fake",
    ),
    "wrap": words_of(
        r"礼[品物盒].{0,2}(?:包装|装|袋)|包[装成]成?.{0,3}礼物|贺卡|礼盒|包装(?:一下|吗)|送[人礼朋].{0,4}包?装?|小票|价格单"
        r"|精美包装",
        r"wrap\w*|gift (?:box\w*|message|packaging)|(?:greeting )?card for|greeting card|add a card|as a gift|price out",
    ),
    "complain": words_of(r"投诉|意见|反馈|反映|处理结果", r"complain\w*|feedback|escalate|not satisfied|report a"),
    "store": words_of(
        r"实体店|门店|线下|体验店|网店|到店|店里|专柜在|有店|店铺地址|店在|公司(?:地址|在)|哪个城市|哪里有专柜",
        r"(?:physical |offline |in a )?stores?\b|shop\b|showroom|located|visit|which city",
    ),
    "review": words_of(r"评[价论]|追评|差评|好评|晒图", r"reviews?\b|reviewing"),
    "bot": words_of(
        r"机器人|人工智能|智能客服|真人|自动回复",
        r"bot\b|robot|an ai\b|human|(?:a|to a) machine|real person|person or",
    ),
}
