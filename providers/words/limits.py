"""Whether a limit passes by itself within minutes, or lasts: a day, a month, or until one pays.

In doubt it passes: that costs two more calls that are not billed, and the other mistake costs a
guest the picture. A plan's daily cap is often named beside the limit of a minute that was reached.
"""

import re
from collections.abc import Iterator
from typing import Any

from providers.error_body import ErrorBody, select_dicts

MAX_TEXT, MAX_TEXTS = 2000, 100
ADDRESS = re.compile(r"https?://\S+")
CLAUSE_END = re.compile(r"[.;!?。；](?=\s|$|[^\x00-\x7f])|[\n()（）]")
_OVER = r"(?:expired|ended|closed|suspended|cancell?ed|inactive|deactivated|disabled|unpaid)"
_DUE = r"(?:(?:past|over)[ -]?due|terminated|on hold)"
_BOUGHT = r"(?:trial|subscription|licen[cs]e|billing|(?:paid |your )(?:plan|package|account))"
_BOUGHT_RU = r"(?:подписк|пробн|лиценз|тариф|договор|аккаунт)\w*"
_OVER_RU = r"(?:ист[её]к|приостановл|заблокирован|неактивн|не активн|отключ[её]н|просрочен)\w*"
# What no waiting mends, whatever stands beside it.
MONEY = re.compile(
    r"limit:\s*0(?!\.?\d)|\bspend(?:ing)?[ _-]?(?:cap|limit)|insufficient[ _](?:user[ _])?quota|"
    r"\b(?:insufficient|not enough|out of|depleted|exhausted) (?:prepa\w+ )?"
    r"(?:credit|balance|fund)|"
    r"\bno (?:prepa\w+ )?(?:credits?|balance|funds?)\b"
    r"(?! (?!left|on|in|for|to|remain|avail)\w)|"
    r"\b(?:credit|balance|fund)s?\b.{0,30}\b"
    r"(?:deplet|exhaust|insufficient|empty|used up|run out|low\b)|"
    r"prepa(?:y|id)\w*.{0,40}(?:deplet|exhaust|empty|used up)|billing[ _]hard[ _]limit|"
    r"\b(?:enable|activate) billing|"
    r"billing[ _](?:is |account )?(?:not (?:enabled|active)|disabled)|"
    rf"\b{_BOUGHT}(?: \w+)?\W+(?:(?:has|have|is|was|been|already)\W+)*(?:{_OVER}|{_DUE})\b|"
    rf"\b(?:expired|inactive) (?:\w+ )?{_BOUGHT}|\baccount\b.{{0,20}}\b{_DUE}\b|"
    r"\btrial\b.{0,20}\bis over\b|"
    r"\bpayment[ _](?:is )?(?:required|needed|overdue|failed|declined)|\bunpaid\b|"
    rf"\b{_BOUGHT_RU}.{{0,40}}\b{_OVER_RU}|\b{_OVER_RU}.{{0,40}}\b{_BOUGHT_RU}|"
    r"недостаточно (?:средств|кредит|генерац|баланс)|\b(?:не ?оплач|задолженн|пополните)|"
    r"\b(?:оплатите|(?:требуется|нужна|необходима) оплата)|"
    r"(?:余额|额度|餘額|額度|点数|點數|积分|預算|预算)[^。，,]{0,8}(?:不足|不够|用尽|用完|耗尽|失败)|"
    r"欠费|充值|(?:已过期|已到期)",
    re.IGNORECASE,
)
DAY = re.compile(
    r"per[ _-]?(?:1|one|calendar)?[ _-]?(?:day|month|week)|\b(?:a|each|every) (?:day|month|week)\b|"
    r"(?:\d|requests?|tokens?|images?) ?/ ?(?:day|month|week)\b|\d/d\b|"
    r"(?:per[ _-]?|/ ?)24[ _-]?h|\b24[ _-]?h(?:ours?)?[ _-](?:quota|limit|window|cap)|"
    r"\b(?:daily|monthly|weekly)[ _-](?:\w+[ _-]){0,2}(?:limit|quota|cap\b|budget|allowance)|"
    r"\b(?:today|tomorrow|midnight)\b|\b(?:this|next|for the) (?:day|month|week)\b|"
    r"\brpmonth\b|\b[rit]pd\b|"
    r"\b(?:в|за|на) (?:день|сутки|месяц|неделю|24 час)|\bкажд\w+ (?:день|сутки|месяц|неделю)|"
    r"\b(?:суточн|дневн|месячн|недельн)\w* (?:лимит|квот)|\bсегодня|\bзавтра|\bпол(?:у)?ноч|"
    r"每[天日月周]|今[天日]|明[天日]|当[天日]",
    re.IGNORECASE,
)
# Words that stand beside such limits, and beside others too.
PERHAPS_LASTING = re.compile(
    r"\b(?:daily|monthly|weekly)\b|\b24[ -]?hours?\b|\b(?:еже)?(?:суточн|дневн|месячн)|\bисчерпан|"
    r"\bзакончил|\bнедостаточно|\bбаланс(?:а|е|у|ом)?\b|\bтариф",
    re.IGNORECASE,
)
# A limit of a short time, or of calls at once.
SHORT = re.compile(
    r"per[ _-]?(?:\d{1,3}[ _-]?)?(?:min|sec)|per[ _-]?(?:1[ _-]?)?hour|"
    r"\b(?:a|each|every) (?:minute|second|hour)\b|"
    r"\b(?:minute|minutely|hourly)\b[ -](?:\w+ )?(?:limit|quota|rate)|\bconcurren|\bsimultaneous|"
    r"/ ?(?:\d{1,3} ?)?(?:min|minute|sec|second|s)\b|/ ?(?:h|hour)\b|\d ?/ ?m\b|"
    r"\b(?:rp[mshi]|[it]pm|qps)\b|"
    r"\b(?:в|за) (?:\d{1,3} )?(?:мин|сек|час\b)|\b(?:ежеминутн|минутн|почасов)|\bодновременн|"
    r"每(?:分钟|分鐘|秒|小时)|并发",
    re.IGNORECASE,
)
SHORT_WAIT = re.compile(
    r"\d ?(?:ms|s|secs?|seconds?|mins?|minutes?|с|сек|мин|секунд\w*|минут\w*)\b|"
    r"\bin a (?:few |couple of )?(?:second|minute|moment)|\b(?:в|через) (?:минуту|секунду)",
    re.IGNORECASE,
)
REACHED = re.compile(
    r"\b(?:reach|exceed|exhaust|surpass|too many|used up|hit\b|spent|"
    r"превы|исчерп|израсход|законч|слишком|достиг)|超|已达",
    re.IGNORECASE,
)


