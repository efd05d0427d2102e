package main

var drugs = []entity{
	{kind: drug, en: "aspirin", zh: "阿司匹林", facts: []fact{
		{class, "antiplatelet drugs", "抗血小板药"},
		{use, "narrowed coronary arteries", "冠状动脉狭窄"},
		{action, "stopping platelets from clumping", "抑制血小板聚集"},
		{sideEffect, "stomach bleeding", "胃出血"},
	}},
	{kind: drug, en: "metformin", zh: "二甲双胍", facts: []fact{
		{class, "biguanides", "双胍类药物"},
		{use, "type 2 diabetes", "2型糖尿病"},
		{action, "reducing sugar output of the liver", "减少肝脏释放葡萄糖"},
		{sideEffect, "loose stools", "大便稀软"},
	}},
	{kind: drug, en: "amoxicillin", zh: "阿莫西林", facts: []fact{
		{class, "penicillins", "青霉素类药物"},
		{use, "bacterial chest infections", "细菌性肺部感染"},
		{action, "breaking bacterial cell walls", "破坏细菌细胞壁"},
		{sideEffect, "an allergic rash", "过敏性皮疹"},
	}},
	{kind: drug, en: "omeprazole", zh: "奥美拉唑", facts: []fact{
		{class, "proton pump inhibitors", "质子泵抑制剂"},
		{use, "heartburn and stomach ulcers", "烧心和胃溃疡"},
		{action, "switching off acid pumps", "抑制胃酸分泌"},
		{sideEffect, "low magnesium in long use", "久用致低镁血症"},
	}},
	{kind: drug, en: "ibuprofen", zh: "布洛芬", facts: []fact{
		{class, "non-steroidal anti-inflammatory drugs", "非甾体抗炎药"},
		{use, "sprains and period pain", "扭伤和痛经"},
		{action, "blocking prostaglandin production", "抑制前列腺素合成"},
		{sideEffect, "irritation of the stomach", "胃部刺激"},
	}},
	{kind: drug, en: "paracetamol", zh: "对乙酰氨基酚", facts: []fact{
		{class, "antipyretic painkillers", "解热镇痛药"},
		{use, "fever and headache", "发热和头痛"},
		{action, "resetting the temperature centre", "调节体温中枢"},
		{sideEffect, "liver damage in overdose", "过量致肝损伤"},
	}},
	{kind: drug, en: "atorvastatin", zh: "阿托伐他汀", facts: []fact{
		{class, "statins", "他汀类药物"},
		{use, "high cholesterol", "高胆固醇血症"},
		{action, "slowing cholesterol production", "抑制胆固醇合成"},
		{sideEffect, "muscle aches", "肌肉酸痛"},
	}},
	{kind: drug, en: "amlodipine", zh: "氨氯地平", facts: []fact{
		{class, "calcium channel blockers", "钙通道阻滞剂"},
		{use, "high blood pressure", "血压升高"},
		{action, "relaxing artery walls", "舒张动脉血管"},
		{sideEffect, "puffy ankles", "脚踝浮肿"},
	}},
	{kind: drug, en: "enalapril", zh: "依那普利", facts: []fact{
		{class, "ACE inhibitors", "ACE抑制剂"},
		{use, "chronic heart failure", "慢性心力衰竭"},
		{action, "preventing angiotensin formation", "阻止血管紧张素生成"},
		{sideEffect, "a dry cough", "干咳"},
	}},
	{kind: drug, en: "furosemide", zh: "呋塞米", facts: []fact{
		{class, "loop diuretics", "袢利尿药"},
		{use, "fluid in the lungs and legs", "肺部和下肢水肿"},
		{action, "making the kidneys pass more salt", "促进肾脏排钠排水"},
		{sideEffect, "low potassium", "低血钾"},
	}},
	{kind: drug, en: "warfarin", zh: "华法林", facts: []fact{
		{class, "oral anticoagulants", "口服抗凝药"},
		{use, "clots from atrial fibrillation", "房颤引起的血栓"},
		{action, "opposing vitamin K", "拮抗维生素K"},
		{sideEffect, "bleeding gums", "牙龈出血"},
	}},
	{kind: drug, en: "salbutamol", zh: "沙丁胺醇", facts: []fact{
		{class, "beta-2 agonists", "β2受体激动剂"},
		{use, "sudden asthma attacks", "哮喘急性发作"},
		{action, "opening narrowed airways", "扩张狭窄气道"},
		{sideEffect, "trembling hands", "手抖"},
	}},
	{kind: drug, en: "prednisone", zh: "泼尼松", facts: []fact{
		{class, "corticosteroids", "糖皮质激素"},
		{use, "severe inflammation", "严重炎症"},
		{action, "damping the immune system", "抑制免疫反应"},
		{sideEffect, "weight gain and thin bones", "体重增加和骨质变薄"},
	}},
	{kind: drug, en: "loratadine", zh: "氯雷他定", facts: []fact{
		{class, "antihistamines", "抗组胺药"},
		{use, "hay fever and hives", "花粉症和风团"},
		{action, "blocking histamine receptors", "阻断组胺受体"},
		{sideEffect, "a dry mouth", "口干"},
	}},
	{kind: drug, en: "fluoxetine", zh: "氟西汀", facts: []fact{
		{class, "serotonin reuptake inhibitors", "5-羟色胺再摄取抑制剂"},
		{use, "depression and anxiety", "抑郁和焦虑"},
		{action, "raising serotonin levels", "提高5-羟色胺水平"},
		{sideEffect, "nausea in the first weeks", "用药初期恶心"},
	}},
	{kind: drug, en: "morphine", zh: "吗啡", facts: []fact{
		{class, "opioids", "阿片类药物"},
		{use, "severe cancer pain", "重度癌痛"},
		{action, "dulling pain signals in the spinal cord", "阻断脊髓痛觉传导"},
		{sideEffect, "constipation and drowsiness", "便秘和嗜睡"},
	}},
	{kind: drug, en: "allopurinol", zh: "别嘌醇", facts: []fact{
		{class, "xanthine oxidase inhibitors", "黄嘌呤氧化酶抑制剂"},
		{use, "raised uric acid", "尿酸过高"},
		{action, "cutting uric acid production", "减少尿酸生成"},
		{sideEffect, "severe skin reactions", "严重皮肤反应"},
	}},
}

