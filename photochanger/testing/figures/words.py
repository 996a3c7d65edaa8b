"""The words that the rule of names needs.

``VERBS`` are the words of this project that an imperative name may consist of alone. A new one
belongs here; a word that is no verb in this trade does not.
"""


def split_words(text: str) -> frozenset[str]:
    return frozenset(text.split())


VERBS = split_words(
    """
    accept aclose add admit align analyse announce answer apply ask authenticate bind block
    build call capture change check classify clean cleanup clear close collect compare
    configure confirm connect convert copy count create createsocket cut decide decode decrypt
    delete deliver describe download drain draw drill drop emit encode encrypt end enter
    estimate exchange exists expire explain export fail feed fetch fill finalize find finish
    flush forget format gather generate get group guard gzip handle handleerror hash hold index
    ingest insist inspect install join judge keep list load lock log login logout look lookup
    make mark match measure merge migrate move name negotiate open order parse paste patch
    pause poll post prepare present print probe process profile publish purge put query queue
    read readinto receive reconnect record redirect refuse register release remember remove
    render replace replay report reset resolve respond restore retry return rotate route run
    save scan seal search send serve set setup shorten show shutdown sign skip sleep sniff spool
    start stop store stream strip sum summarize switch sync take throttle track translate trim
    try turn understand unpack update upload verify wait walk warm watch withdraw work wrap
    write zip
    """
)

# Participles without a regular ending.
IRREGULAR = split_words(
    """
    begun bought bound brought built caught done found gone held kept lent lost made met paid
    said sent shown told understood
    """
)

# What ends like a participle and is none.
REGULAR_EXCEPTIONS = split_words(
    """
    between breed children down embed even exceed feed golden hidden hundred listen need open
    own proceed red screen seed shutdown speed succeed then token when
    """
)

# Names that Django, pytest, ASGI, a codec or a protocol of Python gives: not ours to choose.
FRAMEWORK_NAMES = split_words(
    """
    actions clean dispatch formfield_for_dbfield head help hosts inspect items keys lookups
    message queryset ready status values shutdown process_view
    """
)
