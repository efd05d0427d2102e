package main

var countries = []entity{
	{kind: country, en: "France", zh: "法国", facts: []fact{
		{capital, "Paris", "巴黎"}, {continent, "western Europe", "欧洲西部"},
		{tongue, "French", "法语"}, {product, "cheese and wine", "奶酪和葡萄酒"}}},
	{kind: country, en: "Egypt", zh: "埃及", facts: []fact{
		{capital, "Cairo", "开罗"}, {continent, "northern Africa", "非洲北部"},
		{tongue, "Arabic", "阿拉伯语"}, {product, "cotton and dates", "棉花和椰枣"}}},
	{kind: country, en: "Japan", zh: "日本", facts: []fact{
		{capital, "Tokyo", "东京"}, {continent, "eastern Asia", "亚洲东部"},
		{tongue, "Japanese", "日语"}, {product, "cars and cameras", "汽车和相机"}}},
	{kind: country, en: "Brazil", zh: "巴西", facts: []fact{
		{capital, "Brasilia", "巴西利亚"}, {continent, "South America", "南美洲"},
		{tongue, "Portuguese", "葡萄牙语"}, {product, "coffee and soya", "咖啡和大豆"}}},
	{kind: country, en: "Canada", zh: "加拿大", facts: []fact{
		{capital, "Ottawa", "渥太华"}, {continent, "North America", "北美洲"},
		{tongue, "English and French", "英语和法语"}, {product, "timber and maple syrup", "木材和枫糖浆"}}},
	{kind: country, en: "Kenya", zh: "肯尼亚", facts: []fact{
		{capital, "Nairobi", "内罗毕"}, {continent, "eastern Africa", "非洲东部"},
		{tongue, "Swahili and English", "斯瓦希里语和英语"}, {product, "tea and cut flowers", "茶叶和鲜花"}}},
	{kind: country, en: "Norway", zh: "挪威", facts: []fact{
		{capital, "Oslo", "奥斯陆"}, {continent, "northern Europe", "欧洲北部"},
		{tongue, "Norwegian", "挪威语"}, {product, "salmon and natural gas", "三文鱼和天然气"}}},
	{kind: country, en: "Thailand", zh: "泰国", facts: []fact{
		{capital, "Bangkok", "曼谷"}, {continent, "south-eastern Asia", "亚洲东南部"},
		{tongue, "Thai", "泰语"}, {product, "rice and rubber", "稻米和橡胶"}}},
	{kind: country, en: "Mexico", zh: "墨西哥", facts: []fact{
		{capital, "Mexico City", "墨西哥城"}, {continent, "North America", "北美洲"},
		{tongue, "Spanish", "西班牙语"}, {product, "silver and avocados", "白银和牛油果"}}},
	{kind: country, en: "Greece", zh: "希腊", facts: []fact{
		{capital, "Athens", "雅典"}, {continent, "southern Europe", "欧洲南部"},
		{tongue, "Greek", "希腊语"}, {product, "olives and marble", "橄榄和大理石"}}},
}