var nutrients = []entity{
	{kind: nutrient, en: "vitamin A", zh: "维生素A", facts: []fact{
		{family, "fat-soluble vitamins", "脂溶性维生素"},
		{role, "vision in dim light", "暗处视力"},
		{source, "liver and carrots", "动物肝脏和胡萝卜"},
		{lack, "night blindness", "夜盲症"},
	}},
	{kind: nutrient, en: "vitamin B1", zh: "维生素B1", facts: []fact{
		{family, "water-soluble vitamins", "水溶性维生素"},
		{role, "the use of sugar by nerves", "神经利用糖类"},
		{source, "whole grains and pork", "全谷物和瘦猪肉"},
		{lack, "beriberi", "脚气病"},
	}},
	{kind: nutrient, en: "vitamin B12", zh: "维生素B12", facts: []fact{
		{family, "water-soluble vitamins", "水溶性维生素"},
		{role, "the formation of red blood cells", "红细胞生成"},
		{source, "meat and eggs", "肉类和蛋类"},
		{lack, "megaloblastic anaemia", "巨幼细胞贫血"},
	}},
	{kind: nutrient, en: "vitamin C", zh: "维生素C", facts: []fact{
		{family, "water-soluble vitamins", "水溶性维生素"},
		{role, "collagen and wound healing", "胶原合成和伤口愈合"},
		{source, "oranges and green peppers", "柑橘和青椒"},
		{lack, "scurvy", "坏血病"},
	}},
	{kind: nutrient, en: "vitamin D", zh: "维生素D", facts: []fact{
		{family, "fat-soluble vitamins", "脂溶性维生素"},
		{role, "calcium absorption in the gut", "肠道钙吸收"},
		{source, "oily fish and egg yolks", "深海鱼和蛋黄"},
		{lack, "rickets", "佝偻病"},
	}},
	{kind: nutrient, en: "vitamin K", zh: "维生素K", facts: []fact{
		{family, "fat-soluble vitamins", "脂溶性维生素"},
		{role, "blood clotting", "血液凝固"},
		{source, "green leafy vegetables", "绿叶蔬菜"},
		{lack, "bleeding in newborns", "新生儿出血"},
	}},
	{kind: nutrient, en: "folic acid", zh: "叶酸", facts: []fact{
		{family, "water-soluble vitamins", "水溶性维生素"},
		{role, "cell division in the embryo", "胚胎细胞分裂"},
		{source, "spinach and beans", "菠菜和豆类"},
		{lack, "neural tube defects", "神经管畸形"},
	}},
	{kind: nutrient, en: "iron", zh: "铁元素", facts: []fact{
		{family, "trace elements", "微量元素"},
		{role, "oxygen transport in the blood", "血液运输氧气"},
		{source, "red meat and lentils", "红肉和动物血"},
		{lack, "pallor and poor stamina", "面色苍白和耐力下降"},
	}},
	{kind: nutrient, en: "calcium", zh: "钙元素", facts: []fact{
		{family, "major minerals", "常量元素"},
		{role, "strong bones and teeth", "骨骼和牙齿坚固"},
		{source, "milk and tofu", "牛奶和豆腐"},
		{lack, "brittle bones", "骨骼变脆"},
	}},
	{kind: nutrient, en: "iodine", zh: "碘元素", facts: []fact{
		{family, "trace elements", "微量元素"},
		{role, "thyroid hormone production", "甲状腺激素合成"},
		{source, "seaweed and iodised salt", "海带和加碘盐"},
		{lack, "goitre", "甲状腺肿大"},
	}},
	{kind: nutrient, en: "zinc", zh: "锌元素", facts: []fact{
		{family, "trace elements", "微量元素"},
		{role, "growth and the sense of taste", "生长发育和味觉"},
		{source, "oysters and pumpkin seeds", "牡蛎和南瓜子"},
		{lack, "slow growth and poor appetite", "生长迟缓和食欲差"},
	}},
	{kind: nutrient, en: "potassium", zh: "钾元素", facts: []fact{
		{family, "major minerals", "常量元素"},
		{role, "a steady heartbeat", "心跳稳定"},
		{source, "bananas and potatoes", "香蕉和土豆"},
		{lack, "muscle weakness and skipped beats", "肌无力和早搏"},
	}},
}
