"""The pages that `privacy register` prints: what the configuration says, and marked blanks for what it does not."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from gateway.rules import words, words_ja
from gateway.rules.canonical import digest
from gateway.rules.learned import unhidden
from gateway.rules.model import Lane, RuleSet
from gateway.settings.rule_set import name_of
from gateway.settings.rules import FIRST_FORM
from sekisho import register_parents
from sekisho.register_words import NAMES, Language, implied, items, readers, safety, source, whose

Part: TypeAlias = Literal["register", "pia", "parents"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a configuration says of people's data.

    Attributes:
        rules: the rule set in force.
        owner: municipality code.
        in_force: hex digest of rules, service area and time zone.
    """

    rules: RuleSet
    owner: str
    in_force: str


_BLANK = {"en": "____________ (the city)", "ja": "＿＿＿＿＿＿（市が記入）"}


def page(facts: Facts, part: Part, language: Language) -> str:
    """One part in Markdown."""
    made: Mapping[Part, Callable[[Facts, Language], Iterator[str]]] = {
        "register": _register,
        "pia": _pia,
        "parents": _parents,
    }
    return "\n".join(made[part](facts, language)) + "\n"


def _stay(lane: Lane, language: Language) -> str:
    return words_ja.stay(lane) if language == "ja" else words.stay(lane)


def _does(lane: Lane, language: Language) -> Iterator[str]:
    for _stage, rule in lane.steps():
        yield words_ja.sentence(rule, lane) if language == "ja" else words.sentence(rule)


def _limits(lane: Lane, language: Language) -> list[str]:
    return [*(words_ja.limits(lane) if language == "ja" else words.limits(lane))]


def _register(facts: Facts, language: Language) -> Iterator[str]:
    japanese = language == "ja"
    yield "# 個人情報ファイル簿（案）" if japanese else "# File register (draft)"
    yield ""
    yield (
        f"設定から作成。団体コード {facts.owner}、ルール {name_of(facts.rules)}。空欄は市が記入する。"
        if japanese
        else f"Made from the configuration. Municipality {facts.owner}, rules {name_of(facts.rules)}. Blanks are the city's."
    )
    heads = (
        ("名称", "利用目的", "記録項目", "対象者", "収集方法", "保存期間", "閲覧者", "根拠", "安全管理措置", "開示・消去の窓口")
        if japanese
        else ("name", "purpose", "items", "of whom", "how collected", "kept", "read by", "legal basis", "safety", "whom to ask")
    )  # fmt: skip
    blank = _BLANK[language]
    for lane in facts.rules.lanes:
        reads = _keeps_reads(facts, lane)
        values = (
            NAMES[language][lane.name],
            lane.purpose,
            items(lane, language, reads=reads),
            whose(lane, language),
            source(lane, language, reads=reads),
            _stay(lane, language),
            _reader(lane) if japanese else lane.audience,
            lane.legal_basis,
            _safe(facts, lane, language),
            blank,
        )
        yield ""
        yield f"## {values[0]}"
        yield ""
        yield "| | |"
        yield "|---|---|"
        yield from (
            f"| {head} | {value} |" for head, value in zip(heads[1:], values[1:], strict=True)
        )


def _pia(facts: Facts, language: Language) -> Iterator[str]:
    japanese = language == "ja"
    yield (
        "# プライバシー影響評価の付属書（案）"
        if japanese
        else "# Annex to a privacy impact assessment (draft)"
    )
    yield ""
    yield f"- {'ルール' if japanese else 'rule set'}: {facts.rules.id}, SHA-256 {digest(facts.rules)}"
    yield f"- {'適用中（対象地域とタイムゾーンを含む）' if japanese else 'in force (with service area and time zone)'}: {facts.in_force}"
    yield f"- {'区域を固定する期間' if japanese else 'zones frozen for'}: {facts.rules.epoch or '-'}"
    yield (
        "- 読み込み時の検査: 矛盾なし（矛盾があれば起動しない）"
        if japanese
        else "- contradictions: none (a rule set with one is refused at the start)"
    )
    for lane in facts.rules.lanes:
        yield ""
        yield f"## {NAMES[language][lane.name]} (`{lane.name}`)"
        yield ""
        yield f"{'利用目的' if japanese else 'Purpose'}: {lane.purpose}"
        there = words_ja.where(lane) if japanese else words.where(lane)
        if there:
            yield f"{'適用' if japanese else 'Applies'}: {there}"
        yield ""
        hidden = implied(facts.rules, lane, language)
        does = [*([hidden] if hidden else []), *_does(lane, language)]
        yield from (f"{number}. {said}" for number, said in enumerate(does, 1))
        unhid = _limits(lane, language)
        if unhid:
            yield ""
            yield "隠さないもの：" if japanese else "What this does not hide:"
            yield ""
            yield from (f"- {said}" for said in unhid)
        if lane.audit is not None:
            yield ""
            yield (
                f"要求する監査: {lane.audit.days} 日、水準 {lane.audit.level}、{lane.audit.homes} 戸。**監査はまだ行っていない。**"
                if japanese
                else f"Audit asked for: {lane.audit.days} days, level {lane.audit.level}, {lane.audit.homes} homes. **It was not done yet.**"
            )
    yield ""
    yield "## まだ確かめていないこと" if japanese else "## What is not tested yet"
    yield ""
    yield from (
        (
            "- 実際の市の区域と住宅での攻撃（付属の区域は架空の町のもの）",
            "- ルールを知る攻撃者の模型による監査",
            "- 法令への適合。この付属書は技術の記述であり、評価ではない",
        )
        if japanese
        else (
            "- attacks on a real city's zones and dwellings (the shipped zones are a fictional town's)",
            "- an audit by adversaries who know the rules",
            "- the law: this annex describes a technique and assesses nothing",
        )
    )
    yield ""
    yield f"{'評価者・日付' if japanese else 'Assessed by, on'}: {_BLANK[language]}"


