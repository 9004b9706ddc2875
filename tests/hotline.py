"""A hotline feed in the manner of 12345, made up from a seed: with persons planted in its texts, and with traps."""

import random
from datetime import datetime, timedelta

BBOX = (114.68, 23.70, 114.80, 23.80)
CATEGORIES = ("噪音扰民", "占道经营", "路灯损坏", "垃圾清运", "邻里纠纷", "消防隐患", "供水供电", "违章停车")
SHARE = 0.3
"""Part of the rows that name a person."""

_SURNAMES = "李张刘陈杨赵黄周吴徐孙胡朱何郭罗梁宋郑谢韩唐冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛阎段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向汤"
_GIVEN = (
    "建国", "志强", "秀英", "桂芳", "丽娟", "伟明", "晓燕", "海涛", "国栋", "雪梅", "文彬", "玉兰",
    "俊杰", "慧敏", "春花", "家豪", "思远", "子涵", "梓萱", "小桥", "永福", "有才", "为民", "红英",
)  # fmt: skip
_REGIONS = ("441602", "441621", "441622", "110105", "310115", "510104", "650102", "360121")
PLACES = (
    "张江路与科苑路交叉口",
    "古竹镇李家村",
    "王先生餐厅门口",
    "黄田镇陈屋村",
    "江东新区高新五路",
    "临江镇周边",
    "白云小区3栋2单元",
    "方圆广场",
    "胡家巷12号",
    "马路边的杨树下",
    "城东街道何屋桥头",
    "金源大厦",
    "石坝镇石头路",
    "林寨古村",
)
_MATTERS = (
    "路灯不亮已有三天",
    "施工噪音很大影响休息",
    "垃圾堆放无人清理",
    "下水道堵塞污水外溢",
    "车辆占道停放堵住消防通道",
    "商铺占道经营",
    "井盖缺失存在安全隐患",
    "夜间广场舞音响过大",
)
_TRAPS = (
    "统计代码{region}006{n3}，请核实", "涉及金额{n5}.50元", "共计1{n5}{n5}元", "于2025-0{m}-1{m} 0{m}:3{m}发生", "时间为2025年{m}月1{m}日0{m}时", "受理日期2025031{m}",
    "原工单2503{n5}{n3}未办结", "案号（2025）粤1602民初{n5}号", "坐标114.73{n5}{n5}，23.75{n5}{n5}", "许可证号粤建施{n5}", "G205国道K25{m}+{n3}处", "省道S230K1{m}路段",
    "国道G25{m}", "位于网格44162110920{m}", "H3单元8a2a1072b59ffff", "编号为HX{n5}{m}", "语文老师和班主任老师都知道", "货车司机师傅不听劝阻", "业主方面强烈要求解决",
    "投诉人多次反映未果", "投诉人强烈要求尽快处理", "当事人应当整改", "业主何时能收到答复", "住户曾多次投诉", "拨打热线12345", "see case #1010015{n5}", "new cart # 51500{n5}",
    "Lakeshore Dr Toronto", "permit B25-{n5}-00", "at -79.38{n5}, 43.65{n5}", "reported by Boston Police", "第3次反映，共5户", "距离1500米，面积12000平方米",
)  # fmt: skip


def feed(
    rows: int = 10_000, seed: int = 12345, bbox: tuple[float, float, float, float] = BBOX
) -> tuple[list[dict[str, str]], set[str]]:
    """`rows` records as ticket, category, at (local time), lon, lat, content; and what none of them may leave behind."""
    luck = random.Random(seed)
    west, south, east, north = bbox
    planted: set[str] = set()
    made = []
    for number in range(rows):
        at = datetime(2025, 1, 1) + timedelta(seconds=luck.randrange(364 * 86_400))
        parts = [f"{luck.choice(PLACES)}{luck.choice(_MATTERS)}", trap(luck)]
        if luck.random() < SHARE:
            for _ in range(luck.randint(1, 3)):
                sentence, strings = plant(luck)
                parts.insert(luck.randint(0, len(parts)), sentence)
                planted.update(strings)
        made.append(
            {
                "ticket": f"{at:%y%m%d}{number:06}",
                "category": luck.choice(CATEGORIES),
                "at": f"{at:%Y-%m-%d %H:%M:%S}",
                "lon": f"{luck.uniform(west, east):.6f}",
                "lat": f"{luck.uniform(south, north):.6f}",
                "content": "，".join(parts) + "。",
            }
        )
    return made, planted


