"""What happens to runs of labels. The subject is the run."""

from samlad.kernel.log import Fact, declare


@declare("labels.asked")
class LabelsAsked(Fact, frozen=True, kw_only=True):
    """Somebody wants labels."""

    template: str


@declare("labels.made")
class LabelsMade(Fact, frozen=True, kw_only=True):
    """The labels can be printed, or could not be made (``state``)."""

    state: str
    labels: int
