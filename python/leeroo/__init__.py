"""Which language model a text should go to, decided in this process by what `leeroo train` has learnt.

    from leeroo import Router

    with Router.load("model.safetensors") as router:
        decision = router.route("What is 48 * 127?", lam=100)
        print(decision.expert, decision.quality, decision.cost_usd)

Quality is the predicted probability of a good answer, 0 to 1. `lam` is lambda, quality per USD: what has the highest
quality - lam * cost is chosen. Amounts of money are given as int, float, str or Decimal and come back as float; the figures
behind them are integers of 1e-9 USD.

All objects may be used by any number of threads at once; only close() must come after everything else.
"""

from __future__ import annotations

import json
import os
import threading
from ctypes import byref, c_size_t
from dataclasses import dataclass, field
from decimal import Decimal
from types import TracebackType
from typing import Any, Iterable, Mapping, Optional, Sequence, Union

from . import _native
from ._native import BudgetError, InvalidError, LeerooError, ModelError, NotFoundError

__all__ = ["Arm", "BudgetError", "Decision", "Estimate", "InvalidError", "LeerooError", "Model", "ModelError", "NotFoundError",
           "Router", "__version__"]

__version__: str = _native.library.version().decode()

Money = Union[int, float, str, Decimal]
_lib = _native.library
_KINDS = ("single", "cascade", "panel", "sequential")
_POLICIES_KEPT = 64  # of a router, for calls with options of their own


def _nano(usd: Money) -> int:
    try:
        return int((Decimal(str(usd)) * 10**9).to_integral_value())
    except ArithmeticError:
        raise InvalidError(f"{usd!r} is no amount of money", "input") from None


@dataclass(frozen=True)
class Arm:
    """A way to answer: an expert by itself, or a plan over two to eight of them."""

    name: str
    kind: str  # "single", "cascade", "panel", "sequential"
    experts: tuple[str, ...]  # of a cascade or a panel all but the last are asked at once, first
    learnt_rule: bool  # of a plan: what was learnt says whether another is asked


@dataclass(frozen=True)
class Estimate:
    """What an arm is worth for one text."""

    quality: float  # probability of a good answer
    quality_sd: float  # how far the text's own probability may lie from it
    cost_usd: float  # expected; of a plan with all its calls
    cost_max_usd: float  # of a plan if every member is asked
    input_tokens: float  # expected; of a plan 0
    output_tokens: float
    escalation: float  # probability that a plan asks its last member


@dataclass(frozen=True)
class Decision:
    """What was chosen for a text, with every number that led to it."""

    plan: str  # "single", or the plan's name
    expert: str  # to ask first
    experts: tuple[str, ...]  # of the arm
    quality: float
    cost_usd: float
    lam: float  # in force
    fallbacks: tuple[str, ...]  # other experts, best first, for when those of the arm fail
    estimates: Mapping[str, Estimate]  # of the arms that could be chosen, by name
    _handle: _native.Handle = field(repr=False, compare=False)

    def json(self, id: Optional[str] = None) -> str:
        """The line that `leeroo route` prints for the query with that id, byte for byte."""
        return _native.take_string(_lib.decision_json, self._handle.pointer, None if id is None else _native.encode(id))

    def explain(self) -> dict[str, Any]:
        """The members of the gateway's POST /v1/route, but for those of a gateway."""
        members: dict[str, Any] = json.loads(_native.take_string(_lib.decision_explain, self._handle.pointer))
        return members


class Model:
    """A model file, loaded: its experts and its arms. Immutable."""

    def __init__(self, handle: _native.Handle) -> None:
        self._handle = handle
        pointer, count = handle.pointer, _lib.model_expert_count(handle.pointer)
        names = [_lib.model_arm_name(pointer, i).decode("utf-8", "replace") for i in range(_lib.model_arm_count(pointer))]
        self.experts: tuple[str, ...] = tuple(names[:count])
        self.arms: tuple[Arm, ...] = tuple(self._arm(i, name) for i, name in enumerate(names))
        self.checksum: str = f"{_lib.model_checksum(pointer):016x}"

    @classmethod
    def load(cls, path: Union[str, "os.PathLike[str]"]) -> "Model":
        return cls(_native.Handle(_lib.model_free, _lib.model_load, os.fsencode(path)))

    @classmethod
    def from_bytes(cls, data: bytes) -> "Model":
        return cls(_native.Handle(_lib.model_free, _lib.model_load_bytes, data, len(data)))

    def _arm(self, index: int, name: str) -> Arm:
        arm = _native.Arm()
        _lib.model_arm(self._handle.pointer, index, byref(arm))
        return Arm(name, _KINDS[arm.kind], tuple(self.experts[e] for e in arm.members[:arm.member_count]),
                   bool(arm.learnt_rule))

    def close(self) -> None:
        self._handle.close()


