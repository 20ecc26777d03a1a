"""A rule set in plain words, in Japanese: what each rule does, for those whom a city tells of it."""

from collections.abc import Iterator, Mapping

from gateway.rules.counts import USUAL_CAP, Classes, Count, KSuppress, Round, Seal
from gateway.rules.learned import Field, Limit, unhidden
from gateway.rules.masks import (
    Circle,
    Delay,
    DensityClasses,
    Laplace,
    Mesh,
    MinVisibleFixes,
    Pseudonymise,
    Stay,
    Strip,
    TimeFloor,
    Validate,
    Zone,
)
from gateway.rules.model import Lane, Rule, Write

_UNITS = ((86_400_000_000, "日"), (3_600_000_000, "時間"), (60_000_000, "分"), (1_000_000, "秒"))
_UNIT = {
    "road_edge": "道の一区間",
    "mesh_250": "250 m メッシュ",
    "mesh_500": "500 m メッシュ",
    "stop": "停留所",
}
_DISTINCT = {"household": "世帯", "tag": "タグ"}
_PERIOD = {
    "service_day": "一運行日",
    "week": "一週間",
    "month": "一か月",
    "term": "一学期",
    "school_year": "一学年",
}
_SLICE = {"weekday_type": "平日・休日の別", "hour": "時間帯"}
FIELD: Mapping[Field, str] = {
    "time_bin": "時間の区切り",
    "cell": "メッシュ",
    "place": "位置",
    "leg_class": "移動のどの部分か（家を出てから・滞在の後）",
    "battery_class": "電池残量の四区分",
    "pseudonym": "仮名",
}
"""What a row may say, in words."""
LIMIT: Mapping[Limit, str] = {
    "centre": "見える移動経路は円の縁で始まり、縁で終わる。わずかな日数の記録から、円の中心である家を割り出せる",
    "street": "区域の外の正確な点から、子どもがどの道を通って区域を出るかが分かる。メッシュにすれば分からない",
    "part_of_town": "移動経路の端から、子どもがどのあたりに住むかは分かる",
    "pseudonym": "仮名は誰も隠さない。同じ学校への移動経路は、日が変わっても似ている",
    "stays": "家以外のとどまる場所（祖父母の家、病院など）は隠れない",
    "visits": "家以外の場所への、それより短い立ち寄りは、移動経路の一部として見える",
    "home": "家は隠れない",
}
"""What is not hidden, in words."""


def span(micros: int) -> str:
    """Microseconds in the largest unit that shows them whole."""
    for size, unit in _UNITS:
        if micros and micros % size == 0:
            return f"{micros // size} {unit}"
    return f"{micros / 1_000_000:g} 秒"


def stay(lane: Lane) -> str:
    """How long anything of a lane stays."""
    if lane.retain_us is None:
        return "期限なし（個人に関する記録ではない数）"
    return span(lane.retain_us) if lane.retain_us else "保存しない"


def where(lane: Lane) -> str:
    """Where a lane applies, by dwellings/km² of a household's zone; "" is everywhere."""
    when = lane.when
    if when is None:
        return ""
    least = f" {when.density_from} 戸以上" if when.density_from else ""
    below = f" {when.density_below} 戸未満" if when.density_below else ""
    return f"家庭の属する区域の住宅が 1 km² に{least}{below}の所だけ"


def limits(lane: Lane) -> Iterator[str]:
    """What a lane does not hide, although its rules might be thought to."""
    return (LIMIT[one] for one in unhidden(lane))


def sentence(rule: Rule | None, lane: Lane) -> str:
    """What one rule of a lane does; None is the removal of duplicates."""
    if rule is None:
        return "同じ送信は二度扱わない"
    hides = "見せない" if lane.write.form == "nothing" else "残さない"
    for said in (_hides(rule, hides), _coarsens(rule), _counts(rule)):
        if said:
            return said
    assert isinstance(rule, Write)
    return {
        "rows": "位置一つにつき一行を残す",
        "counts": "数だけを残す",
        "nothing": "何も書かない。メモリから見せて消える",
    }[rule.form]


