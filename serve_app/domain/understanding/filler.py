"""Words that say nothing of what a question is about: grammar, everyday words, what a shop sells.

Whatever is neither among these nor a thing nor an aspect is unknown, and too much of that means another question.
"""

from __future__ import annotations

import re

_FILLER = re.compile(
    r"你们家?|不知道|鞋|裤|裙|外套|杯子|帽子|面膜|被子|毛巾|出门|安排|提交|点错|续|打款|儿子|女儿|老公|老婆|快点|急用"
    r"|多谢|您|咱们?|贵店|我们?|他|她|商家|卖家|买家|亲|的话|的|了|吗|呢|啊|吧|么|嘛|呀|不(?=$)|没(?=$)|哦|是(?:不是"
    r"|否)?"
    r"|有没有|没有|有|能不能|可不可以|可以|能够?|行不?行?|会不会|会|要不要|要|想|需要?|应该|得|给|把|被|让|帮|和|跟|与|及"
    r"|或者?|还是|还|就|都|人|谁|也|又|再|才|只|很|太|最|更|比较|一下|一般|通常|大概|如果|要是|万一|因为|所以|然后|之后|以后"
    r"|后|之前|以前|前|之内|以内|内|以上|的时候|时候|时|里面?|上|下|中|从|到|在|去|来|这|那|它|每|个|件|单|次|张|天|号|年|月"
    r"|日|元|块|钱|东西|商品|产品|宝贝|衣服|鞋子?|裤子|手机壳?|耳机|买|购买?|支持|提供|处理|办理?|弄|搞|做|用|使用|看|查|问"
    r"|知道|说|显示|提示|发现|一个|一件|一单|一|两|三|几|多少?|七|7|第|什么|啥|怎么|怎样|如何|咋|哪些?|为|影响|膨胀|喜欢"
    r"|合适|满意|觉得|好|意思|签收|限制|盒子|大小|一样|退出|自动|工作|服务|免费|套[装餐]|审核|通过|合格|已经|保护|设置|页面"
    r"|补开|开好?|忘记|辨别|保证|回复|现在|运输|指定|默认|联系|结束|开始|参加|结果|渠道|条款|官方|品牌|划分|重置|礼包|礼物"
    r"|合理|选择|转|算|放|收|费|表|回事?|取|员|销|样|提前|完|掉|找|刷|写|刚|家|今天|走|包装|第三方|陌生|隐藏|正常|路|另|电子"
    r"|原因|资料|材料|什么样|操作|方式|接到|自称|短信|记录|保存|系统|实际|地方|外包装|信息|方法|情况|审核|期间|款式|速度"
    r"|其他|别的|别人|朋友|自己|本人|对|吧|请|麻烦|到底|直接|可|不能|不可以|不会|不|没|未|无|等|全部|全|所有|新|旧|\d+"
    r"|\b(?:a|an|the|my|your|our|their|his|her|its|it|this|that|these|those|i|im|ive|id|you|u|we|they|me|us|them|he|she|do"
    r"|does|did|doing|done|is|are|was|were|be|been|being|am|can|could|will|would|shall|should|may|might|must|have|has|had"
    r"|having|get|gets|got|getting|to|of|for|on|in|at|by|with|from|into|about|as|if|or|and|but|so|than|then|not|no|any|some"
    r"|all|every|each|what|which|who|how|when|where|why|there|here|up|out|off|over|again|also|too|just|still|yet|already"
    r"|only|much|many|more|long|way|please|want|need|needs|like|know|see|take|takes|took|give|gives|make|makes|use|uses"
    r"|using|used|offer|offers|offered|provide|provides|accept|accepts|allow|allows|possible|able|item|items|product"
    r"|products|goods|thing|things|something|anything|order|orders|clothes|shoes|one|ones|other|another|new|old|now|after"
    r"|before|within|during|until|till|per|day|days|week|month|go|goes|going|come|comes|happen|happens|let|put|say|says|work"
    r"|works|through|while|without|because|customers?|people|someone|else|sort|kind|type|issue|issues|stuff|trainers"
    r"|sneakers|shirt|dress|jacket|mug|cup|clicked|mistake|submitted|unused|page|indoors|guy|generally|permanently|send"
    r"|received?|arrive"
    r"|period|mind|start|leave|name|two|three|several|message|share|guarantee|safe|write|window|once|bad|home|different"
    r"|money|page|program|reset|protect|box|set|extra|included?|early|earlier|later|date|due|today|yesterday|year|next|end"
    r"|current|help|right|show|shows|limit|different|talk|talking|file|place|plan|options|covers?|processing|sell|myself"
    r"|everything|outcome|service|special|reason|instead|original|method|yours|mine|usually|normally|actually|really|ever"
    r"|dont|doesnt|isnt|arent|whats|hows|wheres|whos|s|t|im)\b|[\d,.%]+"
)
_EVERYDAY = re.compile(
    r"T恤|卫衣|羽绒服|牛仔|衬衫|围巾|睡衣|跑步|小白|拖鞋|雨靴|双肩包|背包|帆布袋|登机箱|行李箱|卡包|蓝牙|充电宝|键盘|鼠标"
    r"|台灯|保温杯|马克杯|四件套|枕头|浴巾|收纳箱|蜡烛|空气炸锅|锅|刀|咖啡壶|瑜伽垫|哑铃|露营灯|积木|玩具|箱子|袋子|盒"
    r"|突然|刚刚|昨天|明天|上周|下周|早上|中午|每天|有点|一点|一直|总是|老是|经常|但是|但|不过|而且|其实|真的|确实|应该"
    r"|必须|可能|估计|差不多|左右|目前|马上|立刻|尽快|赶紧|慢|麻烦|方便|着急|打算|准备|比如|例如|关于|具体|详细|大家|顾客"
    r"|用户|妈妈|爸爸|孩子|同事|朋友|半|份|双|瓶|台|部|只要|只有|除了|另外|顺便|直接|到底|究竟|居然|反正|总之|算|当"
    r"|变|得到|觉|想知道|告诉|介绍|解释|说明|帮忙|告知|回|出来|起来|过来|过去|下去|完|着|过|"
    r"\b(?:actually|afternoon|ago|anyway|app|application|around|asap|ask|asked|asking|backpack|bag|basically|bed|believe"
    r"|best|better|big|bit|blanket|blocks|book|books|boots|boss|both|bottle|btw|camera|candle|cant|case|certain|chair"
    r"|charger|child|clear|colleague|common|computer|cooker|couple|cream|curious|currently|dad|daughter|desk|difficult"
    r"|dont|down|driver|dumbbell|earbuds|easy|either|email|enough|entire|especially|exactly|explain|feel|feels|few"
    r"|flowers|found|friday|friend|front|fryer|glasses|gonna|good|gotta|guess|guy|half|hard|headphones|hear|heard|hello"
    r"|hmm|hold|holds|hoodie|husband|immediately|inside|jeans|keep|keeping|keeps|kettle|keyboard|kid|kids|kinda|knife"
    r"|lamp|land|lands|lantern|laptop|large|lately|later|left|letter|like|little|lol|look|looking|looks|lot|lots|loyalty"
    r"|mail|mat|maybe|monday|morning|mouse|mum|near|neighbor|neighbour|neither|no|normal|note|ok|okay|online|outside|own"
    r"|pan|paper|person|pillow|plate|possibly|probably|pyjamas|question|quick|quickly|quite|rather|read|recently|scarf"
    r"|screen|seems|sheet|short|shorts|simple|simply|since|single|site|skirt|slippers|small|sofa|son|soon|sorry|such"
    r"|suitcase|sure|table|tablet|tell|text|think|thinking|thought|thursday|told|tote|towel|toy|toys|try|trying|tuesday"
    r"|understand|units|value|very|wait|waiting|wanna|watch|website|wednesday|well|whole|wife|wonder|wondering|wont|yes"
    r"|yuan|above|accidentally|already|although|anybody|anymore|anyone|anything|apart|approximately|article|basket"
    r"|behind|being|below|between|beyond|bigger|bluetooth|body|bottom|bread|cable|cake|cart|cheaper|checkout|chocolate"
    r"|clothes|clothing|coffee|coming|completely|despite|drink|electronics|eventually|everybody|everyone|everything|eye"
    r"|fabric|finally|find|finds|flat|food|fruit|fully|gave|getting|give|given|giving|going|gym|hair|hand|hands|hate"
    r"|hates|having|head|headset|hes|house|however|ill|item|job|kept|kind|larger|length|likes|longer|love|loves|made"
    r"|make|material|meat|menu|middle|milk|mistakenly|model|moment|months|mostly|must|nearly|need|needs|nobody|none"
    r"|office|onto|otherwise|partly|party|per|perhaps|picks|places|pls|plug|plz|present|profile|put|puts|putting|rice"
    r"|roughly|running|said|say|saying|says|school|second|sells|send|sending|sends|series|settings|shall|shes|shopping"
    r"|shorter|show|showed|shown|shows|side|skin|smaller|somebody|something|sort|spot|stuff|suddenly|take|taken|takes"
    r"|tea|tells|term|terms|therefore|theyd|theyre|thing|though|thx|together|top|totally|toward|trip|tv|typed|types"
    r"|university|unless|upon|ur|usb|use|uses|version|via|want|wanted|wants|way|ways|wearing|wed|weeks|whatever"
    r"|whenever|wherever|whether|whichever|while|wireless|working|youre)s?\b"
)
# What belongs to every topic.
FILLER = re.compile(f"{_FILLER.pattern}|{_EVERYDAY.pattern}")
