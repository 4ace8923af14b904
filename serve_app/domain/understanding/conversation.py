"""What is said apart from any question: greetings, thanks, yes and no, the wish for a person.

All patterns read the canonical form: lower case, simplified, no apostrophes, commas between clauses.
"""

from __future__ import annotations

from serve_app.domain.intents import Intent
from serve_app.domain.understanding.rules import rule

CONVERSATION = (
    rule(
        Intent.CRISIS,
        r"(?:想|要)(?:去)?(?:自杀|自残|跳楼|轻生|割腕)|(?<!不)想死(?!你|您|我|啦|了)|我不想活|活不下去"
        r"|活着没(?:有)?意思|结束(?:我|自己)的?生命"
        r"|\b(?:kill(?:ing)? myself|end(?:ing)? my (?:own )?life|(?:want|going) to die|suicidal|commit suicide"
        r"|hurt(?:ing)? myself|(?:dont|do not) want to live)\b",
    ),
    rule(
        Intent.GREETING,
        r"^(?:(?:你好|您好|hi|hello|hey|hiya|yo|howdy|在|在不在|在不|有人|有人在|有人在不|有没有人|早|早上好|上午好"
        r"|中午好|下午好|晚上好|哈喽|哈啰|嗨|嘿|哈罗"
        r"|客服在|客服|客服你好|你好客服|有客服|有客服在|hi there|hello there|hey there|good (?:morning|afternoon"
        r"|evening|day)"
        r"|(?:is |hello )?(?:anyone|anybody|someone|somebody) (?:there|here|home|around)|are you there|you there"
        r"|greetings)(?:[ ,]+|$|(?=你好|在)))+$",
    ),
    rule(
        Intent.THANKS,
        r"^(?:(?:好的?|ok|okay|嗯+|行|great|perfect|got it|cool|alright|知道了|明白了|收到)[ ,]*)?(?:(?:非常|太"
        r"|十分|真的)?(?:感谢|谢谢"
        r"|谢了|多谢|谢谢你|谢谢您|谢谢啦|谢啦"
        r"|辛苦了|辛苦啦|麻烦了|麻烦你了|谢谢客服|谢谢亲)|(?:many )?thanks(?: a lot| so much| a million| again)?|thank (?:you"
        r"|u)(?: so much| very much| a lot| again)?|(?:thx|tks)(?: a lot| so much)?|ty|tysm|cheers|3q"
        r"|(?:much|really) appreciated?|(?:i )?(?:really )?appreciate (?:it|that|your help)|you(?:ve"
        r"| have)? (?:were|been) (?:very |so )?helpful|thats? (?:very |so )?(?:helpful|kind))+$",
    ),
    rule(
        Intent.GOODBYE,
        r"^(?:(?:ok(?:ay)?|好的?|行|谢谢你?|thanks?|thank you|thx|great|alright)[ ,]*)*(?:再见|拜拜|拜|88|886|没事了"
        r"|没问题了|没别的(?:事|问题)了|没有(?:别的|其他)(?:事|问题)?了|没有问题了"
        r"|先这样|就这样|下次再聊|回头见|下次见|晚安"
        r"|(?:good ?)?bye(?: bye)?|see (?:you|ya)(?: later| soon)?|thats all(?: for now)?|thats it|nothing else"
        r"|no more questions|good ?night|have a (?:nice|good|great) (?:day|one|evening|night|weekend)"
        r"|im done|all good now)$",
    ),
    rule(
        Intent.AFFIRM,
        r"^(?:是|是的|对|对的|对对|好|好的|好滴|好吧|好嘞|好呀|嗯+|嗯呢|恩|可以|可以的|行|行的|没错|没问题|确认"
        r"|确定|要|要的|需要|是这个|就是这个|就这个|对,?就是这个|就它"
        r"|ok+|okay|okey|k|kk|y|yes+|yeah|yea|yep|yup|ya|sure|right|correct|exactly|please do|go ahead|of course"
        r"|absolutely|fine|sounds good|thats (?:right|correct|it|the one)|yes (?:please|it is|i do|that one"
        r"|thats it|thats right)"
        r"|this one|that one please)$",
    ),
    rule(
        Intent.DENY,
        r"^(?:不|不是|不是的|不对|不要|不要了|不用|不用了|不需要|没有|没|都不是|都不对|不行|不可以|算了|no+|nope"
        r"|(?:不用了?|算了)?[ ,]*(?:取消|不用|不要|别)转?接?人工了?"
        r"|nah|n|not really|neither|none"
        r"|none of (?:them|these|those|the above)|no (?:thanks|thank you|its not|i dont)"
        r"|never ?mind|not (?:that|this)(?: one)?|wrong one)$",
    ),
    rule(
        Intent.HUMAN,
        r"转(?:接|到)?一?下?人工|转接?(?:真人|客服)|(?:找|要|叫|联系|换|接|有没有|来)一?个?(?:真人|人工|活人"
        r"|客服人员|客服经理|人来)|^(?:我要|我想要?)?(?:真人|人工"
        r"|人工服务|人工客服|活人|真人客服)$"
        r"|(?:不想|不要|别)(?:和|跟|让)?(?:机器人?|ai)|(?:怎么|如何)(?:联系|找)(?:到)?(?:真人|人工|客服)|^(?:联系"
        r"|找|叫|呼叫)(?:你们)?客服$|我要(?:找"
        r"|见)?客服|人工客服(?:电话|呢|在哪)?$"
        r"|\b(?:talk|speak|chat|connect|connected|transfer|put|pass|switch|get|reach)(?: me)? (?:to|with"
        r"|through to|through|me|a|an)? ?(?:a |an |the |your )?(?:real |live |actual )?"
        r"(?:human(?: being)?|person|people|agent|representative|rep|someone|somebody|operator|support"
        r"|customer (?:service|support|care)|manager|supervisor)\b"
        r"|^(?:i (?:want|need) (?:a |an )?)?(?:real |live |actual )?(?:human|agent|person|representative|operator"
        r"|customer service|human please|live chat|customer service agent|support agent)(?: now| please| asap)?$"
        r"|\bnot a (?:bot|robot|machine)$",
        unless=(
            r"取消|几点|周[末六日]|节假日|春节|晚上|半夜|夜里|时间|上班|下班|营业|hours|what time|when|available|(?:不要|别"
            r"|不用|不想)(?:给我)?(?:转|找)"
            r"|(?:dont|do not|no need to"
            r"|not) .{0,12}(?:transfer|connect|talk|speak)"
        ),
    ),
    rule(
        Intent.COMPLAINT,
        r"投诉|差评|骗子|骗人|骗钱|垃圾(?!袋|桶)|太差|什么态度|气死|坑人|坑爹|12315|举报|黑店|无语|受够|恶心"
        r"|再也不(?:买|来)|什么(?:破|烂)|太慢了?$|太(?:坑|烂|过分)"
        r"|\b(?:scam(?:mers?)?|terrible|worst|ridiculous|unacceptable|complain(?:t|ing)?|rip ?off|awful|disgusting"
        r"|useless|pathetic|horrible|liars?|fraud|fed up|so (?:angry|disappointed|slow))\b",
        unless=(
            r"避免|防止|fraud protection|垃圾短信|(?:怎么|如何|哪里?|在哪|去哪).{0,4}(?:投诉|反映)"
            r"|投诉.{0,6}(?:电话|渠道|入口|流程|多久|几天|找谁|在哪|哪里)|差评.{0,4}(?:改|删|退)|(?:改|删|退)差评"
            r"|(?:电话|短信|冒充|链接|加我|转账|理赔|防|扫码).{0,14}骗|诈骗电话|电话诈骗"
            r"|\b(?:how|where|who|what if|what can|can i|is there|do you)\b.{0,40}\b(?:complain\w*|report|avoid|scams?|fraud)"
            r"|\b(?:scam|fraud)\w*\b.{0,20}\b(?:calls?|message|refund|link)\b|\b(?:calls?|called|message|link"
            r"|text)\b.{0,20}\bscam"
        ),
    ),
)
