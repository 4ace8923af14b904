"""The words of questions about one's own orders, by what they say. Ordered: what one took, the next ones do not see.

All patterns read the canonical form: lower case, simplified, no apostrophes. Chinese is found anywhere, English as whole words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# A name that begins with "_" says nothing; one that no form of a question knows makes it another question.
WORDS: Sequence[tuple[str, str, str]] = (
    (
        "_since",
        r"(?:都|已经)?(?:好几|好多|一|两|三|四|五|六|七|八|九|十|半|\d+)(?:多)?个?(?:多)?(?:天|周|星期|礼拜|月"
        r"|小时)(?:了|前|多)?",
        r"(?:for |in |after )?(?:over |almost |about |nearly )?(?:a|one|two|three|four|five|six|seven|ten|fifteen"
        r"|thirty|\d+|several|many|few)(?: whole| full)? (?:days?|weeks?|months?|hours?|while)(?: (?:ago|now"
        r"|already))?|for (?:days|weeks|ages|hours|so long)",
    ),
    (
        "_seen",
        r"(?:没)?(?:有)?看(?:到|见)",
        r"in my account|since (?:yesterday|monday|last week)",
    ),
    (
        "_aside",
        r"到底|究竟|能(?:不能)?(?=到|送|收到|拿到|查到|看到)|发?(?:一下)?给我(?:发(?!货|票))?(?:一?下)?|发(?:一?下"
        r"|过来)(?:$|(?=,))|能(?=退(?:多少|到|几|我|给我|回来))|(?<=退)(?:给我|回来)(?=多少|几)|能(?=[开修办弄换]好)|发我(?:一?下)?|告诉我(?:一?下)?|给个",
        r"(?:can|could) you (?=check|tell|send|give|look)|(?:can|could|may) i (?:have|get) (?:the|my) (?=tracking"
        r"|pick|collection|status)|send me|give me|tell me|let me know",
    ),
    (
        "insurance",
        r"(?:退货)?(?:运费|退货)?保?险",
        r"(?:(?:freight|return(?: shipping| freight)?|shipping) )?insurance|insured",
    ),
    (
        "what_to_do",
        r"怎么办|咋办|怎么处理",
        r"what (?:do|can|should|must|could) i do",
    ),
    (
        "return_number",
        r"退换?货(?:的)?(?:单号|编号|号码)",
        r"(?:return|rma) (?:number|no|code|id)",
    ),
    (
        "return_freight",
        r"(?:退换?货|寄回去?|退回去?|换货)(?:的)?(?:运费|邮费|快递费)",
        r"return (?:shipping|freight|postage|delivery)(?: (?:costs?|fees?))?|(?:shipping|postage) (?:for|of) (?:my"
        r"|the) return",
    ),
    (
        "sent_back",
        r"寄回去?(?:给你们)?|退回去|寄给你们",
        r"(?:send|sent|posted|shipped|gave) (?:it |them )?back",
    ),
    (
        "code",
        r"(?:取件|取货|提货|取)(?:码|号|密码)",
        r"(?:pick ?up|collection|collect|locker) (?:code|number|pin)|code|pin",
    ),
    (
        "number",
        r"(?:快递|物流|运|包裹)的?(?:单号|编号|号码)|单号|快递号|物流号|运单号?",
        r"track(?:ing)?(?: ?(?:number|no|num|id|code|#))|tracking no|waybill(?: number)?|consignment number",
    ),
    (
        "unpaid",
        r"(?:还)?(?:没有?|未|待)(?:付款?|支付|给钱|付钱)(?:的)?",
        r"(?:not|never|still not|havent|have not|havent yet|not yet|yet to)(?: been)?(?: yet)? (?:pay"
        r"|paid)(?: for)?|unpaid|awaiting payment",
    ),
    (
        "lost",
        r"丢件|丢失|丢了|弄丢",
        r"lost",
    ),
    (
        "missing",
        r"(?:还有)?(?:啥|什么|哪些|哪件|哪个)(?:还)?没(?:有)?(?:发|寄|到|给)(?:货)?|(?:剩下|其余|其它"
        r"|其他)的?(?:呢|商品)?",
        r"(?:still )?(?:missing|outstanding)(?: from)?|(?:still )?to (?:come|be (?:sent|shipped))",
    ),
    (
        "count_orders",
        r"(?:多少|几)(?:个|笔|张|次)?(?:订单|单子?)",
        r"how many (?:\w+ )?orders?",
    ),
    (
        "count_parcels",
        r"(?:分(?:成|了)?)?(?:多少|几|[两二三四五2-9])(?:个|件)?(?:包裹|快递)|分(?:了|成)?(?:几|多少)(?:个|次|批)"
        r"|几个件",
        r"how many (?:parcels|packages|boxes|shipments)|(?:split|divided)(?: into)?(?: (?:two|three|several|2|3))?"
        r"|(?:two|three|several|2|3) (?:parcels|packages|boxes)",
    ),
    (
        "pickup",
        r"(?:放|存)(?:在|到)?(?:了)?(?:哪里?|哪儿|哪个驿站|哪个代收点|什么地方)|去(?:拿|取|领)|(?:哪个|哪家|什么"
        r"|啥)?(?:驿站|代收点|自提点|快递柜|菜鸟|丰巢|提货点|取件点)|(?:在|去|到)?(?:哪里?|哪儿|什么地方"
        r"|啥地方)(?:去)?(?:取|拿|领|提)|取件|自提",
        r"where (?:can|do|should|could) i (?:pick|collect|get)(?: up)?(?: it| them)?(?: up)?|pick ?up(?: (?:point"
        r"|station|location|place|spot))?|(?:to )?collect(?:ed|ion)?(?: (?:it|them|point))?|pick (?:it|them) up"
        r"|locker",
    ),
    (
        "carrier",
        r"(?:走|发|用|寄|送)?的?(?:是)?(?:什么|啥|哪家|哪个|哪一家|哪)(?:快递|物流)(?:公司)?|[走发用]的?(?:是)?哪家|快递公司|物流公司"
        r"|谁(?:来)?(?:送|派|配送)",
        r"(?:which|what) (?:courier|carrier|shipping company|delivery company)|couriers?|carriers?"
        r"|whos? (?:is )?(?:delivering|bringing|shipping|carrying)|(?:delivered|shipped) by who(?:m)?",
    ),
    (
        "channel",
        r"(?:退款?)?(?:到|去|进)了?(?:我的?)?(?:哪张卡|哪个(?:账户|账号|卡))|(?:退(?!款)|打|返|给)(?:还)?(?:是)?回?(?:到|去"
        r"|进)了?(?:哪里?|哪儿|哪张卡|哪个(?:账户|账号|卡)|什么地方|余额|银行卡|卡[里上]?|微信|支付宝|账户|钱包"
        r"|原路)(?:里|上|了)?|原路(?:返回|退回)?|(?<=还是)(?:余额|银行卡|卡|微信|支付宝|钱包)|哪张卡",
        r"where (?:was|is|will|did|does) (?:my |the )?(?:refund|money)(?: be)? (?:sent|go|paid|going"
        r"|transferred)(?: to)?|(?:to|into|onto|back to|on) (?:my |the |which |what )?(?:bank )?(?:card|wallet"
        r"|account|balance|original payment(?: method)?)|(?:my |the |which |what )(?:card|wallet)|(?:be )?(?:paid"
        r"|sent|go|goes|refunded) (?:back )?to(?! me)|going (?:back )?to(?= my| the| which| what| where|$)"
        r"|original payment(?: method)?",
    ),
    (
        "who_pays",
        r"(?:是)?谁(?:来)?(?:出|付|承担|掏|给)(?:钱)?|(?:我|你们|本店|卖家|商家)(?:出|承担)",
        r"who (?:has to )?(?:pays?|covers?)(?: for)?",
    ),
    (
        "promise",
        r"承诺|答应|说好的?|保证",
        r"promised?|guaranteed?|committed",
    ),
    (
        "success",
        r"(?:付|支付|付款|下单|交易)?成功",
        r"(?:go|went|gone|goes) through|successful(?:ly)?|successful",
    ),
    (
        "balance",
        r"尾款|余款|剩下的钱",
        r"(?:remaining |outstanding )?balance(?: payment)?|(?:the )?(?:rest|remainder)",
    ),
    (
        "deposit",
        r"定金|订金",
        r"deposits?(?: paid)?",
    ),
    (
        "freight",
        r"运费(?!险)|邮费|快递费|配送费",
        r"shipping(?= on| for my| of my| did i| was i| have i)"
        r"|(?<=much was )shipping|(?<=much is )shipping(?= for)|(?<=pay )shipping"
        r"|(?:for )?(?:shipping|delivery)(?: (?:fees?|costs?|charges?))|postage|for shipping|for delivery",
    ),
    (
        "invoice",
        r"电子发票|发票|开票",
        r"invoices?|receipts?",
    ),
    (
        "points",
        r"积分",
        r"points?",
    ),
    (
        "coupon",
        r"优惠[券卷]|卡券|抵用券|代金券|红包|券",
        r"coupons?|vouchers?",
    ),
    (
        "tier",
        r"会员(?:等级|级别)?|等级|级别|vip|(?:金|银|铜|白金|铂金)(?:卡|牌)",
        r"tier|membership|member|loyalty|(?:gold|silver|bronze|platinum)(?: (?:tier|status|level|member"
        r"|membership))?|vip|level",
    ),
    (
        "refund",
        r"退货退款|退货款|退换货|退的钱|退款|退货|退钱|换货|维修|返修|补发|售后|退掉的?|返款|修理?(?=好|完)"
        r"|退(?=了|完|多少|回|的|给|没|下|好|我|\x00)",
        r"refund(?:s|ed|ing)?|returns?|returned|returning|exchanges?|exchanged|repairs?|repaired|repairing"
        r"|replacements?|replaced|claim|(?:my |the )?money back|get(?:ting)? back|reimburse(?:d|ment)?",
    ),
    (
        "placed",
        r"下(?:的|过|了)?单|(?:买|拍|订|下)(?:的|了|过)|购买",
        r"(?:did|have) i (?:order|buy|place)|i (?:order|buy)|placed?|ordered|bought|purchased",
    ),
    (
        "order",
        r"订单|单子|(?:这|那)?一?(?<![快账名下])单(?!独|位|据)",
        r"orders?|purchases?",
    ),
    (
        "parcel",
        r"快递|包裹|物流|东西|宝贝|(?<![有现缺补进断没])货(?=在|到|呢|还|什|啥|怎|寄|送|$)|(?<=[个些])件|件(?=到|呢)",
        r"parcels?|packages?|shipments?|deliver(?:y|ies)|stuff|goods|box",
    ),
    (
        "when",
        r"(?:大概|预计|最快|具体)?(?:什么时候|啥时候|几时|何时|什么时间|哪一?天|几号|几点)|预计",
        r"(?:before|by|on|until|till) (?:this |next )?(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday"
        r"|the weekend|tonight)|when(?:s)?|eta|what (?:day|date|time)|(?:on )?which (?:day|date)|date|this (?:week"
        r"|morning|afternoon|evening|weekend)|on (?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
        r"|until|till",
    ),
    (
        "day",
        r"今[天晚日]|明[天晚日早]|后天|这?周[一二三四五六日末天]|下周|周末",
        r"today|tomorrow|tonight|(?:mon|tues|wednes|thurs|fri|satur|sun)days?|weekends?|next week",
    ),
    (
        "how_long",
        r"(?:还要|还得|要)?(?:多久|多长时间|几天|多少天|时间)",
        r"how (?:long|soon|much longer|many (?:more )?days)|(?:any|much) longer",
    ),
    (
        "delivered",
        r"签收",
        r"delivered",
    ),
    (
        "where",
        r"(?:现在|到底)?(?:运|送|走|发|寄)?(?:到|在|去)(?:了)?(?:哪|那)(?:里|儿|一?步|一站)?(?:去)?(?:了|啦)?"
        r"|(?:哪|哪里|哪儿)(?:去)?(?:了|啦)|人呢|跑哪",
        r"wheres?|whereabouts|hows|track|trace|locate|location|located",
    ),
    (
        "state",
        r"(?:是|到|处于)?(?:个)?(?:什么|啥)?(?:状态|情况|进度|进展|动静|消息|结果|信息|动态)|(?<!会)(?:怎么|咋"
        r"|怎)(?:样|么样)|(?:出|有)?(?:了)?(?:什么|啥)问题|怎么回事|咋回事|办得?怎么样",
        r"status|progress|updates?|updated|going on|happening|happened|up with|news|details|eta status|doing"
        r"|latest|got nowhere|get nowhere|nowhere",
    ),
    (
        "stuck",
        r"(?:怎么|咋)?(?:一直|老是|都)?(?:还)?(?:不动|没动静?|不更新|没更新|没有?更新|没变化)|(?:一直)?(?:(?<![行用金银])卡住?|停"
        r"|不动|没动静?|不更新|没更新)(?:在|了|着)?(?:一个地方|那里|那儿)?",
        r"stuck|stalled|not moving|delayed|late|held up|overdue",
    ),
    (
        "moved",
        r"揽收|揽件|取走|动(?:了|过|静)?|更新|出发",
        r"moved?|moving|picked (?:it |them |my \w+ )?up|picked|collected by",
    ),
    (
        "shipped",
        r"发出来|寄出来|寄走|发货|发出|寄出|出库|发走|打包|配货|备货|给我发|(?:没|不|已|未|有)?发(?=了|没|呢|$)",
        r"ship(?:ped)?|sent(?: out)?|dispatch(?:ed)?|gone out|go out|packed|prepared|on (?:its|the) way|processed"
        r"|processing",
    ),
    (
        "deadline",
        r"最晚|最迟|截止(?:时间|日期)?|期限|(?:几号|哪天|什么时候)(?:之)?前|逾期",
        r"(?:by )?(?:the )?(?:deadline|latest|due(?: date)?)|by when|no later than",
    ),
    (
        "expire",
        r"(?:快|要)?(?:到期|过期|失效|截止)(?:的)?|有效期|(?:能|可以)?用到(?=期|什么|啥|哪|几)",
        r"expir(?:e|es|ing|y)(?: date)?|run(?:s|ning)? out|valid|until when|last until|ends?",
    ),
    (
        "sendback",
        r"寄(?!到)(?:回)?(?:去|来|过去|给你们)?",
        r"send (?:it |them )?back|post (?:it )?back",
    ),
    (
        "done",
        r"(?:办|修|处理|审核|验收|检查|弄|换|开|退|批|检测)?(?:好|完|下来|出来)(?:了)?(?:没有?|没)?|开具?(?:了|没)"
        r"|通过|批准?|审核|验收|处理|检查|检测|到账|退成功",
        r"issue|issuing|process(?:ed|ing)?(?= my)|done|ready|finished|approved|checked|inspected|issued|fixed"
        r"|complete|completed|reviewed|accepted|came|arrived in my account|made",
    ),
    (
        "arrive",
        r"到(?:货|手)?|送(?:到|达|来|货|过来)?|收到|拿到|派送|派件|配送|寄到|抵达",
        r"(?:still |been )*waiting(?: for)?|arriv(?:e|es|ed|ing|al)|com(?:e|es|ing)|came|get(?:s|ting)? here"
        r"|got here|here|reach(?:ed|es)?(?: me)?|show(?:n|ed)? up|be delivered|turn(?:ed)? up|make it|land(?:ed"
        r"|s)?|received?|receiv(?:e|ing)|expected?|expect|gotten|bring(?:ing)?",
    ),
    (
        "amount",
        r"多少(?:钱|元|块)?|几块(?:钱)?|金额|总价|总额|合计|总共|一共|价格|实付|应付|花了?多少钱?",
        r"what(?= (?:did|have|do) i (?:pay|paid|spend|spent))|how much(?: money)?|amount|totals?|cost|price|sum|in total"
        r"|altogether|worth",
    ),
    (
        "short",
        r"还差",
        r"still due",
    ),
    (
        "count",
        r"(?:多少|几)(?:个|张|笔|件|分)|有没有|数量",
        r"how many|any|do i have|have i got|have i",
    ),
    (
        "not",
        r"(?:一直|迟迟|怎么|为什么|到现在)?(?:都)?(?:还)?(?:没有?|未|不)(?!错|是|同|满|想|要|能|可|用)|还没",
        r"not|havent|hasnt|isnt|wasnt|didnt|dont|doesnt|wont|arent|never|no|nothing",
    ),
    (
        "pay",
        r"收(?:了|取)(?:我)?|(?:要|该|能)?(?:付款?|支付|付钱|给钱|交)(?:了|过|的)?|花了?|扣(?:款|了)|欠",
        r"pay(?:ment|ments|ing)?|paid|owe[ds]?|owing|spend|spent|charged|for it",
    ),
    (
        "list",
        r"哪些|有哪些|哪几个|列表|全部|所有|都有什么|清单",
        r"which|list|all",
    ),
    (
        "remain",
        r"还?剩(?:下|余)?|还有|余额|可用的?|能用的?",
        r"left|remaining|available",
    ),
    (
        "open",
        r"未完成|没完成|进行中|没到的|在途",
        r"open|pending|ongoing|active|current",
    ),
    (
        "why",
        r"为什么|为啥|凭什么|(?:咋|怎么)(?=还|这么|一直|没|不|又|迟迟)",
        r"why|how come",
    ),
    (
        "_me",
        r"我(?:的|们的|们)?(?:那|这|买|拍|订|下)?(?:的)?(?:一)?(?:个|件|单|笔|双|条|台|套)?(?:的)?|俺的?|本人|自己",
        r"my|i|me|mine|im|ive|our|ours|we|us|id|ill",
    ),
)

# Says nothing here.
FILLER_ZH = (
    r"请问|请|麻烦|帮忙?|查(?:询|看|一?下|查)?|看(?:一?下|看)?|发(?=我)|给(?=我)|告诉|说(?:一?下)?|知道"
    r"|想(?=问|知道|查|看)|要(?=等|多久|几|付|去|在|寄|$)|能(?:不能)?(?=到|收|送|拿|查|看|好|知道|告诉|发我)"
    r"|可以(?=查|看|取|拿)|会|一下|一个|一点|来着|[这那]个?(?:是|边|件|笔|双|条|台|套|批|次)?"
    r"|[个件笔条双台套张](?=[\x00的 ,]|$)|[的了呢啊呀吧嘛哦哈啦么吗哇诶哎唉噢咧]|现在|目前|到底|究竟|大概|应该"
    r"|还|都|又|再|就|才|已经|已|刚刚?|是(?:不是|否|的)?|有(?:没有)?|什么|啥|哪个|哪|多|从|在|到|和|跟|与|以及"
    r"|还是|或者?|然后|那么|里面?|上[次回]|上|下|小哥|快递员|师傅|师父|这次|刚才|亲|人|你们?家?|您|咱|急(?:用"
    r"|死了?|着用)?|快点|赶紧|尽快|马上|一直|到现在|等(?:了|着)?|好久|很久|半天|这么久|太|很|真|昨[天晚]"
    r"|前[天几]?|上(?:个)?(?:周|星期|礼拜|月)|今早|最近|之前|以后|了没|钱"
)
FILLER_EN = (
    r"a|an|the|this|that|these|those|is|are|was|were|be|been|being|am|do|does|did|has|have|had|will|would|to"
    r"|(?:can|could) (?:you|i (?:check|see|know|get an update))|of|for|on|in|at|with|from|about|and|or|so|then"
    r"|it|its|itll|theyre|they|them|you|u|your|there|please|pls|plz|just|still|yet|already|now|right|currently"
    r"|exactly|really|actually|ever|even|far|again|also|too|know|tell|show|check|see|look|looking|find|give"
    r"|get|got|gets|send me|let me|want to know|need to know|like|whats?|which|ones?|things?|items?|number"
    r"|something|anything|sorry|hi|hello|hey|lol|guys|up|out|all|morning|supposed|gonna|going(?! to)|account"
    r"|bit|quick|quickly|asap|urgent|urgently|ok|okay|well|by|as|if possible|question|ask"
)
# In what is left over they show that something else is asked.
NO_THING_ZH = re.compile(
    r"[怎吗能改错坏破没不]|可以|可不|取消|如果|要是|万一|一般|通常|规则|政策|流程|预售|活动|短信|地址|保险"
    r"|朋友|同事|家人|老公|老婆|想|赠品|问题|质量|第[一二三四五六七八九十]|会怎么样|差价"
)
NO_THING_EN = re.compile(
    r"\b(?:how|if|when|why|who|can|could|should|would|cancel\w*|chang\w+|wrong|broken|damaged|faulty|policy"
    r"|rules?|usual\w*|normal\w*|general\w*|average|typical\w*|always|abroad|overseas|international\w*|not|no"
    r"|never|texts?|messages?|sms|emails?|app|page|website|address|time|delet\w+|forg[eo]t\w*|once|before"
    r"|insurance|want|need|only|less|more|than|half|stock|problem|rude|request|going|declin\w+|refus\w+"
    r"|reject\w+|happens?|owe)\b"
)


def _compiled(at: int, pattern: str) -> re.Pattern[str]:
    return re.compile(pattern if at == 1 else rf"\b(?:{pattern})\b")


CHINESE = tuple((name, _compiled(1, zh)) for name, zh, _ in WORDS)
ENGLISH = tuple((name, _compiled(2, en)) for name, _, en in WORDS)
CHINESE_FILLER = re.compile(FILLER_ZH)
ENGLISH_FILLER = re.compile(rf"\b(?:{FILLER_EN})\b")
