"""What an AI service does to the people of a photo by mistake."""

from collections.abc import Callable
from functools import partial

from providers.simulator.gemini.answers import Work, build_success, draw, make_signed_part
from providers.simulator.gemini.scenario import Scenario
from providers.simulator.gemini.scenario_answers import BUSY, answer_ok
from providers.simulator.people import Mistake, add_person, lose_person, swap_person
from providers.simulator.wire import Answer, make_json_answer


def answer_with_mistake(mistake: Mistake, work: Work) -> Answer:
    """The photo altered as ever, and its people not all kept."""
    picture = draw(work, mistake=mistake)
    return make_json_answer(build_success(work, make_signed_part(picture)))


def answer_until_told(
    answer: Callable[[Work], Answer], told: Callable[[Work], Answer], work: Work
) -> Answer:
    """``told`` is for a prompt that insists on exactly who is in the photo."""
    return told(work) if "exactly" in work.request.prompt else answer(work)


LOSE_PERSON = partial(answer_with_mistake, lose_person)
FACE_SCENARIOS = {
    "lose-face": Scenario(
        "the last person is lost, of two side by side, or of =N",
        LOSE_PERSON,
    ),
    "add-face": Scenario(
        "a stranger stands beside two people, or =N", partial(answer_with_mistake, add_person)
    ),
    "swap-face": Scenario(
        "the last person becomes somebody else, of two side by side, or of =N",
        partial(answer_with_mistake, swap_person),
    ),
    "lose-face-unless-told": Scenario(
        "as lose-face, but for a prompt that insists on exactly who is there",
        partial(answer_until_told, LOSE_PERSON, answer_ok),
    ),
    "lose-face-then-503": Scenario(
        "as lose-face, and busy for such a prompt", partial(answer_until_told, LOSE_PERSON, BUSY)
    ),
}