var dishes = []entity{
	{kind: dish, en: "fried rice", zh: "炒饭", facts: []fact{
		{ingredient, "cold cooked rice and eggs", "冷米饭和鸡蛋"}, {cooking, "stirring in a hot wok", "热锅快炒"},
		{flavour, "soy sauce and spring onion", "酱油和葱花"}, {origin, "China", "中国"}}},
	{kind: dish, en: "tomato soup", zh: "番茄汤", facts: []fact{
		{ingredient, "ripe tomatoes and onions", "熟番茄和洋葱"}, {cooking, "simmering for half an hour", "小火煮半小时"},
		{flavour, "basil and pepper", "罗勒和胡椒"}, {origin, "Spain", "西班牙"}}},
	{kind: dish, en: "sushi", zh: "寿司", facts: []fact{
		{ingredient, "vinegared rice and raw fish", "醋饭和生鱼片"}, {cooking, "rolling in dried seaweed", "用海苔卷起"},
		{flavour, "wasabi and pickled ginger", "芥末和腌姜"}, {origin, "Japan", "日本"}}},
	{kind: dish, en: "pizza", zh: "披萨", facts: []fact{
		{ingredient, "dough and mozzarella", "面团和马苏里拉奶酪"}, {cooking, "baking in a very hot oven", "高温烘烤"},
		{flavour, "oregano and olive oil", "牛至和橄榄油"}, {origin, "Italy", "意大利"}}},
	{kind: dish, en: "mapo tofu", zh: "麻婆豆腐", facts: []fact{
		{ingredient, "soft tofu and minced meat", "嫩豆腐和肉末"}, {cooking, "braising in a spicy sauce", "用辣酱烧煮"},
		{flavour, "chilli bean paste and Sichuan pepper", "豆瓣酱和花椒"}, {origin, "Sichuan", "四川"}}},
	{kind: dish, en: "guacamole", zh: "牛油果酱", facts: []fact{
		{ingredient, "avocados and tomatoes", "牛油果和番茄"}, {cooking, "mashing with a fork", "用叉子捣碎"},
		{flavour, "lime juice and coriander", "青柠汁和香菜"}, {origin, "Mexico", "墨西哥"}}},
	{kind: dish, en: "wonton soup", zh: "馄饨", facts: []fact{
		{ingredient, "thin dough, prawns and pork", "薄面皮、虾仁和猪肉"}, {cooking, "boiling in clear broth", "清汤煮熟"},
		{flavour, "sesame oil and white pepper", "香油和白胡椒"}, {origin, "southern China", "中国南方"}}},
	{kind: dish, en: "vegetable curry", zh: "蔬菜咖喱", facts: []fact{
		{ingredient, "potatoes, peas and cauliflower", "土豆、豌豆和花菜"}, {cooking, "stewing in coconut milk", "用椰浆炖煮"},
		{flavour, "turmeric and cumin", "姜黄和孜然"}, {origin, "India", "印度"}}},
}

var sports = []entity{
	{kind: sport, en: "football", zh: "足球", facts: []fact{
		{equipment, "a leather ball and two goals", "皮球和两个球门"}, {players, "eleven players", "十一名队员"},
		{venue, "a large grass pitch", "大草地球场"}, {skill, "passing and shooting", "传球和射门"}}},
	{kind: sport, en: "basketball", zh: "篮球", facts: []fact{
		{equipment, "a bouncing ball and two hoops", "弹性好的球和两个篮筐"}, {players, "five players", "五名队员"},
		{venue, "an indoor court", "室内球场"}, {skill, "dribbling and jumping", "运球和弹跳"}}},
	{kind: sport, en: "volleyball", zh: "排球", facts: []fact{
		{equipment, "a light ball and a high net", "轻球和高网"}, {players, "six players", "六名队员"},
		{venue, "a hall or a beach", "体育馆或沙滩"}, {skill, "serving and blocking", "发球和拦网"}}},
	{kind: sport, en: "baseball", zh: "棒球", facts: []fact{
		{equipment, "a wooden bat and gloves", "木制球棒和手套"}, {players, "nine players", "九名队员"},
		{venue, "a diamond-shaped field", "菱形场地"}, {skill, "throwing and batting", "投球和击球"}}},
	{kind: sport, en: "table tennis", zh: "乒乓球", facts: []fact{
		{equipment, "small bats and a hollow ball", "小球拍和空心小球"}, {players, "one or two players", "一到两名选手"},
		{venue, "a table with a low net", "带矮网的球台"}, {skill, "quick reactions and spin", "快速反应和旋转"}}},
	{kind: sport, en: "water polo", zh: "水球", facts: []fact{
		{equipment, "a floating ball and caps", "浮水的球和泳帽"}, {players, "seven players", "七名队员"},
		{venue, "a deep pool", "深水泳池"}, {skill, "treading water and throwing", "踩水和投掷"}}},
	{kind: sport, en: "ice hockey", zh: "冰球", facts: []fact{
		{equipment, "skates, sticks and a puck", "冰鞋、球杆和冰球"}, {players, "six players", "六名队员"},
		{venue, "a frozen rink", "冰场"}, {skill, "skating and quick passing", "滑行和快速传球"}}},
}

