package main

var organs = []entity{
	{kind: organ, en: "the heart", zh: "心脏", facts: []fact{
		{system, "the circulatory system", "循环系统"},
		{task, "pumping blood through the body", "把血液泵到全身"},
		{location, "behind the breastbone", "胸骨后方"},
		{specialist, "cardiologist", "心内科医生"},
	}},
	{kind: organ, en: "the lung", zh: "肺脏", facts: []fact{
		{system, "the respiratory system", "呼吸系统"},
		{task, "taking up oxygen from the air", "从空气中吸收氧气"},
		{location, "inside the rib cage", "胸廓之内"},
		{specialist, "chest physician", "呼吸科医生"},
	}},
	{kind: organ, en: "the stomach", zh: "胃", facts: []fact{
		{system, "the digestive system", "消化系统"},
		{task, "churning food with acid", "用胃酸研磨食物"},
		{location, "in the left upper abdomen", "左上腹"},
		{specialist, "gastroenterologist", "消化科医生"},
	}},
	{kind: organ, en: "the liver", zh: "肝脏", facts: []fact{
		{system, "the digestive system", "消化系统"},
		{task, "clearing poisons and making bile", "解毒和分泌胆汁"},
		{location, "under the right ribs", "右侧肋骨下方"},
		{specialist, "hepatologist", "肝病科医生"},
	}},
	{kind: organ, en: "the kidney", zh: "肾脏", facts: []fact{
		{system, "the urinary system", "泌尿系统"},
		{task, "filtering waste out of the blood", "过滤血液中的废物"},
		{location, "on either side of the spine", "脊柱两侧"},
		{specialist, "nephrologist", "肾内科医生"},
	}},
	{kind: organ, en: "the pancreas", zh: "胰腺", facts: []fact{
		{system, "the endocrine system", "内分泌系统"},
		{task, "making insulin and enzymes", "分泌胰岛素和消化酶"},
		{location, "behind the stomach", "胃的后方"},
		{specialist, "endocrinologist", "内分泌科医生"},
	}},
	{kind: organ, en: "the spleen", zh: "脾脏", facts: []fact{
		{system, "the lymphatic system", "淋巴系统"},
		{task, "removing worn-out red cells", "清除衰老的红细胞"},
		{location, "under the left ribs", "左侧肋骨下方"},
		{specialist, "haematologist", "血液科医生"},
	}},
	{kind: organ, en: "the cerebellum", zh: "小脑", facts: []fact{
		{system, "the nervous system", "神经系统"},
		{task, "keeping balance and coordination", "维持平衡和协调"},
		{location, "at the back of the skull", "颅腔后下方"},
		{specialist, "neurologist", "神经科医生"},
	}},
	{kind: organ, en: "the retina", zh: "视网膜", facts: []fact{
		{system, "the visual system", "视觉系统"},
		{task, "turning light into nerve signals", "把光线转成神经信号"},
		{location, "at the back of the eyeball", "眼球后壁"},
		{specialist, "ophthalmologist", "眼科医生"},
	}},
	{kind: organ, en: "the femur", zh: "股骨", facts: []fact{
		{system, "the skeletal system", "骨骼系统"},
		{task, "carrying the weight of the trunk", "支撑躯干的重量"},
		{location, "between the hip and the knee", "髋和膝之间"},
		{specialist, "orthopaedic surgeon", "骨科医生"},
	}},
	{kind: organ, en: "the uterus", zh: "子宫", facts: []fact{
		{system, "the reproductive system", "生殖系统"},
		{task, "sheltering the growing baby", "孕育胎儿"},
		{location, "between the bladder and the rectum", "膀胱和直肠之间"},
		{specialist, "gynaecologist", "妇科医生"},
	}},
}

var examinations = []entity{
	{kind: examination, en: "electrocardiography", zh: "心电图", facts: []fact{
		{target, "the rhythm of the heart", "心脏节律"},
		{purpose, "irregular heartbeats", "心律失常"},
		{method, "electrodes on the chest", "胸前电极"},
		{preparation, "lying still and relaxed", "平静仰卧"},
	}},
	{kind: examination, en: "spirometry", zh: "肺功能检查", facts: []fact{
		{target, "the flow of breath", "呼吸气流"},
		{purpose, "narrowed airways", "气道狭窄"},
		{method, "a mouthpiece and a flow meter", "咬嘴和流量计"},
		{preparation, "not smoking that morning", "当天早晨不吸烟"},
	}},
	{kind: examination, en: "gastroscopy", zh: "胃镜检查", facts: []fact{
		{target, "the oesophagus and stomach", "食管和胃"},
		{purpose, "ulcers of the stomach", "胃溃疡"},
		{method, "a thin tube passed through the mouth", "经口插入的细软管"},
		{preparation, "eating nothing for eight hours", "禁食八小时"},
	}},
	{kind: examination, en: "colonoscopy", zh: "肠镜检查", facts: []fact{
		{target, "the large bowel", "大肠"},
		{purpose, "polyps and bowel cancer", "息肉和肠癌"},
		{method, "a flexible camera in the rectum", "经肛门插入的软镜"},
		{preparation, "drinking a strong laxative", "服用泻药清肠"},
	}},
	{kind: examination, en: "lumbar puncture", zh: "腰椎穿刺", facts: []fact{
		{target, "the spinal fluid", "脑脊液"},
		{purpose, "germs in the spinal fluid", "脑脊液感染"},
		{method, "a fine needle in the lower back", "腰部细针"},
		{preparation, "curling up on one side", "侧卧抱膝"},
	}},
	{kind: examination, en: "mammography", zh: "乳腺钼靶", facts: []fact{
		{target, "the breast tissue", "乳腺组织"},
		{purpose, "early breast cancer", "早期乳腺癌"},
		{method, "low-dose X-rays", "低剂量X射线"},
		{preparation, "using no deodorant", "不涂止汗剂"},
	}},
	{kind: examination, en: "electroencephalography", zh: "脑电图", facts: []fact{
		{target, "the waves of the brain", "脑电波"},
		{purpose, "epileptic discharges", "癫痫样放电"},
		{method, "electrodes on the scalp", "头皮电极"},
		{preparation, "washing the hair beforehand", "检查前洗头"},
	}},
	{kind: examination, en: "cervical screening", zh: "宫颈筛查", facts: []fact{
		{target, "the neck of the womb", "子宫颈"},
		{purpose, "precancerous cells", "癌前病变细胞"},
		{method, "a soft brush that collects cells", "采集细胞的软刷"},
		{preparation, "choosing a day without bleeding", "避开月经期"},
	}},
	{kind: examination, en: "bone density scanning", zh: "骨密度检测", facts: []fact{
		{target, "the spine and hip bones", "脊柱和髋骨"},
		{purpose, "thinning bones", "骨量减少"},
		{method, "two faint X-ray beams", "两束微弱的X线"},
		{preparation, "stopping calcium tablets the day before", "前一天停服钙片"},
	}},
}
