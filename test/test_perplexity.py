#!/usr/bin/env python3
"""Nats per token of the default model on its held-out text, against the figure of its training.

INOX_DEFAULT_F32 names the float32 file of the same model (tools/make_default_model.py --type f32).
"""
import os

from support import DEFAULT, SHARED, check, good, main, object_of, skip, test

NATS = 3.3240  # measured by the training script in float32
HELD_OUT = os.path.join(SHARED, "train", "default", "held_out.ids.json")


def perplexity(model):
    if not os.path.exists(HELD_OUT):
        skip("shared/train/default is not beside this checkout")
    got = object_of(good("perplexity", model, "--ids", HELD_OUT, "--window", 256, "--json"))
    print(f"  {got['nats_per_token']:.6f} nats per token of {got['tokens']} tokens")
    return got["nats_per_token"]


@test
def default_q8_0():
    check(abs(perplexity(DEFAULT) - NATS) <= 0.02)


@test
def default_f32():
    model = os.environ.get("INOX_DEFAULT_F32")
    if model is None:
        skip("INOX_DEFAULT_F32 names no file")
    check(abs(perplexity(model) - NATS) <= 0.001)


main()
