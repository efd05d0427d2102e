package main

var skin = []entity{
	{kind: disease, en: "eczema", zh: "湿疹", facts: []fact{
		{site, "the folds of the elbows", "肘窝皮肤"},
		{symptom, "dry and itchy patches", "皮肤干燥和瘙痒"},
		{cause, "a weak skin barrier", "皮肤屏障受损"},
		{treatment, "moisturiser and steroid cream", "保湿霜和激素软膏"},
		{department, "dermatology", "皮肤科"},
		{prevention, "avoiding harsh soaps", "不用刺激性肥皂"},
	}},
	{kind: disease, en: "psoriasis", zh: "银屑病", facts: []fact{
		{symptom, "red plaques with silvery scales", "红斑和银白色鳞屑"},
		{cause, "overly rapid growth of skin cells", "皮肤细胞增殖过快"},
		{treatment, "vitamin D ointment", "维生素D类软膏"},
		{department, "dermatology", "皮肤科"},
	}},
	{kind: disease, en: "acne", zh: "痤疮", facts: []fact{
		{site, "the face and upper back", "面部和上背部"},
		{symptom, "pimples and blackheads", "粉刺和丘疹"},
		{cause, "blocked oil glands", "皮脂腺堵塞"},
		{treatment, "benzoyl peroxide", "过氧化苯甲酰"},
		{department, "dermatology", "皮肤科"},
		{prevention, "cleaning the face gently", "温和清洁面部"},
	}},
	{kind: disease, en: "urticaria", zh: "荨麻疹", facts: []fact{
		{symptom, "itchy wheals that come and go", "时起时消的瘙痒风团"},
		{cause, "histamine released in the skin", "皮肤释放组胺"},
		{treatment, "loratadine", "氯雷他定"},
		{department, "dermatology", "皮肤科"},
		{prevention, "avoiding known trigger foods", "避开致敏食物"},
	}},
	{kind: disease, en: "scabies", zh: "疥疮", facts: []fact{
		{site, "the skin between the fingers", "指缝皮肤"},
		{symptom, "itching that worsens at night", "夜间加重的瘙痒"},
		{cause, "burrowing mites", "疥螨寄生"},
		{treatment, "permethrin cream", "扑灭司林乳膏"},
		{prevention, "washing bedding in hot water", "热水烫洗被褥"},
	}},
	{kind: disease, en: "shingles", zh: "带状疱疹", facts: []fact{
		{site, "a sensory nerve", "感觉神经"},
		{symptom, "painful blisters in a band", "带状分布的疼痛水疱"},
		{cause, "reawakened chickenpox virus", "体内水痘病毒再激活"},
		{treatment, "aciclovir", "阿昔洛韦"},
		{department, "dermatology", "皮肤科"},
		{prevention, "getting vaccinated after fifty", "五十岁后接种疫苗"},
	}},
}

