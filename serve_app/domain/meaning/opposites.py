"""Words that exclude each other: of two questions that name different poles of one axis, one answer serves only one.

A question that names no pole, or all, contradicts nobody.
"""

from __future__ import annotations

import functools
import re

_AXES_ZH = (
    "开始|开启|起始;结束|截止|停止",
    "最早;最晚|最迟",
    "最多|最高|上限|至多;最少|最低|至少|下限",
    "开通|打开|启用|绑定|添加|订阅;关闭|停用|解绑|解除|移除|退订",
    "攒|赚|获得|累积|领取|领到;花|用掉|兑换|抵扣|消耗",
    "大了|太大|偏大|大一码|变大;小了|太小|偏小|小一码|变小",
    "便宜|降价|变低;贵|涨价|变高",
    "升级|升到|升为;降级|降到|降为",
    "存入|充值|转入|借入|收款;取出|提现|转出|借出|付款码",
    "买家|客户|顾客;商家|卖家|店家",
    "订单;账号|账户|帐号",
    "保留|留着|留下;退回|寄回|退掉|退货",
    "首次|首件|首单|第一次;每次|每件|每单",
    "增加|加大|加购;减少|删减|减掉",
    "上门|送货上门;自提|自取|驿站",
    "寄出|发出|寄给;收到|签收|收取",
    "公司|企业|单位;个人",
    "电子发票;纸质发票",
    "合并;拆分|分开",
    "恢复|找回;删除|注销",
    "提前;延后|推迟|延迟",
    "国内|境内;国外|海外|境外",
    "工作日;周末|节假日",
    "上午|早上;下午|晚上",
)
_AXES_EN = (
    "start|starts|begin|begins|open|opens;end|ends|finish|finishes|stop|stops|close|closes",
    "earliest|soonest;latest",
    "maximum|most|at most|highest;minimum|least|at least|lowest",
    "link|add|activate|enable|turn on|subscribe|join;unlink|remove|deactivate|disable|turn off|unsubscribe|leave",
    "earn|collect|gain;spend|redeem|use up|lose",
    "big|bigger|large|larger|long;small|smaller|tight|short",
    "cheap|cheaper|lower|drops|dropped|decrease;expensive|dearer|higher|rises|rose|increase",
    "upgrade|upgraded;downgrade|downgraded",
    "deposit|top up|pay in|lend;withdraw|cash out|take out|borrow",
    "order|orders;account|accounts",
    "keep;return|send back|give back",
    "home delivery|delivered;collect|pick up|pickup",
    "send|sent|ship|shipped;receive|received",
    "company|business|corporate;individual|personal",
    "combine|merge|together;split|separate|separately",
    "restore|recover;delete|erase",
    "early|earlier|sooner;late|later|postpone|delay",
    "domestic;international|abroad|overseas",
    "weekday|weekdays;weekend|weekends",
    "morning;evening|night",
    "lock|freeze|block;unlock|unfreeze|unblock",
    "arrive|arrival;depart|departure|leave",
    "import;export",
    "outgoing;incoming",
)


def _axes(lines: tuple[str, ...], pattern: str) -> tuple[tuple[re.Pattern[str], ...], ...]:
    return tuple(tuple(re.compile(pattern.format(pole)) for pole in line.split(";")) for line in lines)


_AXES = (*_axes(_AXES_ZH, "(?:{})"), *_axes(_AXES_EN, r"\b(?:{})\b"))


def contradict(one: str, other: str) -> bool:
    """Whether two canonical forms name different poles of an axis."""
    return any(first and second and not first & second for first, second in zip(_poles(one), _poles(other), strict=True))


@functools.lru_cache(maxsize=32768)
def _poles(form: str) -> tuple[frozenset[int], ...]:
    """Of each axis; kept, since a published wording is compared again and again."""
    return tuple(frozenset(at for at, pole in enumerate(axis) if pole.search(form)) for axis in _AXES)