var weathers = []entity{
	{kind: weather, en: "fog", zh: "雾", facts: []fact{
		{trigger, "moist air cooling near the ground", "近地面潮湿空气变冷"}, {sign, "grey air and poor visibility",
			"空气灰白和能见度低"},
		{advice, "driving slowly with lights on", "开灯慢行"}, {season, "autumn mornings", "秋天的早晨"}}},
	{kind: weather, en: "a thunderstorm", zh: "雷暴", facts: []fact{
		{trigger, "warm air rising quickly", "热空气迅速上升"}, {sign, "towering clouds and thunder", "高耸的乌云和雷声"},
		{advice, "keeping away from tall trees", "远离高树"}, {season, "summer afternoons", "夏天的午后"}}},
	{kind: weather, en: "hail", zh: "冰雹", facts: []fact{
		{trigger, "ice lumps growing in storm clouds", "冰粒在积雨云中增大"}, {sign, "hard white balls of ice", "坚硬的白色冰球"},
		{advice, "putting the car under a roof", "把车停到棚下"}, {season, "late spring", "晚春"}}},
	{kind: weather, en: "a typhoon", zh: "台风", facts: []fact{
		{trigger, "warm sea water evaporating", "温暖海水蒸发"}, {sign, "heavy rain and violent wind", "暴雨和狂风"},
		{advice, "staying indoors and closing shutters", "待在室内并关好门窗"}, {season, "summer and early autumn", "夏季和初秋"}}},
	{kind: weather, en: "frost", zh: "霜", facts: []fact{
		{trigger, "clear nights below freezing", "晴夜气温降到零度以下"}, {sign, "white crystals on the grass", "草上的白色晶体"},
		{advice, "covering young plants", "给幼苗盖上薄膜"}, {season, "winter nights", "冬天的夜晚"}}},
	{kind: weather, en: "a heat wave", zh: "热浪", facts: []fact{
		{trigger, "high pressure staying for days", "高气压连日不散"}, {sign, "hot days and warm nights", "白天炎热和夜间闷热"},
		{advice, "drinking water and resting at noon", "多喝水和中午休息"}, {season, "the height of summer", "盛夏"}}},
	{kind: weather, en: "a sandstorm", zh: "沙尘暴", facts: []fact{
		{trigger, "strong wind over dry soil", "大风吹过干燥土地"}, {sign, "a yellow sky and dust", "天空发黄和尘土飞扬"},
		{advice, "wearing a mask and goggles", "戴口罩和护目镜"}, {season, "spring", "春天"}}},
}

var subjects = []entity{
	{kind: subject, en: "geometry", zh: "几何", facts: []fact{
		{topic, "lines, angles and shapes", "线、角和图形"}, {tool, "a ruler and compasses", "直尺和圆规"},
		{exercise, "drawing triangles", "画三角形"}, {benefit, "clear reasoning", "清晰的推理"}}},
	{kind: subject, en: "geography", zh: "地理", facts: []fact{
		{topic, "landscapes, rivers and cities", "地形、河流和城市"}, {tool, "maps and a globe", "地图和地球仪"},
		{exercise, "reading a map of the town", "看懂城市地图"}, {benefit, "a good sense of direction", "良好的方向感"}}},
	{kind: subject, en: "history", zh: "历史", facts: []fact{
		{topic, "past events and people", "过去的事件和人物"}, {tool, "old letters and timelines", "旧信件和年表"},
		{exercise, "comparing two reports of one event", "比较同一事件的两种记载"}, {benefit, "an understanding of the present",
			"对现实的理解"}}},
	{kind: subject, en: "music", zh: "音乐", facts: []fact{
		{topic, "melody and rhythm", "旋律和节奏"}, {tool, "a piano and drums", "钢琴和鼓"},
		{exercise, "singing in a choir", "参加合唱"}, {benefit, "a fine ear", "灵敏的耳朵"}}},
	{kind: subject, en: "chemistry", zh: "化学", facts: []fact{
		{topic, "substances and their reactions", "物质及其反应"}, {tool, "test tubes and a burner", "试管和酒精灯"},
		{exercise, "separating salt from sand", "把盐和沙分离"}, {benefit, "careful observation", "细致的观察"}}},
	{kind: subject, en: "painting", zh: "绘画", facts: []fact{
		{topic, "colour and form", "色彩和形状"}, {tool, "brushes and paper", "画笔和画纸"},
		{exercise, "sketching a bowl of fruit", "画一盘水果"}, {benefit, "a sense of beauty", "对美的感受"}}},
	{kind: subject, en: "computing", zh: "信息技术", facts: []fact{
		{topic, "programs and data", "程序和数据"}, {tool, "a computer and a keyboard", "电脑和键盘"},
		{exercise, "writing a small game", "编写小游戏"}, {benefit, "orderly problem solving", "有条理地解决问题"}}},
}
