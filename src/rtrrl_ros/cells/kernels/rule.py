"""How a TD error moves the parameters of one network: what compiled and reference form agree on."""

import dataclasses
import math

OPTIMIZERS = ('adam', 'sgd', 'obgd')


@dataclasses.dataclass(frozen=True)
class UpdateRule:
    """The rule of one network; the names are those of `learning.config`.

    Attributes
    ----------
    optimizer : 'adam', 'sgd' or 'obgd'
    decay : gamma lambda, of the eligibility trace
    pull : learning rate x beta, towards the origin; 0: no pull
    drift_limit : largest accepted ||theta - origin||
    kappa : of ObGD
    gradient_clip : largest accepted ||TD error x eligibility trace||
    """

    optimizer: str
    learning_rate: float
    decay: float
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    pull: float = 0.0
    drift_limit: float = math.inf
    kappa: float = 0.0
    gradient_clip: float = math.inf

    @property
    def tethered(self) -> bool:
        """Whether anything holds the parameters near their origin."""
        return self.pull > 0.0 or math.isfinite(self.drift_limit)

    def clipped(self, td_error: float, norm: float) -> float:
        """The TD error, made smaller where its product with a trace of this norm is too long."""
        length = abs(td_error) * norm
        return td_error * self.gradient_clip / length if length > self.gradient_clip else td_error
