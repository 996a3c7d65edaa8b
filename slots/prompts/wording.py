"""Words of the booth as people read them, in one line each."""

from django.utils.translation import gettext as _

from slots.prompts.variables import PromptVariable


def describe_variable(one: PromptVariable) -> str:
    """Such as "{guest}: field of the form guest, letters, at most 40, otherwise “our guest”"."""
    source = PromptVariable.SOURCE_TITLES.get(one.source, one.source)
    characters = PromptVariable.CHARACTER_TITLES.get(one.characters, one.characters)
    words = [
        f"{{{one.name}}}: {_(source)} {one.field_name}",
        _(characters),
        _("at most %(count)d") % {"count": one.max_length},
    ]
    if one.default:
        words.append(_("otherwise “%(words)s”") % {"words": one.default})
    return ", ".join(words)