def is_lasting(said: ErrorBody) -> bool:
    """What is named in the details was reached; a message may name other limits too."""
    words = [said.message or said.plain_text, *(code.replace("_", " ") for code in said.codes)]
    details = [text for item in said.details for text in _list_limits(item)][:MAX_TEXTS]
    texts = [ADDRESS.sub("", text[:MAX_TEXT]) for text in (*details, *words)]
    if any(map(MONEY.search, texts)):
        return True
    for named in (texts[: len(details)], texts[len(details) :]):
        verdicts = {_judge_periods(text) for text in named}
        if verdicts - {None}:
            return True in verdicts
    is_short = any(map(SHORT_WAIT.search, texts))
    return not is_short and any(map(PERHAPS_LASTING.search, texts))


def _judge_periods(text: str) -> bool | None:
    """Whether the limit of a day is meant, or a short one; None where neither is named.

    The clause that says what was reached decides, and beside a short limit a day is the plan's.
    """
    for clause in (*filter(REACHED.search, CLAUSE_END.split(text)), text):
        if SHORT.search(clause):
            return False
        if DAY.search(clause):
            return True
    return None


def _list_limits(detail: dict[str, Any]) -> Iterator[str]:
    """Every text of the violations of a QuotaFailure and of the metadata of an ErrorInfo."""
    metadata = detail.get("metadata")
    for named in (*select_dicts(detail.get("violations")), metadata):
        for name, value in named.items() if isinstance(named, dict) else ():
            is_count = name in ("quotaValue", "quota_limit_value")
            yield f"limit: {value}"[:30] if is_count else str(value)[:500]
