"""What the pages of `privacy register` say of each lane: its name, what it holds, how it is kept safe, and who reads it."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from gateway.privacy.policy import FLOOR_M
from gateway.rules import words, words_ja
from gateway.rules.counts import KSuppress
from gateway.rules.learned import fields
from gateway.rules.model import Lane, RuleSet

Language: TypeAlias = Literal["en", "ja"]

NAMES: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "store": "Masked ways of children", "guardian_live": "Children's places, live", "ridership": "Riders by stop and hour",
        "analysis": "Use of streets", "open": "Open data", "research": "Numbers for research",
    },
    "ja": {
        "store": "マスク済みの登下校の移動経路", "guardian_live": "保護者への現在地", "ridership": "停留所・時間帯別の乗降数",
        "analysis": "道の利用数", "open": "オープンデータ", "research": "研究用の集計",
    },
}  # fmt: skip
"""Lane → what the city calls it."""
_SAFETY: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "rows": "masked before anything is stored; rows sealed under the household's key and the file's; keys elsewhere; every look entered in a "
        "chained log; a file and its key go together when their time is over",
        "counts": "nobody's way is written: counters are in memory and in a sealed file of fixed size, whose key is destroyed when the period is "
        "over; no number below {k}, nor what would give one away; a closed period is never told again, and every release stands in a ledger",
        "nothing": "in memory alone, never written; gone after {ttl}; sealed so that the guardian's own device alone opens it",
    },
    "ja": {
        "rows": "保存の前にマスクする。行は家庭の鍵とファイルの鍵で二重に封印し、鍵は別の場所に置く。閲覧は改ざんの分かる記録に残す。期間が過ぎればファイルと鍵を一緒に消す",
        "counts": "移動経路は書かない。数はメモリと、大きさの変わらない封印したファイルにだけあり、その鍵は期間が終わると壊す。{k} に満たない数と、それを割り出せる数は出さない。"
        "終わった期間の数は二度と出さず、公表はすべて台帳に残す",
        "nothing": "メモリだけにあり、書き込まない。{ttl}で消える。保護者の端末だけが開ける形に封じる",
    },
}  # fmt: skip
_READERS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "operator": "the people who run this service for the city", "guardian:own": "you, the child's own guardians",
        "school:own-district": "the school of your district", "recipient:agreed": "those with whom the city has an agreement",
        "public": "everybody",
    },
    "ja": {
        "operator": "市でこのサービスを運用する担当者", "guardian:own": "お子さんご自身の保護者", "school:own-district": "学区の学校",
        "recipient:agreed": "市と取り決めを結んだ相手", "public": "どなたでも",
    },
}  # fmt: skip


def readers(lane: Lane, language: Language) -> str:
    """Who reads a lane, for somebody who knows no rule set; other words than the usual ones as they are written."""
    return _READERS[language].get(lane.audience, lane.audience)


def safety(lane: Lane, language: Language) -> str:
    """How what a lane holds is kept safe."""
    return _SAFETY[language][lane.write.form].format(k=least_told(lane), ttl=shown_for(lane, language))  # fmt: skip


def least_told(lane: Lane) -> int:
    """The smallest number that a lane may tell."""
    return max((rule.k for rule in lane.protect if isinstance(rule, KSuppress)), default=1)


def shown_for(lane: Lane, language: Language) -> str:
    """How long something shown may be shown."""
    say = words_ja.span if language == "ja" else words.span
    return "" if lane.ttl_us is None else say(lane.ttl_us)


def items(lane: Lane, language: Language, *, reads: bool) -> str:
    """What is recorded.

    Args:
        reads: whether reads of tags are kept as rows beside those of children.
    """
    japanese = language == "ja"
    if lane.write.form == "nothing":
        return "なし（メモリ上の最後の位置のみ）" if japanese else "none; the last place in memory"
    if lane.count:
        units = [_counted(lane, index, language) for index in range(len(lane.count))]
        return (
            f"{'、'.join(units)}。個人の記録は含まない"
            if japanese
            else f"{'; '.join(units)}; nothing of anybody alone"
        )
    table = words_ja.FIELD if japanese else words.FIELD
    held = [table[name] for name in fields(lane)]
    if reads:
        held.append("停留所で読んだタグの、一日限りの仮名" if japanese else "tags read at stops, under a name of one day")  # fmt: skip
    return (
        f"{'、'.join(held)}、鍵つきの識別子。氏名や端末番号は含まない"
        if japanese
        else f"{', '.join(held)}, a keyed identity; no name, no number of a device"
    )


def _counted(lane: Lane, index: int, language: Language) -> str:
    rule = lane.count[index]
    return words_ja.sentence(rule, lane) if language == "ja" else words.sentence(rule)


def implied(rules: RuleSet, lane: Lane, language: Language) -> str:
    """What hides whoever is counted where no lane `store` says it: the circle that stands by itself. "" elsewhere."""
    households = any(rule.distinct == "household" for rule in lane.count)
    if not households or any(one.name == "store" for one in rules.lanes):
        return ""
    if language == "ja":
        return f"自宅から {FLOOR_M:g} m 以内、または世帯がそれより広く求めた範囲では数えない"
    return f"nothing is counted within {FLOOR_M:g} m of home, or of what a household asked for beyond that"


def whose(lane: Lane, language: Language) -> str:
    """Of whom something is recorded."""
    japanese = language == "ja"
    if not lane.count:
        return "保護者が同意した児童" if japanese else "children whose guardian agreed"
    if any(rule.distinct == "tag" for rule in lane.count):
        return (
            "タグを持って乗降する人。数えるだけで、個人は特定しない"
            if japanese
            else "whoever carries a tag; counted, nobody in particular"
        )
    return (
        "保護者が同意した児童の世帯。数えるだけで、個人は特定しない"
        if japanese
        else "households whose guardian agreed; counted, nobody in particular"
    )


def source(lane: Lane, language: Language, *, reads: bool) -> str:
    """From which devices it comes."""
    tags = any(rule.distinct == "tag" for rule in lane.count)
    trackers = not tags or any(rule.distinct == "household" for rule in lane.count)
    named = {
        "en": ("children's trackers (GPS)", "readers at stops (tags)", "from ", " and "),
        "ja": ("見守り端末（GPS）", "停留所の読み取り機（タグ）", "", "と"),
    }[language]
    parts = [
        one for one, sends in ((named[0], trackers), (named[1], tags or reads)) if sends
    ]  # fmt: skip
    return named[2] + named[3].join(parts)
