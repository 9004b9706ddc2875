"""Chinese surnames, and the everyday words that begin or end with one.

Rare surnames that are far more often another word in running text (`和`, `有`, `从`, `都`) are left out.
"""

_COMPOUND = """
欧阳 上官 司马 司徒 司空 诸葛 夏侯 皇甫 尉迟 公孙 慕容 令狐 宇文 长孙 轩辕 端木 独孤 南宫 东方 西门
申屠 淳于 呼延 赫连 闻人 濮阳 澹台 钟离
"""
_WORDS = """
周边 周围 周末 周二 周三 周四 周五 周六 周日 周年 周期 马上 马路 马桶 曾经 曾多 曾在 曾被 曾因 曾于
何时 何人 何处 何种 胡乱 胡同 黄色 黄牌 黄线 钱包 钱款 许多 许久 孙女 杨树 陈述 陈旧 张贴 丁字 钟头
钟点 顾客 屠宰 焦急 陆续 杜绝 柴油 曲线 欧洲 谢谢 唐突 郎中 苗木 苗圃 戴着 戴口 江东 江边 司机 房东
房主 车主 保安 保洁 保姆 任课 任何 高中 高校 高速 高铁 高空 高层 水电 水果 水务 安装 商户 商家 商务
商场 程序 党员 车间 车行 车队 车站 方才 方面 方代 管理 管委 文化 单位 花店 官方 原告 游客 石材 平台
康复 卫生 卫健 施工 申请 关于 关系 位于 于是 台风 时任 干部 金牌 白衣 班组 成员 年轻 强烈 强行 强制
严重 感谢 多谢 致谢 对方 警方 双方 校方 我方 他方 院方 店方 厂方 工程 课程 过程 流程 全程 行程 语文
英文 历史 音乐 货车 客车 汽车 轿车 校车 道路 公路 铁路 公安 治安 由于 对于 处于 属于 在于 至于 终于
旁边 身边 路边 河边 厨房 药房 病房 住房 门房 责任 主任 现任 前任 班任 当时 临时 同时 此时 不明 说明
经常 非常 分钟 树叶 亲戚 照顾 允许 也许 如何 为何 一张 每张 佩戴 身高 楼高 现金 押金 物管 宿管 主管
保管 城管 协管 交管 接管 停车 开车 打车 骑车 快车 专车
"""

COMMON = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱何郭马罗梁宋郑谢韩唐冯董萧肖曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎闫潘杜戴钟汪姜"
    "范姚谭廖邹熊陆郝崔邱秦顾侯邵孟钱尹黎乔赖龚庞樊殷陶翟颜倪俞鲁葛韦聂焦柳邢岳祁舒耿詹凌费靳欧甄曲裴鲍霍翁隋柯阮"
    "闵柴冉吉饶刁瞿戚滕晋邬臧苟褚娄奚穆郎邸冀姬屠郜晏栾揭窦敖糜鄢仇虞卞楚佟栗匡巫荆谌岑蔺邝缪冼骆尤覃赫郗桑佘尉"
    "荀厉仝郁麦丘邰腾雒亓逄阙覆邴辜蒲"
)
"""Surnames that are seldom anything else; they are believed in front of a title wherever they stand."""

EVERYDAY = frozenset(
    "高林于方任程时常安万武田金石江史文雷龙夏贺汤白康毛易严牛洪季章伍莫孔管祝左谷卜路关苗纪盛童项成游阳席卫查位单"
    "包司柏宁桂解强华车房边古米池苑宫简廉盖谈连商计喻党燕蒙宇冷卓花艾蓝巩储井竺乐封原官尚应台扬明沙薄伏习胥保向"
    "黑水云木景甘干年庾东占芦兰梅辛倩宗仲束平温段齐毕付申符植练闻幸余庄涂施"
)
"""Surnames that are everyday words as well; they are believed where nothing speaks against them."""

COMPOUND = frozenset(_COMPOUND.split())
"""Surnames of two characters."""

WORDS = frozenset(_WORDS.split())
"""Words of two characters that begin or end with a surname and are no name."""