@dataclass(frozen=True)
class _Options:
    """Of a policy; hashable."""

    lam: Optional[float] = None
    budget_usd_per_1k: Optional[float] = None
    min_quality: Optional[float] = None
    max_cost_usd: Optional[Money] = None
    plans: Optional[str] = None
    experts: Optional[tuple[str, ...]] = None

    def changed(self, lam: Optional[float], min_quality: Optional[float], max_cost_usd: Optional[Money],
                plans: Optional[str], experts: Optional[tuple[str, ...]]) -> "_Options":
        """A lambda or a quality takes the place of whatever trade there was; the rest stays where nothing is said."""
        trade = (self.lam, self.budget_usd_per_1k, self.min_quality)
        if lam is not None or min_quality is not None:
            trade = (lam, None, min_quality)
        return _Options(*trade, self.max_cost_usd if max_cost_usd is None else max_cost_usd,
                        self.plans if plans is None else plans, self.experts if experts is None else experts)


def _query(text: str, choices: Optional[Sequence[str]]) -> _native.Query:
    data = _native.encode(text)
    return _native.Query(text=data, text_bytes=len(data), choices=_native.strings(choices), choice_count=len(choices or ()))


def _estimate(get: Any, pointer: Any, arm: int) -> Estimate:
    e = _native.ArmEstimate()
    get(pointer, arm, byref(e))
    return Estimate(e.quality, e.quality_sd, e.cost_nano_usd / 1e9, e.cost_max_nano_usd / 1e9, e.input_tokens,
                    e.output_tokens, e.escalation)


