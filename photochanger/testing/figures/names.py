"""Functions whose names do not say what they do: participles and bare nouns.

Counted are the functions and methods of the product whose names are ours to choose as verbs: no
property, context manager, dunder, class method (``Deadline.of`` is a constructor), and no function
that returns a bool (it asks). Of these

- a *participle* is a name that has one for its first word (``recorded``, ``received_order``) or,
  when the first word is no verb, for its last (``result_told``);
- a *bare noun* is a single word that is neither a participle nor in ``words.VERBS`` (``attempts``,
  ``facts``). ``result_url`` says what it returns and is not counted; nor is a view (its first
  argument is the request), which is named by its page.

The two shares are kept apart: a rule that rejects participles can be held to a bar, while a private
``_keys`` or ``_text`` is a matter of taste.
"""

import ast
from dataclasses import dataclass

from photochanger.testing.figures import words
from photochanger.testing.figures.functions import Function, FunctionNode

NOT_VERBS = ("property", "contextmanager", "classmethod")


@dataclass(frozen=True, slots=True)
class Names:
    """The counted functions, and the offenders among them."""

    count: int
    participles: list[Function]
    bare_nouns: list[Function]

    @property
    def participle_share(self) -> float:
        return len(self.participles) / self.count

    @property
    def bare_noun_share(self) -> float:
        return len(self.bare_nouns) / self.count


def judge_names(functions: list[Function]) -> Names:
    own = [function for function in functions if is_counted(function)]
    participles = [function for function in own if is_participle(function.name)]
    nouns = [f for f in own if is_bare_noun(f.name) and not has_request(f.node)]
    return Names(len(own), participles, nouns)


def is_counted(function: Function) -> bool:
    name, node = function.name, function.node
    if name.startswith("__") or name in words.FRAMEWORK_NAMES:
        return False
    returns_bool = node.returns is not None and ast.unparse(node.returns) == "bool"
    decorators = " ".join(ast.unparse(decorator) for decorator in node.decorator_list)
    return not returns_bool and not any(kind in decorators for kind in NOT_VERBS)


def is_participle(name: str) -> bool:
    first, *rest = split_name(name)
    if first in words.VERBS:
        return False
    return is_participle_word(first) or (bool(rest) and is_participle_word(rest[-1]))


def is_participle_word(word: str) -> bool:
    if word in words.REGULAR_EXCEPTIONS:
        return False
    return word in words.IRREGULAR or word.endswith(("ed", "en", "wn"))


def is_bare_noun(name: str) -> bool:
    first, *rest = split_name(name)
    return not rest and first not in words.VERBS and not is_participle(name)


def split_name(name: str) -> list[str]:
    return name.strip("_").lower().split("_")


def has_request(node: FunctionNode) -> bool:
    arguments = [argument.arg for argument in node.args.args]
    return "request" in arguments[:2]
