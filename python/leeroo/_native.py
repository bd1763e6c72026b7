"""include/leeroo.h in ctypes: the structs, the functions, and errors as exceptions. Nothing here is for users."""

from __future__ import annotations

import os
import weakref
from ctypes import (CDLL, POINTER, Structure, byref, c_char, c_char_p, c_double, c_int, c_int64, c_size_t, c_uint64, c_void_p,
                    sizeof, string_at)
from pathlib import Path
from typing import Any, Optional, Sequence

ABI = 0


class LeerooError(Exception):
    """What the library could not do, in its own words. `code` is its name in include/leeroo.h: "not_found"."""

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.code = code


class InvalidError(LeerooError, ValueError):
    """An argument is malformed or out of its bounds, or a handle was closed before."""


class NotFoundError(LeerooError, LookupError):
    """No such file, expert or plan; or no expert is left to choose from."""


class ModelError(LeerooError):
    """The model is damaged, of another version, or no model at all."""


class BudgetError(LeerooError):
    """Everybody is predicted to cost more than max_cost_usd."""


EXCEPTIONS = {"input": InvalidError, "too_large": InvalidError, "not_found": NotFoundError, "corrupt": ModelError,
              "unsupported": ModelError, "budget": BudgetError}


class Sized(Structure):
    """Begins with its size, by which the library knows the version of whoever calls."""

    def __init__(self, **members: Any) -> None:
        super().__init__(size=sizeof(type(self)), **members)


class Error(Structure):
    _fields_ = [("code", c_int), ("text", c_char * 508)]


class Offer(Sized):
    _fields_ = [("size", c_size_t), ("expert", c_char_p), ("priced", c_int), ("input_nano_usd_per_m", c_int64),
                ("output_nano_usd_per_m", c_int64)]


class Arm(Sized):
    _fields_ = [("size", c_size_t), ("kind", c_int), ("learnt_rule", c_int), ("member_count", c_size_t),
                ("members", c_size_t * 8)]


class Expert(Sized):
    _fields_ = [("size", c_size_t), ("input_nano_usd_per_m", c_int64), ("output_nano_usd_per_m", c_int64),
                ("accuracy", c_double), ("mean_cost_usd", c_double), ("tokens_per_character", c_double)]


class PolicyOptions(Sized):
    _fields_ = [("size", c_size_t), ("lambda", c_double), ("budget_usd_per_1k", c_double), ("min_quality", c_double),
                ("max_cost_nano_usd", c_int64), ("plans", c_char_p), ("experts", POINTER(c_char_p)),
                ("expert_count", c_size_t)]


class Query(Sized):
    _fields_ = [("size", c_size_t), ("text", c_char_p), ("text_bytes", c_size_t), ("choices", POINTER(c_char_p)),
                ("choice_count", c_size_t)]


class ArmEstimate(Sized):
    _fields_ = [("size", c_size_t), ("quality", c_double), ("quality_sd", c_double), ("input_tokens", c_double),
                ("output_tokens", c_double), ("escalation", c_double), ("cost_nano_usd", c_int64),
                ("cost_max_nano_usd", c_int64)]