class Router:
    """Experts that can be asked, at the prices that are paid for them, and a policy for calls that bring none.

    experts             names of the model's that can be asked; None: all
    prices              {name: (USD per million input tokens, USD per million output tokens)} where they are not those of
                        the training
    lam                 quality per USD; 0, the default, is the best quality whatever it costs
    budget_usd_per_1k   mean cost of 1,000 texts that lambda is set for; tell observe() what answers really cost
    min_quality         the cheapest arm that is good enough for a mean of this, else the best
    max_cost_usd        nobody predicted to cost more than this for one text
    plans               "all" (default), "none", "cascade", "panel", "sequential", a plan's name; several between ";"

    lam, budget_usd_per_1k and min_quality exclude each other.
    """

    def __init__(self, model: Model, *, experts: Optional[Iterable[str]] = None,
                 prices: Optional[Mapping[str, tuple[Money, Money]]] = None, lam: Optional[float] = None,
                 budget_usd_per_1k: Optional[float] = None, min_quality: Optional[float] = None,
                 max_cost_usd: Optional[Money] = None, plans: Optional[str] = None) -> None:
        self.model = model
        names = tuple(model.experts if experts is None else experts)
        offers = [self._offer(name, (prices or {}).get(name)) for name in names]
        for name in set(prices or {}) - set(names):
            raise NotFoundError(f"a price for expert {name!r}, which is not among the router's", "not_found")
        self.experts: tuple[str, ...] = names
        self._handle = _native.Handle(_lib.router_free, _lib.router_create, model._handle.pointer,
                                      (_native.Offer * max(len(offers), 1))(*offers), len(offers))
        self._options = _Options(lam, budget_usd_per_1k, min_quality, max_cost_usd, plans)
        self._policies: dict[_Options, _native.Handle] = {}
        self._lock = threading.Lock()  # guards _policies
        self._policy = self._make(self._options)

    @classmethod
    def load(cls, path: Union[str, "os.PathLike[str]"], **options: Any) -> "Router":
        """A router over the model in a file; options as for Router."""
        return cls(Model.load(path), **options)

    @staticmethod
    def _offer(name: str, price: Optional[tuple[Money, Money]]) -> _native.Offer:
        if price is None:
            return _native.Offer(expert=_native.encode(name))
        return _native.Offer(expert=_native.encode(name), priced=1, input_nano_usd_per_m=_nano(price[0]),
                             output_nano_usd_per_m=_nano(price[1]))

    def _make(self, o: _Options) -> _native.Handle:
        options = _native.PolicyOptions(
            budget_usd_per_1k=o.budget_usd_per_1k or 0, min_quality=o.min_quality or 0,
            max_cost_nano_usd=_nano(o.max_cost_usd) if o.max_cost_usd is not None else 0,
            plans=None if o.plans is None else _native.encode(o.plans), experts=_native.strings(o.experts),
            expert_count=len(o.experts or ()), **{"lambda": o.lam or 0})
        return _native.Handle(_lib.policy_free, _lib.policy_create, self._handle.pointer, byref(options))

    def _policy_for(self, o: _Options) -> _native.Handle:
        if o == self._options:
            return self._policy
        if o.budget_usd_per_1k is not None:
            raise InvalidError("a router with a budget takes lam or min_quality for a call, and nothing else", "input")
        with self._lock:
            made = self._policies.get(o)
        if made is None:
            made = self._make(o)
            with self._lock:
                while len(self._policies) >= _POLICIES_KEPT:
                    del self._policies[next(iter(self._policies))]
                self._policies[o] = made
        return made

    def route(self, text: str, choices: Optional[Sequence[str]] = None, *, lam: Optional[float] = None,
              min_quality: Optional[float] = None, max_cost_usd: Optional[Money] = None, plans: Optional[str] = None,
              experts: Optional[Iterable[str]] = None) -> Decision:
        """Decides who should answer `text`, the last message of a conversation. `choices` are put below it as lines
        "A. ...". What else is given takes the place of the router's own. BudgetError: nobody is within max_cost_usd."""
        options = self._options.changed(lam, min_quality, max_cost_usd, plans, None if experts is None else tuple(experts))
        policy = self._policy_for(options)
        handle = _native.Handle(_lib.decision_free, _lib.route, policy.pointer, byref(_query(text, choices)))
        return self._decision(handle)

    def _decision(self, handle: _native.Handle) -> Decision:
        p, arms = handle.pointer, self.model.arms
        arm = arms[_lib.decision_arm(p)]
        order = (c_size_t * len(self.model.experts))()
        count = _lib.decision_fallbacks(p, order, len(order))
        estimates = {a.name: _estimate(_lib.decision_estimate, p, i) for i, a in enumerate(arms)
                     if _lib.decision_considers(p, i)}
        return Decision("single" if arm.kind == "single" else arm.name, arm.experts[0], arm.experts, _lib.decision_quality(p),
                        _lib.decision_cost_nano_usd(p) / 1e9, _lib.decision_lambda(p),
                        tuple(self.model.experts[i] for i in order[:count]), estimates, handle)

    def estimate(self, text: str, choices: Optional[Sequence[str]] = None) -> dict[str, Estimate]:
        """What each arm of the router is worth for `text`, by name; nothing is decided."""
        handle = _native.Handle(_lib.estimates_free, _lib.estimate, self._handle.pointer, byref(_query(text, choices)))
        offered = set(self.experts)
        return {a.name: _estimate(_lib.estimates_get, handle.pointer, i) for i, a in enumerate(self.model.arms)
                if offered.issuperset(a.experts)}

    @property
    def lam(self) -> float:
        """In force for calls that bring none: with a budget it moves."""
        return float(_lib.policy_lambda(self._policy.pointer))

    def observe(self, decision: Decision, cost_usd: Optional[Money] = None) -> None:
        """What a decision by the router's budget really cost, all calls together; None: unknown, as predicted."""
        _lib.observe(self._policy.pointer, decision._handle.pointer, -1 if cost_usd is None else _nano(cost_usd))

    def state(self) -> str:
        """Where the budget stands, as JSON; resume() goes on from there in another process."""
        return _native.take_string(_lib.policy_state, self._policy.pointer)

    def resume(self, state: str) -> None:
        """Before the first decision. NotFoundError: the state is of another budget."""
        _lib.policy_resume(self._policy.pointer, _native.encode(state))

    def close(self) -> None:
        """Frees what nobody else has; decisions stay good. Must not run while another thread uses the router."""
        with self._lock:
            self._policies.clear()
        self._policy.close()
        self._handle.close()

    def __enter__(self) -> "Router":
        return self

    def __exit__(self, kind: Optional[type[BaseException]], value: Optional[BaseException],
                 traceback: Optional[TracebackType]) -> None:
        self.close()
