from photochanger.errors import AppError, InvalidRequest, Text


class LabProblem(AppError):
    """A run that cannot be as it was asked for; one sentence says why."""

    def __init__(self, sentence: Text) -> None:
        super().__init__(str(sentence))
        self.status, self.reason = InvalidRequest.status, InvalidRequest.reason
        self.sentence = sentence
