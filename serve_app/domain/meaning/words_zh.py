"""Chinese words and what they mean in a question. Of several that could be read at one place, the longest is.

Small on purpose: two words stand for one concept only where no shop would answer them differently.
"""

from __future__ import annotations

from serve_app.domain.meaning.tokens import table

CHINESE = table(
    """
    : 的 地 里 里面 请 麻烦 帮我 帮忙 帮 一下 一下子 啊 呀 呢 吗 嘛 吧 哦 噢 哈 亲 请问 就 是 是不是 是否 这边 一般 通常
    : 大概 大约 具体 话 的话 在
    : 想问 问 问下 问一下 想知道 知道 告诉我 说一下 说下 咨询 到底 究竟 那个 个 情况下 情况 时候 的时候 时 呗 啦 喔 平时
    : 正常 正常情况下 比较
    ask how: 怎么 怎样 如何 咋 咋样 怎么样 怎么才能 怎么能 如何才能 怎么去 怎么弄 怎么操作 怎么办理 如何办理 如何操作 咋弄
    ask how: 怎么做 怎么搞 咋整 咋办理
    ask how: 流程 流程是什么 步骤 步骤是什么 的流程 的步骤 什么流程 怎么个流程 怎么可以 咋才能 怎样才能
    ask what_then: 怎么办 咋办 怎么处理 如何处理 如何是好 该怎么办 应该怎么办 要怎么办 怎么解决 怎么弄好
    ask how_long: 多久 多长时间 多长 几天 多少天 多久时间 多少时间 多少日 几日 多少个工作日 几个工作日 多少小时 几个小时
    ask how_long relation within: 多久之内 多久内 几天内 几天之内 多少天内 多少天之内 几天以内 多少天以内 多长时间内
    ask how_long relation within: 多久以内 几日内
    ask when: 什么时候 啥时候 何时 几时 哪天 什么时间 啥时 哪一天 几号 什么日子
    ask hour: 几点 几点钟
    ask how_much: 多少钱 多少 几块钱 几块 几元 多钱 啥价 多少元 是多少 是多少钱 好多钱
    ask how_many: 几个 几件 多少个 多少件 几张 几次 多少次 多少张 几单 几双
    ask where: 哪里 哪儿 在哪 在哪里 在哪儿 什么地方 哪 啥地方 何处 什么位置
    ask who: 谁 谁来 由谁 哪个人 哪位
    ask who do pay: 谁出 谁付 谁承担 谁掏 谁来出 谁来付 谁来承担 谁负担 由谁承担
    ask who do pay: 由谁来承担 由谁来出 由谁来付 由谁出
    ask who do pay: 由谁付 谁掏钱 谁出钱 谁付钱 算谁的
    ask who do pay: 谁买单
    ask why: 为什么 为啥 为何 怎么会 凭什么 干嘛 怎么回事 什么原因 啥原因 咋回事
    ask which: 哪些 哪个 哪种 哪家 哪几种 哪几个 哪一种 哪类 哪款
    ask what: 什么 啥 啥子 什么样 什么样的 是什么 有什么 有啥 有哪些 什么是 是啥 是啥子 是什么样
    ask meaning: 什么意思 啥意思 是什么意思
    modal can: 能 能不能 可以 可不可以 能否 可否 能够 可以不可以 支持 支不支持 允许 行不行 行 可
    modal will: 会 会不会 将会 将
    modal need: 要 要不要 需要 需不需要 用不用 需 得要
    modal must: 必须 一定要 一定得 一定 必得 非得 必需 务必 强制
    modal should: 应该 应当 该
    modal want: 想 想要 打算 准备 希望
    not no: 不 没 没有 未 无 别 不是 非 勿 没法 无法 不曾 从不 从未 尚未
    modal can not no: 能不能不 可不可以不 可以不
    not no modal can: 不能 不可以 不可 不行 不支持 不能够 不允许
    not no modal need: 不用 不需要 不必 无需 无须 不需 不要
    not no modal will: 不会
    do have: 有 有没有 拥有
    not no do have: 没有了
    aspect already: 已经 已 早已 都已经 已然 早就
    aspect still: 还 仍然 仍 依然 依旧
    aspect still modal can: 还能 还可以
    aspect again: 再 再次 重新 又 重复 二次
    aspect done: 了 过 完 好了 完了 掉了
    aspect now: 现在 目前 当前 正在
    aspect just: 刚 刚刚 刚才 才
    aspect always: 一直 总是 老是 经常 每次
    scope only: 只 仅 只能 仅仅 单独 只有 光 只要 仅限 只限
    scope all: 全部 所有 都 全 全都 整个 一律 全体 全额 整单 任何
    scope part: 部分 一部分 其中 部份 有些 某些 一些
    scope except: 除了 除 除外 以外 之外 例外 除开 不包括 不含
    scope also: 也 同样 一样 同时 一起 一块 一并
    scope each: 每 每个 每人 每天 每月 各
    scope most: 最 最多 最高 至多 上限
    scope least: 至少 最少 最低 起码 下限
    scope half: 半 一半
    scope other: 另外 其他 其它 别的 另 别人 他人 另一个 另外一个
    relation before: 前 之前 以前 事前 提前
    relation after: 后 之后 以后 过后 然后 完之后
    relation within: 内 之内 以内
    relation over: 超过 超 过了 超出 逾期 以上 满 大于 多于 高于 超时
    relation under: 以下 不满 不到 未满 少于 低于 不足 小于
    relation from: 从 由 自
    relation to: 到 至 往 向 去
    relation give: 给
    relation with: 和 跟 与 同 及
    relation or: 还是 或者 或
    relation than: 比 更 相比 较
    relation take: 把 将把
    relation by: 被 遭
    relation let: 让 叫 使
    relation for: 对 为 替 代 为了
    relation if: 如果 要是 假如 若 万一 假若 若是
    relation not_if: 除非
    person i: 我 我们 俺 本人 咱们 咱 自己 买家 顾客 客户 消费者 用户 我自己 买方 亲自
    person you: 你 你们 您 你家 你们家 贵店 本店 店家 商家 卖家 店铺 你们店 您们 卖方 官方 客服 贵司 公司方
    person they: 他 她 他们 她们 人家 对方 它 朋友 家人 别人家 快递员 小哥 快递小哥 骑手
    person my: 我的 我们的
    person your: 你的 你们的 您的
    person i do pay: 我出 我付 我承担 自己出 自己付 自己承担 买家出 买家承担 买家付 我掏 顾客承担 自费 自付
    person you do pay: 你们出 你们付 你们承担 卖家出 卖家承担 卖家付 商家出 商家承担 商家付 店家出 你出 你付
    figure today: 今天 今日 今晚 当天 当日 即日
    figure tomorrow: 明天 明日 明早 次日 隔天 隔日 第二天
    figure yesterday: 昨天 昨日 昨晚
    figure day_after: 后天
    figure day_before: 前天
    figure this_week: 这周 本周 这星期 这个星期
    figure next_week: 下周 下星期 下个星期
    figure last_week: 上周 上星期 上个星期
    figure this_month: 这个月 本月
    figure next_month: 下个月 下月
    figure last_month: 上个月 上月
    figure weekend: 周末 双休日 周六日 周六周日 周末两天
    figure holiday: 节假日 假期 放假 节日 法定节假日
    figure morning: 早上 上午 早晨 清晨
    figure noon: 中午
    figure afternoon: 下午
    figure evening: 晚上 夜里 夜间 半夜 晚间
    figure this_year: 今年
    figure last_year: 去年
    figure next_year: 明年
    do satisfy: 满意
    not no do satisfy: 不满意
    word no_reason: 无理由 无理由退换
    word an_order: 订单 单子 单
    word satisfied_ly: 十分
    word first: 第一 第一次 首次 首 首单 第一单
    word freight: 运费 邮费 快递费 配送费 运送费 运输费 邮寄费 物流费 快递运费 寄费 快递费用 运费用 邮递费
    word free_freight: 包邮 免运费 免邮 免邮费 包运费 免快递费 免配送费
    word account: 账号 账户 帐号 帐户 户头
    do log_in: 登录 登陆 登入
    do sign_up: 注册
    do change: 修改 更改 改 变更 更换 改动 改一下 换成
    word coupon: 优惠券 优惠卷 券 代金券 折扣券
    do pay: 付款 支付 付钱 付 交钱 给钱 缴费 付费 承担 负担 掏钱 出钱
    word item: 商品 东西 货品 宝贝 物品 产品 货物 货
    do receive: 收到 收到货 收货 签收 拿到 收到商品 收到货物 收到东西 到手
    do buy: 购买 买 购 购入
    do order: 下单 下订单 拍下 拍单 提交订单
    do ship: 发货 发出 寄出 发出去 出货 出库
    do send_back: 寄回 寄回去 退回去 邮回 寄回来
    do arrive: 送达 送到 到货 抵达 到达
    do post: 寄 邮寄 寄送
    do return: 退货 退掉 退
    do refund: 退款 退钱 退款项
    do exchange: 换货 换
    do cancel: 取消
    do withdraw: 撤销 撤回
    do apply: 申请 提交申请 发起申请
    do invoice: 开发票 开票 开具发票 开个发票 开张发票
    word invoice: 发票 票据
    do use: 使用 用 用掉
    do check: 查 查询 查看 看 查一下 查找 看到
    do contact: 联系 联络
    do deliver: 送货 配送 派送 派件 送
    do calculate: 算 计算 怎么计算
    do post_credit: 到账 到帐 入账
    do expire: 过期 到期 失效
    do delete: 删除 删 删掉
    do stop_account: 注销 销户
    do get: 领取 领 获取 获得 得到 拿
    do open: 打开 拆开 拆封 拆 开封 拆包 拆箱
    do wait: 等 等待
    do close: 关闭 关
    do lose: 丢 丢失 弄丢 遗失 丢了 弄丢了
    do fill: 填 填写 写
    do choose: 选择 选 挑选 挑
    word damaged: 坏 坏了 损坏 破损 破 破了 坏掉
    word wrong: 错 错误 错了
    word day: 天 日 号
    word workday: 工作日
    word hour: 小时 钟头
    word money: 钱 款 钱款 款项 金额
    word yuan: 元 块 块钱 人民币
    word phone: 手机号 手机号码 电话号码 电话 手机
    word parcel: 包裹
    word support_hours: 工作时间 上班时间 营业时间
    word person_agent: 人工 人工客服 真人
    word reason: 原因 理由
    word policy: 政策 规定 规则
    word address: 地址
    word delivery_address: 收货地址
    word size: 尺码 尺寸 码数
    word card: 卡
    name bank_card: 银行卡 储蓄卡 借记卡
    name credit_card: 信用卡
    name wechat: 微信 微信支付
    name alipay: 支付宝
    name huabei: 花呗
    name earnest: 订金
    name gold: 金卡 黄金 金牌 黄金会员 金卡会员
    name silver: 银卡 白银 银牌 银卡会员
    name platinum: 白金 白金卡 铂金 白金会员 白金卡会员
    name bronze: 铜卡 铜牌
    name diamond: 钻石 钻石卡
    name ordinary_member: 普通会员 普通用户
    name vip: vip 贵宾
    word member: 会员
    name xinjiang: 新疆
    name tibet: 西藏
    name sf: 顺丰
    name yto: 圆通
    name zto: 中通
    name sto: 申通
    name yunda: 韵达
    name ems: 邮政
    name jd: 京东
    name double11: 双十一 双11
    name double12: 双十二 双12
    word one: 一个 一件 一张
    """
)
