"""Words from which ``sample_data`` builds companies, people, products and addresses; no real company is meant."""

from __future__ import annotations

BRANDS = tuple(
    zip(
        "华瑞恒泰中联信达鑫源博远宏图天成嘉禾金盛东方永安",
        [
            "hua",
            "rui",
            "heng",
            "tai",
            "zhong",
            "lian",
            "xin",
            "da",
            "xin",
            "yuan",
            "bo",
            "yuan",
            "hong",
            "tu",
            "tian",
            "cheng",
            "jia",
            "he",
            "jin",
            "sheng",
            "dong",
            "fang",
            "yong",
            "an",
        ],
        strict=True,
    )
)
"""Characters of trade names with their reading; two make a name."""

CITIES = (
    # city, province, administrative division, district, streets, postal code, area code
    ("北京", "北京", "110105", "朝阳区", ("建国路", "望京街", "酒仙桥路"), "100020", "10"),
    ("上海", "上海", "310115", "浦东新区", ("张江路", "世纪大道", "金科路"), "201203", "21"),
    ("深圳", "广东", "440305", "南山区", ("科技园南路", "深南大道", "海德三道"), "518057", "755"),
    ("广州", "广东", "440106", "天河区", ("天河路", "黄埔大道西", "体育东路"), "510620", "20"),
    ("杭州", "浙江", "330106", "西湖区", ("文三路", "天目山路", "古墩路"), "310012", "571"),
    ("苏州", "江苏", "320505", "虎丘区", ("滨河路", "金枫路", "竹园路"), "215011", "512"),
    ("南京", "江苏", "320106", "鼓楼区", ("中山北路", "湖南路", "汉中门大街"), "210009", "25"),
    ("宁波", "浙江", "330212", "鄞州区", ("百丈东路", "天童北路", "宁穿路"), "315100", "574"),
    ("武汉", "湖北", "420111", "洪山区", ("珞喻路", "雄楚大道", "民族大道"), "430074", "27"),
    ("成都", "四川", "510107", "武侯区", ("人民南路", "天府大道", "科华北路"), "610041", "28"),
    ("青岛", "山东", "370212", "崂山区", ("海尔路", "秦岭路", "香港东路"), "266061", "532"),
    ("西安", "陕西", "610113", "雁塔区", ("科技路", "高新路", "长安南路"), "710065", "29"),
)

TRADES = (
    # Chinese trade word, industry
    ("机械", "Manufacturing"),
    ("电子", "Electronics"),
    ("科技", "Technology"),
    ("贸易", "Trading"),
    ("自动化设备", "Manufacturing"),
    ("食品", "Food"),
    ("建材", "Construction"),
    ("物流", "Logistics"),
    ("医疗器械", "Healthcare"),
    ("信息技术", "Technology"),
    ("新能源", "Energy"),
)

SURNAMES = tuple("王李张刘陈杨赵黄周吴徐孙马朱胡郭何林高罗")
GIVEN = (
    "伟",
    "芳",
    "娜",
    "敏",
    "静",
    "丽",
    "强",
    "磊",
    "洋",
    "艳",
    "勇",
    "军",
    "杰",
    "婷",
    "浩然",
    "思远",
    "梓涵",
    "雨桐",
)
TITLES = ("采购经理", "财务主管", "总经理", "销售总监", "仓库主管", "行政助理")
DEPARTMENTS = ("采购部", "财务部", "总经办", "销售部", "仓储部", "行政部")

WESTERN = {
    # country: (phone prefix and length of the rest, suffixes, (city, state, postal code, street)…)
    "DE": (
        ("+4930", 8),
        ("GmbH", "AG", "KG"),
        (
            ("Hamburg", "Hamburg", "20457", "Hafenstraße"),
            ("München", "Bayern", "80331", "Sendlinger Straße"),
            ("Köln", "Nordrhein-Westfalen", "50667", "Hohe Straße"),
        ),
    ),
    "US": (
        ("+1212", 7),
        ("Inc.", "LLC", "Corp."),
        (
            ("Chicago", "IL", "60606", "West Monroe Street"),
            ("Austin", "TX", "78701", "Congress Avenue"),
            ("Portland", "OR", "97204", "SW Main Street"),
        ),
    ),
    "GB": (
        ("+4420794600", 2),
        ("Ltd", "PLC", "Co., Ltd."),
        (
            ("London", "Greater London", "EC2A 4NE", "Curtain Road"),
            ("Leeds", "West Yorkshire", "LS1 4AP", "Wellington Street"),
            ("Bristol", "Avon", "BS1 5TR", "Anchor Road"),
        ),
    ),
}
WESTERN_SURNAMES = [
    "Hansen",
    "Weber",
    "Müller",
    "Schäfer",
    "Baker",
    "Clarke",
    "Dawson",
    "Ellis",
    "Foster",
    "Grant",
    "Hughes",
    "Irving",
    "Jensen",
    "Keller",
    "Larsen",
    "Marsh",
    "Nolan",
    "Osborne",
    "Price",
    "Quinn",
    "Rhodes",
    "Sutton",
    "Turner",
    "Vaughn",
    "Whitaker",
    "Young",
    "Zimmer",
    "Brandt",
    "Fischer",
    "Krüger",
    "Lindqvist",
    "O'Neill",
]
WESTERN_GIVEN = [
    "Ann",
    "Ben",
    "Clara",
    "David",
    "Emma",
    "Felix",
    "Grace",
    "Henry",
    "Iris",
    "Jonas",
    "Karen",
    "Leo",
    "Mia",
    "Noah",
    "Olivia",
    "Paul",
]
WESTERN_TRADES = (
    ("Machinery", "Manufacturing"),
    ("Components", "Electronics"),
    ("Systems", "Technology"),
    ("Trading", "Trading"),
    ("Foods", "Food"),
    ("Logistics", "Logistics"),
    ("Instruments", "Healthcare"),
)
WESTERN_TITLES = ("Purchasing Manager", "Controller", "Managing Director", "Head of Sales")
WESTERN_DEPARTMENTS = ("Purchasing", "Finance", "Management", "Sales")

GOODS = (
    # name, category, unit, base price
    ("不锈钢球阀", "阀门", "件", 86),
    ("深沟球轴承", "轴承", "件", 23),
    ("伺服电机", "电机", "台", 1680),
    ("六角螺栓", "紧固件", "盒", 19),
    ("工业交换机", "网络设备", "台", 2350),
    ("温度传感器", "传感器", "个", 145),
    ("控制电缆", "线缆", "米", 8),
    ("液压油", "化工", "桶", 980),
    ("橡胶密封圈", "密封件", "包", 12),
    ("变频器", "电气", "台", 3260),
    ("铝型材", "型材", "千克", 31),
    ("标签打印机", "办公设备", "台", 890),
    ("Safety Gloves", "劳保", "双", 9),
    ("LED Panel Light", "照明", "个", 128),
    ("Barcode Scanner", "办公设备", "台", 760),
    ("Pneumatic Cylinder", "气动", "个", 310),
)
GRADES = ("A", "B", "C", "Pro", "Lite", "Plus", "X", "S")