var infections = []entity{
	{kind: disease, en: "measles", zh: "麻疹", facts: []fact{
		{symptom, "red rash and white mouth spots", "全身红疹和口腔白斑"},
		{cause, "a highly contagious airborne virus", "传染性极强的空气传播病毒"},
		{treatment, "vitamin A and rest", "补充维生素A和休息"},
		{department, "paediatrics", "儿科"},
		{prevention, "giving children two MMR doses", "儿童接种两剂麻腮风疫苗"},
	}},
	{kind: disease, en: "chickenpox", zh: "水痘", facts: []fact{
		{symptom, "itchy blisters in crops", "分批出现的瘙痒水疱"},
		{cause, "varicella-zoster virus", "水痘带状疱疹病毒"},
		{treatment, "calamine lotion", "炉甘石洗剂"},
		{department, "paediatrics", "儿科"},
		{prevention, "keeping away from infected children", "避免接触患病儿童"},
	}},
	{kind: disease, en: "mumps", zh: "腮腺炎", facts: []fact{
		{site, "the parotid glands", "腮腺"},
		{symptom, "swollen cheeks below the ears", "耳垂下方肿胀"},
		{cause, "a virus carried in saliva", "经唾液传播的病毒"},
		{treatment, "rest and cold compresses", "休息和冷敷"},
		{department, "paediatrics", "儿科"},
	}},
	{kind: disease, en: "malaria", zh: "疟疾", facts: []fact{
		{site, "the red blood cells", "红细胞"},
		{symptom, "recurrent chills and fever", "反复寒战和高热"},
		{cause, "Plasmodium parasites", "疟原虫"},
		{treatment, "artemisinin combinations", "青蒿素类复方药"},
		{test, "blood smear microscopy", "血涂片检查"},
		{prevention, "sleeping under mosquito nets", "睡觉挂蚊帐"},
	}},
	{kind: disease, en: "rabies", zh: "狂犬病", facts: []fact{
		{site, "the brain", "大脑"},
		{symptom, "fear of water", "恐水"},
		{cause, "the bite of an infected dog", "被病犬咬伤"},
		{department, "infectious diseases", "感染科"},
		{prevention, "washing bites and vaccinating at once", "冲洗伤口并立即接种疫苗"},
	}},
	{kind: disease, en: "tetanus", zh: "破伤风", facts: []fact{
		{symptom, "lockjaw and muscle spasms", "牙关紧闭和肌肉痉挛"},
		{cause, "a toxin from soil bacteria", "土壤细菌产生的毒素"},
		{treatment, "antitoxin immunoglobulin", "抗毒素免疫球蛋白"},
		{department, "infectious diseases", "感染科"},
		{prevention, "cleaning wounds and having boosters", "清洁伤口和加强接种"},
	}},
	{kind: disease, en: "cholera", zh: "霍乱", facts: []fact{
		{symptom, "diarrhoea like rice water", "米泔水样腹泻"},
		{cause, "Vibrio cholerae", "霍乱弧菌"},
		{treatment, "oral rehydration salts", "口服补液盐"},
		{test, "stool culture", "粪便培养"},
		{prevention, "boiling drinking water", "喝烧开的水"},
	}},
	{kind: disease, en: "HIV infection", zh: "艾滋病", facts: []fact{
		{site, "the CD4 lymphocytes", "CD4淋巴细胞"},
		{symptom, "repeated opportunistic infections", "反复机会性感染"},
		{cause, "unprotected sex and shared needles", "无保护性行为和共用针具"},
		{treatment, "lifelong antiretroviral drugs", "终身抗病毒药物"},
		{department, "infectious diseases", "感染科"},
		{prevention, "using condoms", "使用安全套"},
	}},
}

var blood = []entity{
	{kind: disease, en: "iron deficiency anaemia", zh: "缺铁性贫血", facts: []fact{
		{symptom, "pale skin and weakness", "面色苍白和乏力"},
		{cause, "heavy periods and poor diet", "月经过多和饮食不足"},
		{treatment, "ferrous sulfate", "硫酸亚铁"},
		{test, "serum ferritin measurement", "血清铁蛋白检测"},
		{department, "haematology", "血液科"},
	}},
	{kind: disease, en: "haemophilia", zh: "血友病", facts: []fact{
		{symptom, "bleeding into the joints", "关节内出血"},
		{cause, "an inherited lack of clotting factor", "遗传性凝血因子缺乏"},
		{treatment, "clotting factor infusions", "输注凝血因子"},
		{department, "haematology", "血液科"},
	}},
	{kind: disease, en: "leukaemia", zh: "白血病", facts: []fact{
		{site, "the bone marrow", "骨髓"},
		{symptom, "easy bruising and lasting fever", "皮肤瘀斑和持续发热"},
		{cause, "uncontrolled growth of white cells", "白细胞失控增殖"},
		{treatment, "chemotherapy", "化疗"},
		{test, "bone marrow biopsy", "骨髓穿刺活检"},
		{department, "haematology", "血液科"},
	}},
}
