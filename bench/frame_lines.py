"""Lines of a page's frame as sites write them, drawn from templates: navigation, cookies, copyright, sharing, comments, shops.

Written from what pages look like and not from the list that the filter ships (`filters/boilerplate.yaml`). `LATER_EN`
and `LATER_ZH` were written after the list, the weights were learned with them. Those of other authors are in `bench.frame_wordings`.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

SITES = (
    "The Daily Ledger",
    "Northwind Trading Co.",
    "GreenLeaf Media LLC",
    "Acme Corp",
    "City Gazette",
    "Blue Harbor Press",
)
SITES_ZH = ("晨报网", "华东科技有限公司", "北方新闻网", "蓝海传媒集团", "小城论坛", "天天读书网")
EN = (
    "© {year} {site}. All rights reserved.", "Copyright {year} {site}", "Copyright © {first}-{year} {site}, Inc. All Rights Reserved",
    "All content on this website is © {site} {year} and may not be reproduced without permission.", "This site is protected by reCAPTCHA and the Google Privacy Policy and Terms of Service apply.",
    "We use cookies to give you the best experience on our site.", "This website uses cookies. By continuing to browse, you agree to our use of cookies.",
    "By using this site you accept our cookie policy.", "Accept all cookies", "Manage cookie preferences", "Your privacy is important to us. Read our Privacy Policy.",
    "Home > {a} > {b}", "Home | {a} | {b} | Contact", "Home » {a} » {b}", "{a} · {b} · About · Contact", "You are here: Home / {a} / {b}", "Skip to main content", "Skip to navigation", "Back to top",
    "Previous post", "Next article", "← Older posts", "Newer posts →", "Read more", "Continue reading →", "Load more comments", "Show all {n} comments", "Leave a comment", "Leave a Reply",
    "Your email address will not be published. Required fields are marked *", "{n} comments", "Log in to post a comment", "You must be logged in to reply.", "Reply", "Report this comment", "Permalink",
    "Share on Facebook", "Share on X (Twitter)", "Tweet this", "Share this article:", "Email this to a friend", "Print this page", "Follow us on Instagram", "Like us on Facebook", "Pin it",
    "Subscribe to our newsletter", "Sign up for our free newsletter and never miss a story", "Enter your email address to subscribe", "Join our mailing list", "Unsubscribe at any time.",
    "Sign in", "Log in / Register", "Create an account", "Forgot your password?", "My account", "Already a subscriber? Log in", "Subscribe to continue reading", "Start your free trial today",
    "Related articles", "You might also like", "Recommended for you", "Most popular", "Trending now", "More from {site}", "Recent posts", "Advertisement", "Sponsored content", "Advertise with us",
    "Add to cart", "Add to wishlist", "View cart", "Proceed to checkout", "Free shipping on orders over ${n}", "Download our app from the App Store", "Get it on Google Play",
    "Terms of Service | Privacy Policy | Cookie Settings", "Terms and conditions", "Privacy policy", "Sitemap", "Powered by WordPress", "Theme by {site}", "Website by {site}",
    "Please enable JavaScript to view this page.", "Your browser is not supported. Please upgrade your browser.", "Click here to download the PDF", "Last updated: {day}/{month}/{year}",
    "Posted in {a} by admin on {day}/{month}/{year}", "Filed under: {a}, {b}", "Tags: {a}, {b}", "{n} min read", "{n} shares", "Views: {n},{n}",
)  # fmt: skip
EN_MENU = (
    "Home",
    "About us",
    "Our team",
    "Services",
    "Products",
    "Blog",
    "News",
    "Events",
    "Gallery",
    "Careers",
    "Press",
    "Support",
    "FAQ",
    "Contact",
    "Login",
    "Shop",
    "Store locator",
    "Sports",
    "Business",
    "Opinion",
    "Travel",
    "Food",
    "Health",
    "Science",
    "Weather",
)
ZH = (
    "版权所有 © {year} {site}", "Copyright © {first}-{year} {site} 版权所有", "{site}版权所有，未经授权禁止转载", "本网站所有内容未经书面许可不得转载、摘编", "京ICP备{n}{n}{n}号-{day}", "沪公网安备 3101{n}{n}号", "增值电信业务经营许可证：京B2-{year}{n}",
    "首页 > {a} > {b}", "首页 | {a} | {b} | 关于我们", "您当前的位置：首页 > {a}", "当前位置：{site} > {a} > 正文", "返回顶部", "返回首页", "上一篇：{a}的故事", "下一篇：{b}的由来", "上一页", "下一页", "阅读全文", "查看更多", "点击查看详情", "加载更多", "展开全文",
    "分享到微信朋友圈", "分享到：微博 微信 QQ空间", "一键分享", "扫描二维码关注我们", "扫码下载APP", "长按二维码关注公众号", "关注微信公众号：{site}", "微信扫一扫，分享到朋友圈", "打开APP，阅读体验更佳", "下载客户端", "收藏本站", "设为首页", "加入收藏",
    "责任编辑：王小明", "（责任编辑：李华）", "来源：{site}　责编：张伟", "编辑：赵敏", "本文来源：{site}", "声明：本文仅代表作者个人观点，与本站立场无关", "免责声明：本站部分内容来自网络，如有侵权请联系删除", "转载请注明出处", "违法和不良信息举报电话：010-{n}{n}{n}",
    "客服热线：400-{n}-{n}{day}", "联系我们", "关于我们 | 广告服务 | 联系方式 | 诚聘英才", "关于我们", "广告合作", "友情链接", "网站地图", "隐私政策", "用户协议", "法律声明", "请先登录后再发表评论", "登录 | 注册", "立即注册", "忘记密码？", "还没有账号？立即注册", "发表评论", "我要评论", "全部评论（{n}）",
    "暂无评论", "{n}条评论", "举报", "回复", "点赞 {n}", "相关阅读", "相关推荐", "热门文章", "猜你喜欢", "推荐阅读", "最新文章", "本网站使用Cookie，继续浏览即表示您同意我们使用Cookie", "您的浏览器版本过低，请升级浏览器", "请启用JavaScript以获得更好的体验", "字号：大 中 小", "浏览次数：{n}{n}",
    "发布时间：{year}-{month}-{day}", "阅读 {n}{n}", "加入购物车", "立即购买", "标签：{a} {b}", "【打印本页】【关闭窗口】", "更多精彩内容，请关注{site}官方微博", "广告", "打赏作者",
)  # fmt: skip
ZH_MENU = (
    "首页",
    "新闻",
    "国内",
    "国际",
    "体育",
    "财经",
    "娱乐",
    "科技",
    "汽车",
    "房产",
    "教育",
    "健康",
    "旅游",
    "视频",
    "图片",
    "论坛",
    "博客",
    "军事",
    "文化",
    "联系我们",
    "关于我们",
    "产品中心",
    "服务支持",
    "招聘信息",
)
MORE_EN = (
    "Content copyright {year} {site} unless otherwise noted", "© {site} | All trademarks belong to their owners", "Cookies help us deliver our services. Learn more.", "We and our partners store information on a device",
    "Accept & close", "Allow all", "Only necessary cookies", "Cookie notice", "Front page > {a}", "Main page · {a} · {b} · Archive", "Menu", "Search this site", "Jump to comments", "To the top", "Go to page {day}",
    "See all posts by admin", "View full profile", "Show replies", "{n} replies", "{n} people liked this", "Write a comment...", "Sign in with Google", "Continue with Facebook", "New here? Sign up",
    "Get the latest from {site} in your inbox", "Don't miss out: subscribe today", "Follow {site} on Twitter", "Share this page on social media", "Send by email", "Save for later", "More in {a}", "More like this",
    "Read next", "Popular in {a}", "Promoted stories", "This article contains affiliate links", "Ad", "Privacy & cookies", "Terms & Conditions | Privacy | Contact us", "Contact the webmaster", "Designed by {site}",
    "Turn on JavaScript to use this site", "Add to basket", "Customers also bought", "Only {day} left in stock", "Categories: {a}, {b}", "By admin | {month}/{day}/{year} | {n} Comments", "Photo: {site}",
)  # fmt: skip
MORE_EN_MENU = (
    "Home",
    "Who we are",
    "What we do",
    "Projects",
    "Jobs",
    "Sitemap",
    "Help",
    "My account",
    "Search",
    "Politics",
    "Technology",
    "Culture",
    "Video",
    "Podcasts",
    "World",
    "Money",
    "Property",
    "Motoring",
)
MORE_ZH = (
    "{site} 版权声明", "Copyright {year} {site} All Rights Reserved", "未经{site}授权，任何单位不得转载", "粤ICP证{n}{n}{n}号", "网络文化经营许可证 文网文{year}-{n}号", "首页 » {a} » {b}", "网站首页 | {a} | {b} | 在线留言", "您的位置：网站首页 > {a}",
    "回顶部", "上一条：{a}通知", "下一条：{b}公告", "第{day}页", "共{n}页", "更多>>", "[详细]", "查看全部{n}条回复", "写评论", "网友评论仅供网友表达个人看法", "登录后发表评论", "微信登录", "QQ登录", "注册账号",
    "分享给好友", "转发到微博", "关注{site}微信", "识别二维码，关注{site}", "下载{site}客户端", "打开微信扫一扫", "编辑/李雷", "记者 韩梅梅 责任编辑 王芳", "文章来源：{site}", "投稿邮箱", "{n}人赞同", "收起评论", "相关新闻", "本周热门", "大家都在看",
    "精彩推荐", "广告位招租", "商务合作请联系客服", "隐私权政策", "服务协议", "网站声明", "技术支持：{site}", "我们使用Cookie来改善您的体验", "建议使用Chrome浏览器访问本站", "立即下单", "我的收藏", "发表于 {year}-{month}-{day}", "访问量：{n}{n}",
)  # fmt: skip
MORE_ZH_MENU = (
    "首页",
    "关于我们",
    "新闻动态",
    "产品",
    "服务",
    "联系我们",
    "加入我们",
    "政治",
    "经济",
    "社会",
    "文化",
    "科教",
    "生活",
    "时评",
    "专栏",
    "影像",
    "数据",
    "电台",
)
LATER_EN = (
    "Reproduction in whole or in part without permission is prohibited. © {site}", "{site} is a registered trademark.", "Cookies on this site", "This page uses cookies to remember your choices.", "Got it, thanks", "Change cookie settings",
    "Start > {a} > {b}", "Front | {a} | {b} | Video", "Go back to the homepage", "Show navigation", "Close menu", "Search...", "Older entries", "Page {day} of {n}", "View profile", "Reply to this topic", "Posted by guest on {month}/{day}/{year}",
    "Was this article helpful?", "Rate this page", "Log in with your email", "Stay signed in", "Need an account? Register here", "Receive our weekly newsletter by email", "Thanks for subscribing!", "Find us on YouTube", "Share via WhatsApp", "Copy link to clipboard",
    "Story continues below advertisement", "Ad feedback", "From our partners", "Editors' picks", "Up next", "Watch the video", "Listen to this article", "Legal | Privacy | Accessibility | Jobs", "Give feedback", "Hosted by {site}", "Use of this site is subject to our terms.",
    "Item added to your bag", "Size guide", "Customer reviews ({n})", "Notify me when available", "In category: {a}", "Comments are now closed for this entry", "{n} people are reading this", "Image: {site}",
)  # fmt: skip
LATER_EN_MENU = (
    "Start",
    "The company",
    "Our services",
    "References",
    "Downloads",
    "Partners",
    "Directions",
    "Legal notice",
    "Football",
    "Cinema",
    "Cars",
    "Family",
    "Tech",
    "Europe",
    "Economy",
    "Regional",
    "Photos",
    "Archive",
)
LATER_ZH = (
    "本页面内容版权归{site}所有", "{site}保留所有权利", "转载本文请联系作者获得授权", "浙公网安备 3301{n}{n}号", "互联网新闻信息服务许可证{n}{n}", "主页 > {a} > {b}", "首页 - {a} - {b}", "所在位置：{a} > {b}", "↑ 回到页首", "前一篇：{a}", "后一篇：{b}", "共{n}条 {day}/{n}页",
    "点此查看原文", "显示更多", "查看其他{n}个回答", "欢迎留言讨论", "请输入验证码", "手机号登录", "第三方账号登录", "免费注册会员", "复制网址", "转发给朋友", "微信公众平台", "手机扫码阅读", "安装{site}APP", "本文已被收录到专题：{a}", "原标题：{a}与{b}", "摄影：陈刚", "供稿：{site}",
    "点击数：{n}{n}", "人气：{n}{n}", "赞 ({n})", "踩 ({day})", "热点排行", "编辑推荐", "图片新闻", "赞助商链接", "站长统计", "意见与建议", "服务条款 | 隐私保护 | 联系方式", "我们的Cookie政策", "推荐使用火狐浏览器", "商品评价（{n}）", "免运费", "最后更新：{year}-{month}-{day}", "纠错", "【大 中 小】", "关闭本页",
)  # fmt: skip
LATER_ZH_MENU = (
    "主页",
    "集团概况",
    "业务领域",
    "人力资源",
    "媒体中心",
    "营销网络",
    "党群工作",
    "足球",
    "影视",
    "车市",
    "亲子",
    "数码",
    "海外",
    "市场",
    "区域",
    "图集",
    "往期",
    "登录",
)
NOUNS = ("News", "Sports", "Garden", "Recipes", "Local History", "Software", "Travel")
NOUNS_ZH = ("新闻", "体育", "园艺", "菜谱", "地方志", "软件", "旅游")


def all_templates(chinese: bool) -> tuple[str, ...]:
    """Those of a line, the later ones too."""
    return ZH + MORE_ZH + LATER_ZH if chinese else EN + MORE_EN + LATER_EN


def frame(draw: Random, chinese: bool, later: bool) -> list[str]:
    """One line, or the lines of a menu; of the later templates, or of the others."""
    late = (LATER_ZH, LATER_ZH_MENU) if chinese else (LATER_EN, LATER_EN_MENU)
    known = (ZH + MORE_ZH, ZH_MENU + MORE_ZH_MENU) if chinese else (EN + MORE_EN, EN_MENU + MORE_EN_MENU)
    templates, menu = late if later else known
    if draw.random() < 0.15:
        return draw.sample(sorted(set(menu)), draw.randrange(6, 11))
    return [_written(draw.choice(templates), chinese, draw)]


def written(templates: Sequence[str], chinese: bool, draw: Random, times: int = 6) -> list[str]:
    """Every template filled in so many times."""
    return [_written(template, chinese, draw) for template in templates for _ in range(times)]


def _written(template: str, chinese: bool, draw: Random) -> str:
    names = draw.sample(NOUNS_ZH if chinese else NOUNS, 2)
    year = draw.randrange(2008, 2026)
    return template.format(
        year=year, first=year - draw.randrange(1, 9), site=draw.choice(SITES_ZH if chinese else SITES), a=names[0], b=names[1],
        n=draw.randrange(10, 99), day=draw.randrange(1, 29), month=draw.randrange(1, 13),
    )  # fmt: skip
