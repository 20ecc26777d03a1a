"""Rules as parents are told of them: what it means for their child, and nothing of how it is written."""

from collections.abc import Iterator

from gateway.model.instant import DAY
from gateway.rules import words, words_ja
from gateway.rules.counts import Classes, Round
from gateway.rules.learned import fields, says_cells, step_us
from gateway.rules.masks import (
    Circle,
    Delay,
    DensityClasses,
    Laplace,
    Mesh,
    MinVisibleFixes,
    Stay,
    Zone,
)
from gateway.rules.model import Lane, Rule, RuleSet
from sekisho import screen
from sekisho.register_words import Language, implied, least_told, shown_for

_EN = {
    "centre": "where you live, from somebody who sees the record for weeks: every way begins and ends on the edge of a circle, and its middle can be worked out",
    "street": "by which street your child leaves your part of town",
    "part_of_town": "in which part of town you live",
    "pseudonym": "that lines are of one child: ways to one school are alike from day to day",
    "stays": "other places where your child stays, for example grandparents' or a clinic",
    "visits": "shorter visits elsewhere: they are part of the way",
    "home": "where you live",
}
_JA = {
    "centre": "お住まいの場所。記録を何週間も見られる人は、移動経路の端が並ぶ円の中心から割り出せます",
    "street": "お子さんがどの道を通って区域を出るか",
    "part_of_town": "お住まいがどのあたりか",
    "pseudonym": "同じお子さんの記録であること。同じ学校への移動経路は、日が変わっても似ています",
    "stays": "家以外のとどまる場所（祖父母の家、病院など）",
    "visits": "それより短い時間の立ち寄り先。移動経路の一部として見えます",
    "home": "お住まいの場所",
}


def unhidden(names: Iterator[str], language: Language) -> Iterator[str]:
    """What the rules do not hide, by its names in `gateway.rules.learned`."""
    table = _JA if language == "ja" else _EN
    return (table[name] for name in names)


