"""Categories that an installation begins with, and the words by which the local engine recognises them."""

STARTERS: dict[str, tuple[str, str]] = {
    # Slug: the name, and words in Chinese, English and Vietnamese, apart by commas.
    "animals": ("Animals", "猫,狗,宠物,萌宠,喵,cat,cats,dog,dogs,pet,pets,puppy,kitten,mèo,chó,thú cưng"),
    "beauty": (
        "Beauty",
        "美妆,化妆,护肤,口红,美甲,makeup,skincare,beauty,lipstick,nails,hair,làm đẹp,trang điểm,chăm sóc da",
    ),
    "dance": ("Dance", "舞蹈,跳舞,街舞,编舞,舞步,dance,dancing,choreography,nhảy,vũ đạo"),
    "education": ("Education", "学习,知识,考试,英语,读书,study,learning,exam,english,books,học tập,tiếng anh,kiến thức"),
    "family": ("Family", "育儿,宝宝,亲子,辅食,baby,parenting,kids,mom,gia đình,em bé,nuôi con"),
    "fashion": ("Fashion", "穿搭,时尚,衣服,搭配,outfit,fashion,style,ootd,streetwear,thời trang,phối đồ"),
    "fitness": ("Fitness", "健身,减肥,瑜伽,训练,增肌,跑步,workout,fitness,gym,yoga,training,muscle,thể dục,tập gym,giảm cân"),
    "food": (
        "Food",
        "美食,做饭,食谱,小吃,烘焙,家常菜,夜市,food,recipe,recipes,cooking,dinner,baking,ẩm thực,nấu ăn",
    ),
    "home": ("Home", "家居,装修,收纳,手工,园艺,home,decor,diy,cleaning,garden,crafts,nhà cửa,trang trí"),
    "money": ("Money", "理财,赚钱,副业,投资,创业,存钱,money,finance,investing,saving,business,tài chính,kiếm tiền,đầu tư"),
    "technology": ("Technology", "科技,数码,手机,电脑,人工智能,tech,phone,laptop,gadget,ai,software,công nghệ,điện thoại"),
    "travel": ("Travel", "旅行,旅游,攻略,风景,自驾,露营,travel,trip,vacation,hotel,camping,landscape,du lịch,phượt"),
}


def words_of(slug: str, name: str) -> list[str]:
    """What speaks for a category: its name, and what belongs to a starter's."""
    words = STARTERS[slug][1].split(",") if slug in STARTERS else []
    return list(dict.fromkeys([name, *words]))
