/* Text about a model: summary, metadata, tensors, graph. */
#include "llm/model.h"

#include "pass/pass.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS_SHOWN 8 /* of a metadata array */

inox_status ix_append_json_string(ix_buffer *out, const char *s, inox_error *err)
{
    json_t *v = json_string(s);
    if (v == NULL)
        v = json_string("\xEF\xBF\xBD"); /* not UTF-8 */
    char *text = v == NULL ? NULL : json_dumps(v, JSON_ENCODE_ANY);
    inox_status status = text == NULL ? ix_fail(err, INOX_E_MEMORY, "no memory for text")
                                      : ix_buffer_append(out, text, strlen(text), err);
    free(text); /* jansson's memory */
    json_decref(v);
    return status;
}

static inox_status summary(const inox_model *m, ix_buffer *out, inox_error *err)
{
    inox_model_info i = INOX_MODEL_INFO_INIT;
    IX_TRY(inox_model_describe(m, &i, err));
    IX_TRY(ix_buffer_printf(out, err,
                            "name           %s\narchitecture   %s\nparameters     %.2f "
                            "million\nfile           %.1f MB\n",
                            i.name, i.architecture, (double)i.parameters / 1e6,
                            (double)i.file_bytes / 1e6));
    if (i.has_weights)
        IX_TRY(ix_buffer_printf(
            out, err,
            "layers         %d\nwidth          %d\nheads          %d, key-value %d, size %d\n"
            "vocabulary     %d\ncontext        %d\n",
            i.layers, i.width, i.heads, i.kv_heads, i.head_dim, i.vocabulary, i.context));
    else if (!m->options.vocabulary_only)
        IX_TRY(ix_buffer_printf(out, err, "does not run   %s\n", m->weights_error.message));
    if (!i.has_vocabulary)
        IX_TRY(ix_buffer_printf(out, err, "no tokens      %s\n", m->tokenizer_error.message));
    return INOX_OK;
}

static inox_status summary_json(const inox_model *m, ix_buffer *out, inox_error *err)
{
    inox_model_info i = INOX_MODEL_INFO_INIT;
    IX_TRY(inox_model_describe(m, &i, err));
    IX_TRY(ix_buffer_printf(out, err, "{\"name\": "));
    IX_TRY(ix_append_json_string(out, i.name, err));
    IX_TRY(ix_buffer_printf(out, err, ", \"architecture\": "));
    IX_TRY(ix_append_json_string(out, i.architecture, err));
    IX_TRY(ix_buffer_printf(
        out, err,
        ", \"parameters\": %" PRIu64 ", \"file_bytes\": %" PRIu64 ", \"weight_bytes\": %" PRIu64
        ", \"layers\": %d, \"width\": %d, \"heads\": %d, \"kv_heads\": %d, \"head_dim\": %d, "
        "\"vocabulary\": %d, \"context\": %d, \"runs\": %s, \"why_not\": ",
        i.parameters, i.file_bytes, i.weight_bytes, i.layers, i.width, i.heads, i.kv_heads,
        i.head_dim, i.vocabulary, i.context, i.has_weights ? "true" : "false"));
    if (i.has_weights)
        return ix_buffer_printf(out, err, "null}");
    IX_TRY(ix_append_json_string(out, m->weights_error.message, err));
    return ix_buffer_printf(out, err, "}");
}

static inox_status metadata(const inox_model *m, bool json, ix_buffer *out, inox_error *err)
{
    IX_TRY(ix_buffer_printf(out, err, "%s", json ? "{" : ""));
    for (size_t i = 0; i < ix_gguf_value_count(m->file); i++) {
        const char *key = ix_gguf_value_at(m->file, i)->key;
        if (json) {
            IX_TRY(ix_buffer_printf(out, err, "%s", i == 0 ? "" : ", "));
            IX_TRY(ix_append_json_string(out, key, err));
            IX_TRY(ix_buffer_printf(out, err, ": "));
        } else {
            IX_TRY(ix_buffer_printf(out, err, "%-44s ", key));
        }
        IX_TRY(ix_gguf_value_format(m->file, i, out, ITEMS_SHOWN, err));
        IX_TRY(ix_buffer_printf(out, err, "%s", json ? "" : "\n"));
    }
    return ix_buffer_printf(out, err, "%s", json ? "}" : "");
}

static inox_status shape_text(const ix_gguf_tensor *t, ix_buffer *out, inox_error *err)
{
    for (uint32_t d = 0; d < t->rank;
         d++) /* row-major, as graphs print: the contiguous dimension last */
        IX_TRY(ix_buffer_printf(out, err, "%s%" PRIu64, d == 0 ? "[" : ", ",
                                t->dims[t->rank - 1 - d]));
    return ix_buffer_printf(out, err, "]");
}