def _parents(facts: Facts, language: Language) -> Iterator[str]:
    japanese = language == "ja"
    kept = [lane for lane in facts.rules.lanes if not lane.count]
    counted = [lane for lane in facts.rules.lanes if lane.count]
    yield "# 見守り端末の記録について" if japanese else "# What is recorded of your child's tracker"
    yield ""
    yield (
        "端末は位置を送ります。送られた位置は、保存の前に次のように隠されます。隠された位置は、どこにも残りません。"
        if japanese
        else "The tracker sends where it is. Before anything is stored it is hidden as follows; what is hidden is nowhere afterwards."
    )
    for lane in kept:
        yield ""
        yield f"## {NAMES[language][lane.name]}"
        yield ""
        yield f"- {'何のために' if japanese else 'What for'}: {lane.purpose}"
        yield from (f"- {said}" for said in register_parents.rules(lane, language))
        if _keeps_reads(facts, lane):
            yield (
                "- 停留所で読んだタグは、一日限りの仮名で残します。"
                if japanese
                else "- Tags that are read at bus stops are kept under a name that lasts one day."
            )
        yield from _around(lane, language)
        yield ""
        yield "これでも隠れないもの：" if japanese else "What this does not hide:"
        yield ""
        yield from (f"- {said}" for said in register_parents.unhidden(unhidden(lane), language))
    if counted:
        yield ""
        yield "## 数えるだけのもの" if japanese else "## What is only counted"
    for lane in counted:
        yield ""
        yield f"### {NAMES[language][lane.name]}"
        yield ""
        yield f"- {'何のために' if japanese else 'What for'}: {lane.purpose}"
        yield from (f"- {said}" for said in register_parents.counted(facts.rules, lane, language))
        yield from _around(lane, language)
    yield ""
    yield "## あなたの権利" if japanese else "## Your rights"
    yield ""
    yield from (
        (
            "- 同意はお子さん一人ごと、目的ごとです。いつでも取り消せ、すぐに効きます。",
            "- 何が残っているかを受け取れます。",
            "- やめるときは家庭の鍵を壊します。残っていた行は、写しを含めて誰にも読めなくなります。きょうだいも一緒です。",
            "- すでに数えられた数は、誰の分か分からないため残ります。",
        )
        if japanese
        else (
            "- You agree for each child and each purpose, and may take it back at any time, at once.",
            "- You are given what is held.",
            "- When you leave, your household's key is destroyed: nobody can read the rows any more, in no copy. Siblings leave together.",
            "- Numbers that were counted stay: nobody can tell whose they are.",
        )
    )
    yield ""
    yield f"{'問い合わせ先' if japanese else 'Whom to ask'}: {_BLANK[language]}"


def _safe(facts: Facts, lane: Lane, language: Language) -> str:
    """What keeps it safe, and what hides whoever is counted where no rule says it."""
    said = (safety(lane, language), implied(facts.rules, lane, language))
    return ("。" if language == "ja" else "; ").join(one for one in said if one)


def _keeps_reads(facts: Facts, lane: Lane) -> bool:
    """Whether reads of tags are kept as rows: the first form does."""
    return lane.name == "store" and facts.rules.id == FIRST_FORM


def _reader(lane: Lane) -> str:
    """In Japanese, and as the rules write it."""
    said = readers(lane, "ja")
    return said if said == lane.audience else f"{said}（{lane.audience}）"


def _around(lane: Lane, language: Language) -> Iterator[str]:
    """How long it stays, who sees it, and by what right."""
    japanese = language == "ja"
    yield f"- {'いつまで' if japanese else 'How long'}: {register_parents.stays(lane, language)}"
    yield f"- {'誰が見るか' if japanese else 'Who sees it'}: {readers(lane, language)}"
    yield f"- {'何に基づくか' if japanese else 'What allows it'}: {lane.legal_basis}"
