"""What the chosen operation needs, and what becomes of each template picture, from its driver."""

from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from slots.console.recipe_form import RecipeForm
from slots.history.field_names import get_label
from slots.models import SlotTemplateMedia

Kind = SlotTemplateMedia.MediaKind


class Role(NamedTuple):
    """A part that a template picture can play; ``words`` say what becomes of it."""

    kind: str
    title: str
    words: str


def list_roles(recipe: RecipeForm) -> list[Role]:
    takes = recipe.driver.template_kinds.get(recipe.operation, ())
    lines = recipe.driver.template_roles
    titles = dict(Kind.choices)
    sent = [
        Role(kind, str(titles[Kind(kind)]), _(lines[kind]) if kind in lines else "")
        for kind in takes
    ]
    words = _("a PNG with a transparent part, laid over the finished picture; it is never sent")
    return [*sent, Role(Kind.FRAME, str(titles[Kind.FRAME]), words)]


def describe_needs(recipe: RecipeForm) -> str:
    """One sentence of all that a picture cannot be made without."""
    titles, state = dict(Kind.choices), {"provider": recipe.driver.name}
    things = [_("the guest's photo")]
    if kinds := recipe.needs.template_kinds:
        parts = _(" or ").join(str(titles[Kind(kind)]) for kind in kinds)
        things.append(_("a second picture (%(parts)s)") % {"parts": parts})
    for name in recipe.needs.settings:
        label = get_label(f"settings.{name}", state)
        things.append(label[:1].lower() + label[1:])
    return _("This operation needs: %(things)s.") % {"things": "; ".join(things)}


def describe_recipe(recipe: RecipeForm, present: list[str]) -> dict[str, Any]:
    """For the page's template; ``present``: the kinds of the template pictures there are."""
    roles = list_roles(recipe)
    needed = recipe.needs.template_kinds
    return {
        "kinds": roles,
        "every_kind": Kind.choices,
        "needs": describe_needs(recipe),
        "needs_template": bool(needed),
        "lacks_template": bool(needed) and not set(needed) & set(present),
    }
