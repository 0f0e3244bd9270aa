"""The one fact of the demo."""

from samlad.kernel.log import Fact, declare


@declare("demo.built")
class DemoBuilt(Fact, frozen=True, kw_only=True):
    """The demo's catalogue, history and opening stock are all in."""

    variants: int
    orders: int
    units: int
