"""Names of people, places and bodies in Chinese, where nothing marks them: by a dictionary's word classes (jieba's).

The dictionary calls many a common word a place or a person (`长度`, length; `张量`, tensor). So a person's name has to begin
with a surname or be a transliteration of three characters or more, and the words of
`no_names.zh.txt` are left out, which it got wrong in textbooks, forum posts and encyclopaedia articles.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾"
    "夏韦方白邹孟熊秦邱江尹薛段雷侯龙史陶黎贺顾毛郝龚邵万钱严武戴莫孔汤"
)
SOUNDS = frozenset(
    "阿埃艾爱安奥巴柏班邦贝本比彼别波伯博布查达戴丹德迪蒂狄丁杜顿多尔厄恩法菲费芬弗佛夫福盖甘格戈哥歌古谷哈海汉豪赫亨胡华怀惠霍基吉"
    "加迦贾杰捷金卡凯坎康柯科克肯库昆拉莱兰劳勒雷黎里利莉列林琳龙卢鲁路伦罗洛马玛麦曼梅门蒙米密明摩莫墨姆穆纳娜奈南内尼涅纽农努诺"
    "欧帕派潘佩彭皮珀普奇契乔切琼茹若萨塞赛桑瑟沙莎绍舍申什圣施史士司丝斯苏索塔泰坦汤唐陶特提天廷汀图托陀瓦万旺威韦维魏温文翁沃乌"
    "武西希锡夏肖谢辛休许雅亚扬耶叶伊因英尤约泽扎詹珍芝朱兹佐"
)  # characters that foreign names are written with
PIECE = 1 << 16  # characters
APART = re.compile(r"[^\w+#&.%-]")
NO_NAMES = frozenset(Path(__file__).with_name("no_names.zh.txt").read_text("utf-8").split())


def chinese_names(text: str) -> Iterator[str]:
    """Names in the order of the text, each as often as it stands there."""
    import rjieba

    for piece in _pieces(text):
        for word, kind in rjieba.tag(piece):
            if len(word) >= 2 and word not in NO_NAMES and _is_name(word, kind):
                yield word


def _pieces(text: str) -> Iterator[str]:
    """A long text cut at characters that no word goes over, since the words of a piece are all held at once."""
    start = 0
    while start < len(text):
        found = APART.search(text, start + PIECE, start + 2 * PIECE)
        end = found.end() if found else start + 2 * PIECE
        yield text[start:end]
        start = end


def _is_name(word: str, kind: str) -> bool:
    if kind in ("nr", "nrt") and SOUNDS.issuperset(word):
        return True
    if kind == "nr":
        return word[0] in SURNAMES and len(word) <= 3
    return kind in ("ns", "nt") or (kind == "nrt" and len(word) >= 3)
