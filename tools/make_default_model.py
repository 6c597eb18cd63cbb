#!/usr/bin/env python3
"""Writes the embedded model as GGUF from the Hugging Face directory that train_default.py made.

    make_default_model.py DIR OUT.gguf [--type q8_0|f32]

DIR holds config.json, model.safetensors, tokenizer.json.  models/default.gguf is the Q8_0 file.  Needs numpy and gguf.
Rows of q and k are reordered to interleaved rotary pairs, as GGUF files of this architecture have them.
"""
import argparse
import json
import struct
from pathlib import Path

import gguf
import numpy as np

NAMES = {
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm", "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}


def tensors(path):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    for name, t in json.loads(data[8:8 + size]).items():
        if name != "__metadata__":
            first, last = t["data_offsets"]
            yield name, np.frombuffer(data[8 + size + first:8 + size + last], dtype=np.float32).reshape(t["shape"])


def interleave(w, heads):
    """Rows (0..d/2, d/2..d) of each head become pairs (0, d/2), (1, d/2 + 1), ..."""
    return w.reshape(heads, 2, w.shape[0] // heads // 2, w.shape[1]).swapaxes(1, 2).reshape(w.shape)


def gguf_name(name):
    if name == "model.embed_tokens.weight":
        return "token_embd.weight"
    if name == "model.norm.weight":
        return "output_norm.weight"
    _, _, layer, rest = name.split(".", 3)
    return f"blk.{layer}.{NAMES[rest.removesuffix('.weight')]}.weight"


def vocabulary(w, path):
    t = json.loads(path.read_text(encoding="utf-8"))
    pieces = sorted(t["model"]["vocab"].items(), key=lambda item: item[1])
    special = {a["id"] for a in t["added_tokens"] if a["special"]}
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("gpt-2")
    w.add_token_list([piece for piece, _ in pieces])
    w.add_token_types([3 if i in special else 1 for _, i in pieces])
    w.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in t["model"]["merges"]])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("directory", type=Path)
    p.add_argument("out")
    p.add_argument("--type", choices=["q8_0", "f32"], default="q8_0")
    a = p.parse_args()
    c = json.loads((a.directory / "config.json").read_text())
    w = gguf.GGUFWriter(a.out, "llama")
    w.add_name("Inox default")
    w.add_license("apache-2.0")
    w.add_description("Small English model, trained on public-domain books")
    w.add_vocab_size(c["vocab_size"])
    w.add_context_length(c["max_position_embeddings"])
    w.add_embedding_length(c["hidden_size"])
    w.add_block_count(c["num_hidden_layers"])
    w.add_feed_forward_length(c["intermediate_size"])
    w.add_head_count(c["num_attention_heads"])
    w.add_head_count_kv(c["num_key_value_heads"])
    w.add_rope_dimension_count(c["head_dim"])
    w.add_rope_freq_base(c["rope_parameters"]["rope_theta"])
    w.add_layer_norm_rms_eps(c["rms_norm_eps"])
    w.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0 if a.type == "q8_0" else gguf.LlamaFileType.ALL_F32)
    vocabulary(w, a.directory / "tokenizer.json")
    w.add_bos_token_id(c["bos_token_id"])
    w.add_eos_token_id(c["eos_token_id"])
    w.add_add_bos_token(True)
    for name, x in tensors(a.directory / "model.safetensors"):
        if ".q_proj." in name or ".k_proj." in name:
            x = interleave(x, c["num_attention_heads"] if ".q_proj." in name else c["num_key_value_heads"])
        if a.type == "q8_0" and x.ndim == 2:
            q = gguf.quants.quantize(np.ascontiguousarray(x), gguf.GGMLQuantizationType.Q8_0)
            w.add_tensor(gguf_name(name), q, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
        else:
            w.add_tensor(gguf_name(name), np.ascontiguousarray(x))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


if __name__ == "__main__":
    main()