def _hides(rule: Rule, hides: str) -> str:  # noqa: PLR0911 one return for each kind of rule
    match rule:
        case Circle():
            return f"家から {rule.radius_m:g} m 以内は{hides}{_watched(rule)}"
        case Zone():
            return f"家庭の属する公表済みの区域（{rule.partition}）と、その周り {rule.buffer_m:g} m は{hides}{_watched(rule)}"
        case Stay():
            return f"{span(rule.least_us)}以上とどまった場所から {rule.radius_m:g} m 以内は{hides}"
        case MinVisibleFixes():
            return f"{rule.n} 点に満たない短い移動経路は{hides}"
        case Strip():
            return f"残すのは{'、'.join(FIELD[name] for name in _fields(rule))}だけ"
        case Validate():
            return "疑わしい位置（" + "、".join(_doubts(rule)) + "）は使わない"
    return ""


def _watched(rule: Circle | Zone) -> str:
    """When it opens again, and what may be said instead."""
    again = rule.reopen
    far = "" if again.far_m is None else f"するか、さらに {again.far_m:g} m 離れ"
    opens = f"。離れた後は、確かな位置が {again.fixes} 点続き、{again.net_m:g} m 以上移動{far or 'し'}たところから再び始まる"
    return opens + ("。位置の代わりに「家の近く」とだけ伝える" if rule.label else "")


def sizes(rule: DensityClasses) -> str:
    """From how many dwellings on which size of cell is said."""
    return "、".join(
        f"1 km² に {one.from_per_km2} 戸以上なら約 {one.cell_m} m" for one in rule.classes
    )


def _coarsens(rule: Rule) -> str:  # noqa: PLR0911 one return for each kind of rule
    match rule:
        case Mesh():
            return f"位置は約 {rule.cell_m} m のメッシュにする"
        case TimeFloor():
            return f"時刻は {span(rule.step_us)}ごとの区切りにする"
        case DensityClasses():
            return (
                f"メッシュの大きさは住宅の密度による（{sizes(rule)}）。それより少なければ残さない"
            )
        case Delay():
            return f"{span(rule.least_us)}たつまで見せない" if rule.least_us else "すぐに見せる"
        case Laplace():
            return f"位置を平均 {rule.mean_m:g} m ずらす（同じ場所では同じずれ）"
        case Pseudonymise():
            return f"一人の行を、{'一日' if rule.period == 'day' else '一つのファイル'}のあいだ同じ仮名で結ぶ"
    return ""


def count(rule: Count, counts: str, at_most: str) -> str:
    """What a rule counts, with the words that end its two sentences: plain ones, or polite ones."""
    by = "".join(f"・{_SLICE[one]}" for one in rule.slices)
    whose = _DISTINCT[rule.distinct]
    cap = f"一つの{whose}につき {rule.cap or USUAL_CAP} か所{at_most}"
    return f"{_UNIT[rule.unit]}{by}ごとに、{_PERIOD[rule.period]}のあいだに通った{whose}を一度だけ{counts}。{cap}"


def _counts(rule: Rule) -> str:
    match rule:
        case Count():
            return count(rule, "数える", "まで")
        case KSuppress():
            return f"{rule.k} に満たない数は示さない" + (
                "。ほかの数から割り出せる数も示さない" if rule.complementary else ""
            )
        case Round():
            return f"数は {rule.base} の倍数にする" + (
                f"（{rule.top} 以上は {rule.top}）" if rule.top else ""
            )
        case Classes():
            return f"数は区分（{'、'.join(map(str, rule.bounds))} から）で示す"
        case Seal():
            return "保護者の端末だけが開ける形に封じる"
    return ""


def _fields(rule: Strip) -> list[Field]:
    return [name for name in FIELD if name in rule.allow]


def _doubts(rule: Validate) -> list[str]:
    return [
        *([f"誤差 {rule.accuracy_m:g} m 超"] if rule.accuracy_m else []),
        *([f"{span(rule.age_us)}より古い"] if rule.age_us else []),
        *([f"時速 {rule.speed_m_s * 3.6:g} km 超"] if rule.speed_m_s else []),
    ]