def stays(lane: Lane, language: Language) -> str:
    """How long anything of a lane stays."""
    if language == "ja":
        return words_ja.stay(lane)
    if not lane.retain_us:
        return "for ever" if lane.retain_us is None else "nothing is stored"
    return screen.count(lane.retain_us // DAY, "day")


def rules(lane: Lane, language: Language) -> Iterator[str]:
    """What hides and what is made coarse of one child, in the order in which it acts; then what is left of place and time."""
    there = words_ja.where(lane) if language == "ja" else words.where(lane)
    if there:
        yield (
            f"記録するのは、{there}です。ほかの所に住むお子さんの記録は残しません。"
            if language == "ja"
            else f"Only {there}, by the zone of the household; of a child who lives elsewhere nothing is kept."
        )
    say = _ja if language == "ja" else _en
    for rule in (*lane.suppress, *lane.shape, *lane.generalise, *lane.perturb):
        said = say(rule, lane)
        if said:
            yield said
    if not says_cells(lane):
        yield (
            "位置は約 1 m の細かさです。"
            if language == "ja"
            else "A place is told to about a metre."
        )
    if lane.write.form == "nothing":
        yield (
            f"一つの位置が見えるのは、長くても {shown_for(lane, language)}です。"
            if language == "ja"
            else f"A place is shown for {shown_for(lane, language)} at most."
        )
    else:
        yield (
            f"時刻は {words_ja.span(step_us(lane))}ごとの区切りで残します。"
            if language == "ja"
            else f"Of the time, only the step of {words.span(step_us(lane))} is kept in which it lies."
        )
        yield from _beside(lane, language)


def _beside(lane: Lane, language: Language) -> Iterator[str]:
    """What a row says beside place and time."""
    held = [name for name in fields(lane) if name in ("leg_class", "battery_class", "pseudonym")]
    if not held:
        return
    if language == "ja":
        yield f"ほかに残すのは{'、'.join(words_ja.FIELD[name] for name in held)}だけです。氏名も端末番号も残しません。"
    else:
        told = ", ".join(words.FIELD[name] for name in held)
        yield f"Beside that only this is kept: {told}; no name, and no number of the tracker."


def counted(rules: RuleSet, lane: Lane, language: Language) -> Iterator[str]:
    """What is counted of your child and where nothing is, the smallest number that is told, and in which steps."""
    if hidden := implied(rules, lane, language):
        yield (
            f"{hidden.removesuffix('数えない')}数えません。"
            if language == "ja"
            else f"{hidden[:1].upper()}{hidden[1:]}."
        )
    k = least_told(lane)
    for rule in lane.count:
        if language == "ja":
            yield f"{words_ja.count(rule, '数えます', 'までです')}。"
        else:
            said = words.sentence(rule)
            yield f"{said[:1].upper()}{said[1:]}."
    yield (
        f"{k} に満たない数は、誰にも示しません。"
        if language == "ja"
        else f"None below {k} is told to anybody."
    )
    for shown in lane.protect:
        if isinstance(shown, Round):
            yield _steps(shown, language)
        elif isinstance(shown, Classes):
            bounds = ("、" if language == "ja" else ", ").join(map(str, shown.bounds))
            yield (
                f"数は段階で示します（{bounds} から）。"
                if language == "ja"
                else f"Of a number only the class is told in which it lies; they begin at {bounds}."
            )


def _steps(rule: Round, language: Language) -> str:
    if language == "ja":
        top = f"{rule.top} 以上はすべて {rule.top} とします。" if rule.top else ""
        return f"数は {rule.base} の倍数に丸めて示します。{top}"
    top = f" {rule.top} and more are told as {rule.top}." if rule.top else ""
    return f"Numbers are told in steps of {rule.base}.{top}"


def _en(rule: Rule, lane: Lane) -> str:  # noqa: PLR0911 one return for each kind of rule
    live = lane.write.form == "nothing"
    kept = "shown" if live else "kept"
    word = ' There it says "near home" and no place.' if live else ""
    again = f"When your child has left, nothing is {kept} until it is clearly away."
    match rule:
        case Circle():
            return f"Nothing within {rule.radius_m:g} m of your home is {kept}. {again}{word}"
        case Zone():
            return (
                f"Nothing is {kept} in the part of town round your home (a zone on a map that the city publishes), nor within "
                f"{rule.buffer_m:g} m of it. {again}{word} Of a child who lives in no zone of the map, nothing is {kept} at all."
            )
        case Stay():
            return (
                f"Nothing is {kept} within {rule.radius_m:g} m of where your child stays for {words.span(rule.least_us)} or longer: "
                "grandparents', a clinic, a friend's."
            )
        case MinVisibleFixes():
            return f"Fewer than {rule.n} places in a row are not {kept}: one alone would point somewhere."
        case Mesh():
            return (
                f"Of a place, only the square of about {rule.cell_m} m is {kept} in which it lies."
            )
        case DensityClasses():
            sizes = ", ".join(
                f"about {one.cell_m} m where there are {one.from_per_km2} dwellings/km² and more"
                for one in rule.classes
            )
            return f"Of a place, only the square is {kept} in which it lies: {sizes}. Where fewer live, nothing is."
        case Delay():
            return (
                f"Nothing is shown before it is {words.span(rule.least_us)} old."
                if rule.least_us
                else "A place is shown at once."
            )
        case Laplace():
            return (
                f"Each place is moved by about {rule.mean_m:g} m, and the same place always alike."
            )
    return ""


def _ja(rule: Rule, lane: Lane) -> str:  # noqa: PLR0911 one return for each kind of rule
    live = lane.write.form == "nothing"
    hides = "見せません" if live else "残しません"
    keeps = "見せます" if live else "残します"
    word = "代わりに「家の近く」とだけ伝えます。" if live else ""
    again = f"離れた後も、はっきりと遠ざかるまでは{hides}。"
    match rule:
        case Circle():
            return f"ご自宅から {rule.radius_m:g} m 以内の位置は{hides}。{word}{again}"
        case Zone():
            return f"ご自宅のある一帯（市が地図で公表する区域）と、その周り {rule.buffer_m:g} m の位置は{hides}。{word}{again}地図のどの区域にもお住まいでないお子さんについては、何も{hides}。"
        case Stay():
            return (
                f"お子さんが {words_ja.span(rule.least_us)}以上とどまった場所（祖父母の家、病院、友だちの家など）から "
                f"{rule.radius_m:g} m 以内の位置は{hides}。"
            )
        case MinVisibleFixes():
            return f"続けて {rule.n} 点に満たない位置は{hides}。一点だけでは、どこかを指してしまうからです。"
        case Mesh():
            return f"位置は、それが入る約 {rule.cell_m} m の区画（メッシュ）だけを{keeps}。"
        case DensityClasses():
            return f"位置は、それが入る区画（メッシュ）だけを{keeps}（{words_ja.sizes(rule)}）。それより家の少ない所では{hides}。"
        case Delay():
            return (
                f"{words_ja.span(rule.least_us)}たつまでは見せません。"
                if rule.least_us
                else "位置はすぐに見えます。"
            )
        case Laplace():
            return f"位置は平均 {rule.mean_m:g} m ずらします。同じ場所はいつも同じだけずれます。"
    return ""
