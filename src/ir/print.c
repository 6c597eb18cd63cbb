/* The graph as text, one tensor per line:
 *
 *     graph: 5 inputs, 1 state, 12 weights, 17 operators, output %34
 *     %0 = input 'tokens' I32 [tokens]
 *     %9 = rms_norm(%8, 'blk.0.attn_norm.weight') eps=1e-05 F32 [tokens, 64]
 *
 * Names come from files: bytes that are not printable ASCII, quotes and backslashes are written as
 * \xNN.
 */
#include "ir/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- texts that the SVG shares --------------------------------------------------------------- */

#define NUMBER_TEXT 32

/* The shortest text that reads back as the same number; whole numbers without an exponent. */
static const char *number64(double x, char out[NUMBER_TEXT])
{
    bool whole = x > -1e15 && x < 1e15 && x == (double)(int64_t)x;

    if (whole)
        snprintf(out, NUMBER_TEXT, "%.0f", x);
    for (int digits = 1; !whole && digits <= 17; digits++) {
        snprintf(out, NUMBER_TEXT, "%.*g", digits, x);
        if (strtod(out, NULL) == x)
            break;
    }
    return out;
}

static const char *number32(float x, char out[NUMBER_TEXT])
{
    if (x > -1e6f && x < 1e6f && x == (float)(int64_t)x)
        return number64((double)x, out);
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(out, NUMBER_TEXT, "%.*g", digits, (double)x);
        if (strtof(out, NULL) == x)
            break;
    }
    return out;
}

void ix_attrs_text(const ix_tensor *t, char out[IX_ATTRS_TEXT])
{
    const ix_attrs *a = &t->attrs;
    char softcap[48] = "", window[48] = "", n[NUMBER_TEXT], m[NUMBER_TEXT];

    out[0] = '\0';
    switch (ix_op_attr_kind(t->op)) {
    case IX_ATTR_NONE:
    case IX_ATTR_SHAPE: break;
    case IX_ATTR_SCALAR: snprintf(out, IX_ATTRS_TEXT, "s=%s", number32(a->scalar.value, n)); break;
    case IX_ATTR_NORM: snprintf(out, IX_ATTRS_TEXT, "eps=%s", number32(a->norm.eps, n)); break;
    case IX_ATTR_ROPE:
        snprintf(out, IX_ATTRS_TEXT, "base=%s factor=%s dims=%d%s", number64(a->rope.base, n),
                 number64(a->rope.factor, m), a->rope.dims,
                 a->rope.interleaved ? " interleaved" : "");
        break;
    case IX_ATTR_CACHE:
        snprintf(out, IX_ATTRS_TEXT, "kv_heads=%lld head_dim=%lld value_dim=%lld",
                 (long long)a->cache.kv_heads, (long long)a->cache.head_dim,
                 (long long)a->cache.value_dim);
        break;
    case IX_ATTR_ATTENTION:
        if (a->attention.softcap != 0)
            snprintf(softcap, sizeof softcap, " softcap=%s", number32(a->attention.softcap, n));
        if (a->attention.window != 0)
            snprintf(window, sizeof window, " window=%lld", (long long)a->attention.window);
        snprintf(out, IX_ATTRS_TEXT, "scale=%s%s%s", number64(a->attention.scale, n), softcap,
                 window);
        break;
    case IX_ATTR_LINEAR:
        snprintf(out, IX_ATTRS_TEXT, "%s%s%s", a->linear.bias ? "+bias" : "",
                 a->linear.bias && a->linear.residual ? " " : "",
                 a->linear.residual ? "+residual" : "");
        break;
    }
}

int32_t ix_layer_of_name(const char *name, const char **rest)
{
    bool is_cache = strncmp(name, "cache.", 6) == 0;
    const char *p = name + (is_cache ? 6 : 4);
    int32_t layer = 0;

    *rest = name;
    if ((!is_cache && strncmp(name, "blk.", 4) != 0) || *p < '0' || *p > '9')
        return -1;
    for (; *p >= '0' && *p <= '9'; p++) {
        layer = 10 * layer + (*p - '0');
        if (layer >= IX_MAX_LAYERS)
            return -1;
    }
    if (*p != (is_cache ? '\0' : '.'))
        return -1;
    *rest = is_cache ? "cache" : p + 1;
    return layer;
}

void ix_shorten(ix_buffer *b, size_t size)
{
    if (b->size > size) {
        b->size = size;
        b->data[size] = '\0';
    }
}

/* ---- lines ----------------------------------------------------------------------------------- */

static inox_status print_name(const char *name, ix_buffer *out, inox_error *err)
{
    IX_TRY(ix_buffer_printf(out, err, "'"));
    for (const char *p = name; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        bool plain = c >= 0x20 && c < 0x7f && c != '\'' && c != '\\';
        IX_TRY(ix_buffer_printf(out, err, plain ? "%c" : "\\x%02x", c));
    }
    return ix_buffer_printf(out, err, "'");
}

static inox_status print_args(const ix_tensor *t, ix_buffer *out, inox_error *err)
{
    for (int32_t i = 0; i < t->arg_count; i++) {
        const ix_tensor *a = t->args[i];
        IX_TRY(ix_buffer_printf(out, err, "%s", i > 0 ? ", " : "("));
        if (a->op <= IX_OP_STATE)
            IX_TRY(print_name(a->name, out, err));
        else
            IX_TRY(ix_buffer_printf(out, err, "%%%d", a->id));
    }
    return ix_buffer_printf(out, err, ")");
}

static inox_status print_tensor(const ix_tensor *t, ix_buffer *out, inox_error *err)
{
    char shape[IX_SHAPE_TEXT], attrs[IX_ATTRS_TEXT];

    ix_shape_text(t->rank, t->dims, shape);
    ix_attrs_text(t, attrs);
    IX_TRY(ix_buffer_printf(out, err, "%%%d = %s", t->id, ix_op_of(t->op)->name));
    if (t->arg_count > 0)
        IX_TRY(print_args(t, out, err));
    if (t->name[0] != '\0') {
        IX_TRY(ix_buffer_printf(out, err, " "));
        IX_TRY(print_name(t->name, out, err));
    }
    return ix_buffer_printf(out, err, "%s%s %s %s\n", attrs[0] != '\0' ? " " : "", attrs,
                            ix_type_of(t->type)->name, shape);
}

static const char *plural(int n)
{
    return n == 1 ? "" : "s";
}

static inox_status print_all(const ix_graph *g, ix_buffer *out, inox_error *err)
{
    int kinds[4] = { 0 }; /* inputs, weights, states, operators */

    for (int32_t i = 0; i < g->count; i++)
        kinds[g->tensors[i]->op <= IX_OP_STATE ? (int)g->tensors[i]->op : 3]++;
    IX_TRY(ix_buffer_printf(
        out, err, "graph: %d input%s, %d state%s, %d weight%s, %d operator%s, output %%%d\n",
        kinds[0], plural(kinds[0]), kinds[2], plural(kinds[2]), kinds[1], plural(kinds[1]),
        kinds[3], plural(kinds[3]), g->output->id));
    for (int32_t i = 0; i < g->count; i++)
        IX_TRY(print_tensor(g->tensors[i], out, err));
    return INOX_OK;
}

inox_status ix_graph_print(const ix_graph *g, ix_buffer *out, inox_error *err)
{
    size_t before = out->size;

    IX_TRY(ix_graph_verify(g, err));
    inox_status status = print_all(g, out, err);
    if (status != INOX_OK)
        ix_shorten(out, before);
    return status;
}