# Name: what it returns (None: nothing; "code": an error unless it is 0), what it takes.
FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "version": (c_char_p,),
    "abi": (c_int,),
    "code_name": (c_char_p, c_int),
    "model_load": ("code", c_char_p, POINTER(c_void_p)),
    "model_load_bytes": ("code", c_char_p, c_size_t, POINTER(c_void_p)),
    "model_free": (None, c_void_p),
    "model_checksum": (c_uint64, c_void_p),
    "model_expert_count": (c_size_t, c_void_p),
    "model_arm_count": (c_size_t, c_void_p),
    "model_arm_name": (c_char_p, c_void_p, c_size_t),
    "model_arm": ("code", c_void_p, c_size_t, POINTER(Arm)),
    "model_expert": ("code", c_void_p, c_size_t, POINTER(Expert)),
    "router_create": ("code", c_void_p, POINTER(Offer), c_size_t, POINTER(c_void_p)),
    "router_free": (None, c_void_p),
    "policy_create": ("code", c_void_p, POINTER(PolicyOptions), POINTER(c_void_p)),
    "policy_free": (None, c_void_p),
    "policy_lambda": (c_double, c_void_p),
    "policy_state": ("code", c_void_p, POINTER(c_void_p)),
    "policy_resume": ("code", c_void_p, c_char_p),
    "estimate": ("code", c_void_p, POINTER(Query), POINTER(c_void_p)),
    "estimates_free": (None, c_void_p),
    "estimates_get": ("code", c_void_p, c_size_t, POINTER(ArmEstimate)),
    "decide": ("code", c_void_p, c_void_p, POINTER(c_void_p)),
    "route": ("code", c_void_p, POINTER(Query), POINTER(c_void_p)),
    "decision_free": (None, c_void_p),
    "decision_arm": (c_size_t, c_void_p),
    "decision_quality": (c_double, c_void_p),
    "decision_cost_nano_usd": (c_int64, c_void_p),
    "decision_lambda": (c_double, c_void_p),
    "decision_considers": (c_int, c_void_p, c_size_t),
    "decision_estimate": ("code", c_void_p, c_size_t, POINTER(ArmEstimate)),
    "decision_fallbacks": (c_size_t, c_void_p, POINTER(c_size_t), c_size_t),
    "decision_json": ("code", c_void_p, c_char_p, POINTER(c_void_p)),
    "decision_explain": ("code", c_void_p, POINTER(c_void_p)),
    "string_free": (None, c_void_p),
    "observe": ("code", c_void_p, c_void_p, c_int64),
}


class Library:
    """The functions of leeroo.h without their prefix; those that can fail raise."""

    def __init__(self, path: str) -> None:
        loaded = CDLL(path)
        for name, (returns, *takes) in FUNCTIONS.items():
            function = getattr(loaded, "leeroo_" + name)
            function.restype = c_int if returns == "code" else returns
            function.argtypes = [*takes, POINTER(Error)] if returns == "code" else takes
            setattr(self, name, self._raising(function) if returns == "code" else function)

    def _raising(self, function: Any) -> Any:
        def call(*arguments: Any) -> None:
            error = Error()
            if function(*arguments, byref(error)) != 0:
                code = self.code_name(error.code).decode()
                raise EXCEPTIONS.get(code, LeerooError)(error.text.decode("utf-8", "replace"), code)
        return call

    def __getattr__(self, name: str) -> Any:  # for type checkers: attributes are set above
        raise AttributeError(name)


def load() -> Library:
    path = os.environ.get("LEEROO_LIBRARY") or str(Path(__file__).with_name("libleeroo.so"))
    found = Library(path)
    if found.abi() != ABI:
        raise ImportError(f"{path} has ABI {found.abi()}, this package needs {ABI}")
    return found


library = load()


class Handle:
    """A pointer of the library's, freed when nobody has it any more, or by close()."""

    def __init__(self, free: Any, create: Any, *arguments: Any) -> None:
        pointer = c_void_p()
        create(*arguments, byref(pointer))
        self._pointer = pointer
        self._finalizer = weakref.finalize(self, free, c_void_p(pointer.value))

    @property
    def pointer(self) -> c_void_p:
        if not self._finalizer.alive:
            raise InvalidError("it was closed before", "input")
        return self._pointer

    def close(self) -> None:
        self._finalizer()


def take_string(create: Any, *arguments: Any) -> str:
    pointer = c_void_p()
    create(*arguments, byref(pointer))
    try:
        return string_at(pointer.value or 0).decode("utf-8")
    finally:
        library.string_free(pointer)


def encode(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def strings(texts: Optional[Sequence[str]]) -> Any:
    """char *[]; NULL for None."""
    return None if texts is None else (c_char_p * max(len(texts), 1))(*map(encode, texts))
