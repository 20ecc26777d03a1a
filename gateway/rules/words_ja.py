"""A rule set in plain words, in Japanese: what each rule does, for those whom a city tells of it."""

from gateway.rules.counts import Classes, Count, KSuppress, Round, Seal
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
from gateway.rules.model import Lane, Rule

_UNITS = ((86_400_000_000, "日"), (3_600_000_000, "時間"), (60_000_000, "分"), (1_000_000, "秒"))
_UNIT = {
    "road_edge": "道の一区間",
    "mesh_250": "250 m メッシュ",
    "mesh_500": "500 m メッシュ",
    "stop": "停留所",
}
_DISTINCT = {"household": "世帯", "tag": "タグ"}
_PERIOD = {
    "service_day": "運行日",
    "week": "週",
    "month": "月",
    "term": "学期",
    "school_year": "学年",
}
_SLICE = {"weekday_type": "平日・休日の別", "hour": "時間帯"}
_FIELD = {
    "cell": "メッシュ",
    "place": "位置",
    "time_bin": "時間の区切り",
    "leg_class": "行き・帰りの別",
    "battery_class": "電池残量の四区分",
    "pseudonym": "仮名",
}


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


def sentence(rule: Rule | None) -> str:  # noqa: C901, PLR0911, PLR0912 one return for each kind of rule
    """What one rule does; None is the removal of duplicates."""
    if rule is None:
        return "同じ送信は二度扱わない"
    match rule:
        case Circle():
            return f"家から {rule.radius_m:g} m 以内は残さない"
        case Zone():
            return f"家庭の属する公表済みの区域（{rule.partition}）と、その周り {rule.buffer_m:g} m は残さない"
        case Stay():
            return f"{span(rule.least_us)}以上とどまった場所から {rule.radius_m:g} m 以内は残さない"
        case MinVisibleFixes():
            return f"{rule.n} 点に満たない短い道のりは残さない"
        case Strip():
            return f"残すのは{'、'.join(_FIELD[name] for name in rule.allow)}だけ"
        case Validate():
            return "疑わしい位置（" + "、".join(_doubts(rule)) + "）は使わない"
        case Mesh():
            return f"位置は約 {rule.cell_m} m のメッシュにする"
        case TimeFloor():
            return f"時刻は {span(rule.step_us)}ごとの区切りにする"
        case DensityClasses():
            sizes = "、".join(
                f"1 km² に {one.from_per_km2} 戸以上なら約 {one.cell_m} m" for one in rule.classes
            )
            return f"メッシュの大きさは住宅の密度による（{sizes}）。それより少なければ残さない"
        case Delay():
            return f"{span(rule.least_us)}たつまで見せない" if rule.least_us else "すぐに見せる"
        case Laplace():
            return f"位置を平均 {rule.mean_m:g} m ずらす（同じ場所では同じずれ）"
        case Pseudonymise():
            return f"一人の行を、{'一日' if rule.period == 'day' else '一つのファイル'}のあいだ同じ仮名で結ぶ"
        case Count():
            by = "".join(f"・{_SLICE[one]}" for one in rule.slices)
            return f"{_UNIT[rule.unit]}{by}ごとに、{_PERIOD[rule.period]}のあいだに通った{_DISTINCT[rule.distinct]}を一度だけ数える"
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
    return {
        "rows": "位置一つにつき一行を残す",
        "counts": "数だけを残す",
        "nothing": "何も書かない。メモリから見せて消える",
    }[rule.form]


def _doubts(rule: Validate) -> list[str]:
    return [
        *([f"誤差 {rule.accuracy_m:g} m 超"] if rule.accuracy_m else []),
        *([f"{span(rule.age_us)}より古い"] if rule.age_us else []),
        *([f"時速 {rule.speed_m_s * 3.6:g} km 超"] if rule.speed_m_s else []),
    ]