def trap(luck: random.Random) -> str:
    """Words that look like a person and are none."""
    return luck.choice(_TRAPS).format(
        region=luck.choice(_REGIONS),
        m=luck.randint(1, 9),
        n3=f"{luck.randrange(1000):03}",
        n5=f"{luck.randrange(10_000, 100_000)}",
    )


def plant(luck: random.Random) -> tuple[str, list[str]]:
    """A sentence that names a person, and the strings that do so."""
    number, phone, plate, name = (
        card(luck),
        mobile(luck),
        _plate(luck),
        luck.choice(_SURNAMES) + luck.choice(_GIVEN),
    )
    line = f"0762{luck.choice(['-', ' ', ''])}3{luck.randrange(10**6):06}"
    bare = f"3{luck.randrange(10**6):06}"
    title = luck.choice(["先生", "女士", "小姐", "老师", "师傅", "阿姨", "大爷"])
    short = luck.choice("李张刘陈杨赵黄周吴徐孙胡朱郭罗") + title
    local = f"{luck.choice(['zhang', 'li.wei', 'wang_88'])}{luck.randrange(10**6)}"
    email = f"{local}@{luck.choice(['qq.com', '163.com', 'mail.example.org'])}"
    english = f"{luck.choice(['Alan', 'Grace', 'Maria'])} {luck.choice(['Whitfield', 'Holloway', 'O’Brien'])}"
    abroad = f"({luck.randint(201, 989)}) 555-0{luck.randrange(100, 200)}"
    wechat = f"wx_{luck.randrange(10**8):08}"
    return luck.choice(
        (
            (f"身份证号{number}", [number]),
            (f"市民{name}{title}（电话{phone}）来电", [name, phone]),
            (f"联系人：{name}，{phone}", [name, phone]),
            (f"投诉人{luck.choice('李张刘陈杨赵')}{name[1:]}反映该情况", [name[1:]]),
            (f"报案人姓名：{name}，身份证：{number}", [name, number]),
            (f"{short}表示不满", [short]),
            (f"车牌号{plate}的小车", [plate]),
            (f"有一辆{plate}长期停放", [plate]),
            (f"请回电{line}", [line]),
            (f"联系电话{bare}", [bare]),
            (f"可发邮件至{email}", [email]),
            (f"微信号：{wechat}", [wechat]),
            (f"caller name: {english}, call {abroad}", [english, abroad]),
            (f"spoke with Mr. {english} about it", [english]),
            (f"手机{phone}", [phone]),
        )
    )


def card(luck: random.Random) -> str:
    """An ID card number whose check character is right."""
    born = datetime(1940, 1, 1) + timedelta(days=luck.randrange(25_000))
    body = f"{luck.choice(_REGIONS)}{born:%Y%m%d}{luck.randrange(1, 1000):03}"
    number = body + "10X98765432"[sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(body)) % 11]
    return luck.choice([number, number.lower(), f"{number[:6]} {number[6:14]} {number[14:]}", wide(number)])


def mobile(luck: random.Random) -> str:
    """A mobile's number in one of its spellings."""
    number = f"1{luck.choice('3456789')}{luck.randrange(10**9):09}"
    return luck.choice(
        [
            number,
            wide(number),
            f"{number[:3]}-{number[3:7]}-{number[7:]}",
            f"{number[:3]} {number[3:7]} {number[7:]}",
            f"+86 {number}",
            f"+86-{number[:3]}-{number[3:7]}-{number[7:]}",
            f"0086{number}",
        ]
    )


def wide(text: str) -> str:
    """The text in full-width digits."""
    return text.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})


def _plate(luck: random.Random) -> str:
    serial = "".join(luck.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=1) + luck.choices("0123456789", k=4))
    return (
        luck.choice("粤湘赣京")
        + luck.choice("ABP")
        + luck.choice(["", "·", " "])
        + luck.choice([serial, "D0" + serial[1:]])
    )