static inox_status tensors(const inox_model *m, bool json, ix_buffer *out, inox_error *err)
{
    IX_TRY(ix_buffer_printf(out, err, "%s", json ? "[" : ""));
    for (size_t i = 0; i < ix_gguf_tensor_count(m->file); i++) {
        const ix_gguf_tensor *t = ix_gguf_tensor_at(m->file, i);
        if (json) {
            IX_TRY(ix_buffer_printf(out, err, "%s{\"name\": ", i == 0 ? "" : ", "));
            IX_TRY(ix_append_json_string(out, t->name, err));
            IX_TRY(ix_buffer_printf(out, err,
                                    ", \"type\": \"%s\", \"shape\": ", ix_type_of(t->type)->name));
            IX_TRY(shape_text(t, out, err));
            IX_TRY(ix_buffer_printf(
                out, err, ", \"bytes\": %" PRIu64 ", \"offset\": %" PRIu64 ", \"file\": %u}",
                t->bytes, t->offset, t->file));
        } else {
            IX_TRY(ix_buffer_printf(out, err, "%-40s %-8s %12" PRIu64 " ", t->name,
                                    ix_type_of(t->type)->name, t->bytes));
            IX_TRY(shape_text(t, out, err));
            IX_TRY(ix_buffer_printf(out, err, "\n"));
        }
    }
    return ix_buffer_printf(out, err, "%s", json ? "]" : "");
}

static inox_status graph(const inox_model *m, bool svg, ix_buffer *out, inox_error *err)
{
    ix_graph *g;
    if (m->arch == NULL)
        return ix_fail(err, INOX_E_UNSUPPORTED, "there is no graph: %s",
                       m->options.vocabulary_only ? "the model was opened for its vocabulary only"
                                                  : m->weights_error.message);
    IX_TRY(ix_model_graph(m, INOX_CACHE_F16, &g, err));
    if (svg) { /* a person wants the figure, not forty primitives a block */
        ix_graph *fused;
        inox_status status = ix_pass_fuse(g, &fused, err);
        ix_graph_free(g);
        IX_TRY(status);
        g = fused;
    }
    inox_status status = svg ? ix_graph_print_svg(g, out, err) : ix_graph_print(g, out, err);
    ix_graph_free(g);
    return status;
}

static inox_status all_json(const inox_model *m, ix_buffer *out, inox_error *err)
{
    IX_TRY(ix_buffer_printf(out, err, "{\"summary\": "));
    IX_TRY(summary_json(m, out, err));
    IX_TRY(ix_buffer_printf(out, err, ", \"metadata\": "));
    IX_TRY(metadata(m, true, out, err));
    IX_TRY(ix_buffer_printf(out, err, ", \"tensors\": "));
    IX_TRY(tensors(m, true, out, err));
    return ix_buffer_printf(out, err, "}");
}

static inox_status inspect(const inox_model *m, const char *what, ix_buffer *out, inox_error *err)
{
    if (strcmp(what, "summary") == 0)
        return summary(m, out, err);
    if (strcmp(what, "metadata") == 0)
        return metadata(m, false, out, err);
    if (strcmp(what, "tensors") == 0)
        return tensors(m, false, out, err);
    if (strcmp(what, "graph") == 0)
        return graph(m, false, out, err);
    if (strcmp(what, "graph.svg") == 0)
        return graph(m, true, out, err);
    if (strcmp(what, "json") == 0)
        return all_json(m, out, err);
    return ix_fail(err, INOX_E_ARGUMENT,
                   "cannot inspect '%s': summary, metadata, tensors, graph, graph.svg or json",
                   what);
}

inox_status inox_model_inspect(inox_model *m, const char *what, char **out, inox_error *err)
{
    ix_buffer b = { 0 };
    if (m == NULL || what == NULL || out == NULL)
        return ix_fail(err, INOX_E_ARGUMENT, "inox_model_inspect: a pointer is NULL");
    *out = NULL;
    ix_fpenv environment = ix_fpenv_enter(); /* numbers are spelled by the C library */
    inox_status status = ix_buffer_append(&b, "", 0, err);
    if (status == INOX_OK)
        status = inspect(m, what, &b, err);
    ix_fpenv_leave(environment);
    if (status != INOX_OK) {
        ix_buffer_release(&b);
        return status;
    }
    *out = b.data;
    return INOX_OK;
}
