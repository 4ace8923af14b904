"""What a question asks of the things that it names.

An aspect excludes a topic only where the topic says so; one that no topic names makes its words known, and no more.
All patterns read the canonical form.
"""

from __future__ import annotations

from collections.abc import Mapping

from serve_app.domain.understanding.things import Words, words_of

ASPECTS: Mapping[str, Words] = {
    "kinds": words_of(
        r"内衣|内裤|贴身|袜子|泳衣|生鲜|水果|食品|鲜花|花(?=可以|能)|蛋糕|定制|刻字|化妆品|护肤品|特价|清仓|虚拟|数字商品"
        r"|冰箱|洗衣机|空调|热水器|家电|电器|家具|灯具|大件|面霜|护手霜|耳环|首饰",
        r"underwear|swim(?:wear|suits?)|(?:fresh )?food\b|fruit|groceries|perishable|cosmetics|custom(?:-made| made|ised"
        r"|ized)?\b|personali[sz]ed|digital (?:goods|products?)|clearance|sale items|final sale|fridges?|washing machines?"
        r"|air condition\w+|large (?:items|appliances?)|appliances?|furniture|earrings|jewellery|face cream",
    ),
    "except": words_of(
        r"(?:哪些|什么|哪类|哪种|有什么).{0,8}不(?:能|可以|支持|适用)|不(?:能|支持|可以|适用).{0,6}的?(?:有哪些|商品"
        r"|东西)|不给退",
        r"exceptions?\b|non-? ?returnable|not returnable|(?:cannot|cant|can not|can\'t) (?:be )?return|(?:which"
        r"|what).{0,20}(?:cannot|cant|can not|not)\b|things i can not|not allowed",
    ),
    "late": words_of(
        r"超过|过了(?=七|7|几|退|无理|期)|超出|超时|错过|过期了还能退|过了期|期限?过了|十天了|半个月|一个月后|一个月可以"
        r"|很久|\b7天还",
        r"after (?:the )?(?:return period|deadline|time limit|\d+ days|(?:seven|ten|thirty) days|a month)|deadline|too late"
        r"|missed|late return|(?:period|window) (?:is over|has closed|passed|closed)",
    ),
    "part": words_of(
        r"(?:只|单独|其中)(?:想)?(?:退|[一那]?[件个样])|其中|部分|一件留|退一件|退一样|退一个|只收到|有的没|单独"
        r"|退(?:其中)?[一两二三](?:件|双|个|样|条|只)",
        r"part(?:ial|ly)?\b|only one|just one|one item|one of|single item|some (?:of the )?items|keep (?:the other|some"
        r"|part)|half of|of the (?:two|three|four) (?:items|things)|(?:two|three|some) of (?:the|my|your)",
    ),
    "after_sale": words_of(r"售后", r"after-? ?sales?"),
    "channel": words_of(
        r"原路|退.{0,3}到(?!账|达)|回到?哪|退给谁|路径|账户|退回(?:支付宝|微信)",
        r"original payment|same (?:card|account|way)|back to (?:the|my) card|(?:another|different|which|bank) (?:account"
        r"|card)|how are refunds paid|destination|to my (?:wallet|card)|wallet",
    ),
    "amount": words_of(
        r"金额|退.{0,3}多少|怎么算|全[款额]|扣(?:手续费|钱|多少)|折旧|凑单",
        r"how much .{0,24}(?:back|refund\w*|coupon|discount)|how much is the refund|amount|calculated|worked out|deduct\w*"
        r"|in full|full\b",
    ),
    "full": words_of(r"全[款额]", r"full\b"),
    "free_from": words_of(r"满\d*|不满\d*", r"minimum|threshold|spend"),
    "ship": words_of(
        r"(?<!已)发货|[能以可]发|发(?=到|去)|寄出|发出|出库|[^始]发(?=吗|$|什么快递|哪|顺丰)|已发货|发得?快|当天发|没发"
        r"|寄(?=过来|到)|发往|发不发|寄不寄",
        r"ship(?:s|ed|d|ing|es)?\b|shipped|shipping|dispatch(?:s|ed|d|ing|es)?\b|sent\b|send (?:it|my order)"
        r"|leave your warehouse",
    ),
    "arrive": words_of(
        r"到货|[能以可]送|送(?=$|吗)|送[到达货]|收[到货]|能到|[天久]到|送(?=不|吗|去)|派送|妥投|到手|配送|送上门|几天$"
        r"|送不送",
        r"arriv(?:s|ed|d|ing|es)?\b|deliver(?:s|ed|d|ing|es)?\b|delivery|comes?\b(?= when|$)|shipping (?:take|time)",
    ),
    "door": words_of(r"上门|门口|到家", r"(?:to|at) (?:the|my|your) door"),
    "recipient": words_of(r"收[件货]人|收件|收货电话", r"recipient"),
    "no_code": words_of(
        r"没有?(?:收到)?取[件货]|收不到|没收到|没有了|找不到|找不着|不见了|忘了|删|失效|过期|错误|不对|在哪|没有取",
        r"without|no pickup|not (?:get|got|receive)|didnt|forgot|deleted|cannot find|cant find|expired|does not work"
        r"|doesnt work|again|new pickup|lost",
    ),
    "self_collect": words_of(
        r"自提|自己(?:去|上门)?取|代取|代领|店自提",
        r"collect (?:my order|a parcel)|pick up my order|click and collect|collect (?:it|my parcel) myself|store pickup"
        r"|someone else collect",
    ),
    "compensate": words_of(r"赔|理赔|补偿", r"compensat\w+|responsible"),
    "reship": words_of(r"补发|重发|补寄", r"replac\w+|reship|resend"),
    "unlike": words_of(r"图片", r"picture"),
    "missing": words_of(
        r"少[发了件]|漏[发了]|缺[件配少]|没(?:有)?(?:发|赠)品?|配件",
        r"missing|fewer|parts\b|accessor(?:y|ies)|(?:one|item) short",
    ),
    "parts": words_of(r"配件", r"parts\b|accessor(?:y|ies)"),
    "not_there": words_of(
        r"没(?:有)?(?:收到|拿到|看到)|找不到|不是本人|被(?:别人|人)",
        r"not (?:received|here|there|get)|nothing|didnt|dont have|no parcel|havent|have not|have nothing|not here"
        r"|never (?:got|received|came)",
    ),
    "stolen": words_of(
        r"被?(?:偷|冒领|拿走|别人签收|人签收)",
        r"stol[en]\w*|stole|taken by|someone else signed|wrong person",
    ),
    "order_placed": words_of(
        r"下[了完]?[单错]|拍[下错了]|下订单|订单(?:里|提交)|已付款|拍两",
        r"after ordering|placed|placing|in (?:an|my|the) order|to an order|from an order|of an order|an order|ordered",
    ),
    "quantity": words_of(
        r"数量|加一?[件个]|加东西|几[件个]|多少件|一百件|多买|删掉",
        r"quantity|how many|add an item|more than|remove an item|number per|quantities|large order|large quantit\w+",
    ),
    "colour": words_of(r"颜色|换色", r"colou?rs?\b"),
    "size": words_of(
        r"尺[码寸]|码[数]|[大小]一?[码号]|鞋码|脚长|胸围|选码|(?<![号条维扫密验证取件价])码(?!头|上)",
        r"sizes?\b|sizing|fit\b|measure\w*",
    ),
    "edit": words_of(
        r"改?规格|型号|修改订单|改订单|订单.{0,4}修改|订单能改|换成别的",
        r"edit\w*|modif\w+|change an (?:order|item)|change the order",
    ),
    "change": words_of(
        r"改|更[改换]|换(?=个?(?:收货)?地址|个?颜色|绑|手机|号|成|了号|个账|个?尺|[大小])|解绑|绑定|换开|换号|改绑",
        r"chang\w+|updat(?:e|ing)\b|edit\w*|correct\w*|unlink|link\b|bind|amend|fix\b|new (?:phone )?number|switch|updated",
    ),
    "unshipped": words_of(r"没发货|发货前|未发货|规格|型号", r"before (?:it|an order) ships|before shipping|the quantity"),
    "wrong_entry": words_of(
        r"[填写选拍下][错]了?|错了",
        r"(?:entered|put) the wrong|wrong (?:delivery )?address|ordered the wrong|is wrong|wrong name|wrong tax"
        r"|the wrong (?:colou?r|size) how",
    ),
    "several": words_of(r"[两多几]个?(?:订单|单|笔|次)|分开(?:下|拍)", r"(?:two|several|my) orders"),
    "unpaid": words_of(
        r"[未没不]付款?|待付款|不付|没付钱|忘记付",
        r"unpaid|dont pay|do not pay|not paid|not pay\b|pay in time|missed the",
    ),
    "closed": words_of(
        r"关闭|失效|自动取消|注销了|停[用机]|不用了|封了|锁了|过期了|超时",
        r"clos\w+|expire|automatically|gone|locked|blocked|not in use",
    ),
    "keep": words_of(r"保留|能放|能留|能用多久|留着|留下", r"kept|keep\b|last\b|extend"),
    "regret": words_of(
        r"不(?:想)?要了|后悔|不想买|不合理|要(?:得)?回来",
        r"change my mind|lose the|lose my deposit|is my deposit lost|non-refundable",
    ),
    "stock": words_of(r"现货|库存", r"in stock|stock"),
    "notify": words_of(r"通知|提醒", r"notif\w+|alert"),
    "means": words_of(
        r"微信|支付宝|花呗|信用卡|银行卡|银联|刷卡|白条|数字人民币|paypal|对公|转账|付款方式|支付方式|代付",
        r"credit cards?|debit|visa|mastercard|paypal|apple pay|wechat|alipay|which cards|payment (?:methods?|options)"
        r"|methods? of payment|forms of payment|unionpay|union pay|huabei",
    ),
    "pay": words_of(r"付(?:款|钱|现金)|支付(?!宝)|给钱|(?<![对])付(?=了|尾|不|完)", r"pay(?:s|ing|ment|ments)?\b|paid"),
    "pay_by": words_of(
        r"多久(?:之?内)?(?:要|得|需要)?付款|付款(?:时间|时限|期限)|下单.{0,4}不付",
        r"(?:have|need) to pay|time limit for payment|pay in time|dont pay",
    ),
    "to_pay": words_of(
        r"(?:几号|什么时候|哪天|怎么|多久)(?:能|可以|开始|要)?付(?!完)|付$",
        r"pay the balance$|(?:when|how) do i pay",
    ),
    "paid": words_of(r"付[款了完]|已付", r"paid|payment|paying"),
    "for_me": words_of(r"代付", r"someone else pay"),
    "fail": words_of(
        r"失败|不成功|不能付|付款不|[付支]不了|付不出|报错|出错|错误|异常|打不开|卡住|登不[上了]|登录不|登陆不|用不了|不能用"
        r"|不了|收不到|超限额",
        r"fail\w*|declined|error|does not|do not work|cannot|cant|unable|not work\w*|not open|not go through|dont get"
        r"|not receiv\w+|not getting|problem",
    ),
    "charged": words_of(r"扣[了款]|钱扣", r"charged|money was taken|i paid"),
    "card": words_of(r"银行卡|信用卡|的卡|保修卡|卡号|余额", r"(?:bank |credit |warranty )?cards?\b"),
    "tax_no": words_of(r"税号", r"tax number"),
    "redo": words_of(r"重开|重新开|换开|冲红|作废|补发票", r"reissu\w+|correct\w*"),
    "company": words_of(r"公司|企业|单位", r"compan(?:y|ies)|corporate|business"),
    "personal": words_of(r"个人(?!信息)", r"individuals?"),
    "discount": words_of(r"折扣|打折|优惠(?![券卷])|减免|立减|便宜|满减", r"discounts?\b|deals?\b|offers?\b|something off"),
    "stack": words_of(
        r"叠加|一起用|同时[使用]|同享|[两几多]张|能用几|最多用|两张|叠着",
        r"stack\w*|combin\w+|together|two (?:coupons|vouchers)|coupon with a|several coupons|more than one|at once"
        r"|how many coupons",
    ),
    "back": words_of(
        r"返还|还给|退回|还回来|还会还|还在|返回|退不退|还能再?用|退给我|还能用", r"back\b|returned|restored|refunded"
    ),
    "earn": words_of(r"赚|攒|获得|送|得", r"earn|get\b"),
    "worth": words_of(r"抵|现金|换什么|兑换|值|当钱|当现金", r"worth|redeem"),
    "expire": words_of(r"过期|到期|有效期|失效|还能用", r"expir\w+|valid\w*|run out|lapse"),
    "clear": words_of(r"清[零空]", r"points lost"),
    "benefit": words_of(r"好处|权益|福利|特权|待遇", r"benefits?\b|perks"),
    "downgrade": words_of(r"降级|会降", r"lose my|downgrad\w+"),
    "keep_tier": words_of(r"保级", r"keep my (?:tier|level)"),
    "upgrade": words_of(r"怎么升|可以升|升(?:级|到|成|[金银白])|保级", r"upgrad\w+|reach|move up|next (?:tier|level)"),
    "spend": words_of(r"(?:消费|花|差)多少|要消费|条件", r"spend\w*|requirements?|what do i need"),
    "become": words_of(
        r"成为[金银白]|成为(?!会员)|变成", r"become (?:a )?(?:gold|silver|platinum)|becoming|get to (?:gold|silver|platinum)"
    ),
    "signup": words_of(r"注册", r"sign(?:ing)? ?up"),
    "phone": words_of(r"手机号?|电话|号码|换号|原号", r"phone|mobile|number"),
    "account": words_of(r"账[号户]|帐[号户]", r"accounts?\b"),
    "delete": words_of(r"注销|删|解除", r"delet\w+|deactivat\w+|remov\w+|eras\w+|get rid"),
    "close_account": words_of(r"注销", r"clos\w+|cancel my account"),
    "restore": words_of(r"恢复|找回", r"restor\w+"),
    "label": words_of(r"面单", r"label"),
    "caller": words_of(
        r"打电话|电话(?=说|是|退|可)|来电|加我|加qq|加微信|转账|索要|要验证码|要银行卡|扫码",
        r"call(?:s|ed)?\b|ask(?:s|ed)? (?:customers|for|me)|transfer money|text message|ever ask|link about",
    ),
    "choose": words_of(r"选|挑", r"choos\w+|pick\b|which size"),
    "chart": words_of(r"对照|[码寸]表|换算|标准|偏[大小]|量|测", r"chart|guide|conversion|information|true"),
    "staff": words_of(r"客服|人工", r"customer service|support|agents?\b|staff|person\b|team"),
    "hours": words_of(
        r"几点|时间|上班|下班|24小时|营业|半夜|晚上|休息",
        r"hours|open\b|close\b|time\b|available|online|24.7|at night|work\b",
    ),
    "open": words_of(
        r"营业|上班|下班|工作时间",
        r"open|opening|close\b|closing|business|do you (?:work|start)|you start|reach you",
    ),
    "holiday": words_of(r"周[末六日]|节假日|春节|国庆|元旦|过年", r"weekends?|holidays?|saturdays?|sundays?"),
    "try": words_of(r"试穿", r"try"),
    "anonymous": words_of(r"匿名", r"anonymous\w*"),
    "cashback": words_of(r"返现", r"reward"),
    "add": words_of(r"追加", r"add\b|follow-up"),
    "able": words_of(
        r"(?:能|可以|会).{0,3}(?:帮我?)?(?:做|干|回答|问)(?:什么|啥|哪些|些什么|嘛)|你能(?:帮我)?(?:做|干)|会什么|功能"
        r"|能问你|做啥|干些?什么|都会些|帮我什么|做哪些|做什么|干点啥|能干",
        r"what (?:can|do) you (?:do|help)|help me with|(?:can|what) (?:i )?ask you|able to do|you help|use you for"
        r"|questions can you|kind of things",
    ),
    "when": words_of(
        r"多久|多长时间|几[天日号点]|什么时候|啥时候|何时|多少天|时间|时[效限]|周期|几个工作日|一般|期限|几年|哪天|当天"
        r"|今天.{0,4}[发送]",
        r"when|how (?:long|soon|fast|quick\w*|many days)|days?\b|time\w*|same day|how much time",
    ),
    "where": words_of(r"哪|什么地方|在哪|何处", r"where|which address|what (?:is )?(?:the )?address"),
    "origin": words_of(
        r"发货地|(?:从|在)(?:哪|什么地方)[里儿]?发|哪[里儿]?发货",
        r"(?:ship(?:s|ped|ping)?|sent|send|deliver|dispatch(?:ed)?|come) (?:\w+ )?from",
    ),
    "who": words_of(r"谁", r"who"),
    "howto": words_of(
        r"怎么(?!规定|说|个)|如何|咋|怎样|流程|步骤|手续|入口|操作|要填|打电话|防止",
        r"how(?! long| many| much| soon| fast| quick)|process|steps?\b|procedure|instructions|way to|(?:where"
        r"|when) can i|where do|what do i do to|button",
    ),
    "what_if": words_of(
        r"怎么[办处]|咋办|办$|怎么处理|如何处理|怎么回事|为什么|为啥|办法|咋处理|行吗|行不行",
        r"what (?:if|happens|to do|should|can|do|now|are)|why|whatif",
    ),
    "fast": words_of(r"小时内|快(?!递|件)|最快", r"fast|quick\w*|next day"),
    "cost": words_of(
        r"多少钱?|要钱|收费|费用|加钱|贵|几块|谁[出付承掏]|承担|负责|报销|手续费|花多少|税点|利息|标准",
        r"how much|cost\w*|free\b|fees?\b|charg\w+|who pays|pays?\b|interest|expensive|price",
    ),
    "apply": words_of(r"申请|提交|点", r"apply\w*|request\w*|claim\w*|submit"),
    "order": words_of(r"订单|单(?!号|独)", r"orders?\b"),
    "policy": words_of(r"规[则定]|政策|要求|条件|说法", r"polic(?:y|ies)|rules?\b|conditions?\b|terms"),
    "buy": words_of(r"买|购", r"buy\w*|bought|purchas\w+"),
    "which": words_of(r"哪[些家个种类]", r"which"),
    "download": words_of(r"下载|在哪[看领里]|领|输入|填", r"download|find|enter|put\b"),
    "give": words_of(r"转[赠给]|送(?=人|给)", r"give|transfer\w*|friend"),
    "meaning": words_of(r"什么意思|区别|是什么|什么是|怎么个|玩法", r"what is|difference|mean"),
    "number": words_of(r"单号|编号", r"(?:tracking )?number"),
    "parcels": words_of(r"包裹|快递|物流|货物?|件(?!$)", r"parcels?\b|packages?\b|tracking|shipment"),
    "price": words_of(r"价格?(?!保|格保)", r"prices?\b"),
}
