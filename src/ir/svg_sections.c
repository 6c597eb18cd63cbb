/* Sections of a picture.
 *
 * A cut is a place in the order of results that every path crosses at one tensor.  Between two cuts
 * lies a segment; it belongs to the layer whose weights ("blk.<layer>.") it reads, and one without
 * weights to the segment behind it (the start of a norm that is not fused, say).  Segments of one
 * layer are a block, and blocks in a row that are equal but for the numbers and types of their
 * weights are one section.
 */
#include "ir/rules.h"
#include "ir/svg.h"

#include <string.h>

#define NO_WEIGHTS (-2) /* a segment that joins the next one */

static bool is_leaf(const ix_tensor *t)
{
    return t->op <= IX_OP_STATE;
}

static inox_status list_results(const ix_graph *g, ix_arena *arena, ix_svg_sections *s,
                                inox_error *err)
{
    IX_TRY(IX_ARENA(arena, &s->results, (size_t)g->count, err));
    IX_TRY(IX_ARENA(arena, &s->position, (size_t)g->count, err));
    for (int32_t i = 0; i < g->count; i++) {
        s->position[i] = -1;
        if (is_leaf(g->tensors[i]))
            continue;
        s->position[i] = s->result_count;
        s->results[s->result_count++] = g->tensors[i];
    }
    return INOX_OK;
}

/* Layer of a segment: of the last weight or state in it that has one, -1 if they have none,
 * NO_WEIGHTS. */
static int32_t layer_of(const ix_svg_sections *s, int32_t first, int32_t end)
{
    int32_t layer = NO_WEIGHTS;
    const char *rest;

    for (int32_t i = first; i < end; i++) {
        for (int32_t k = 0; k < s->results[i]->arg_count; k++) {
            const ix_tensor *a = s->results[i]->args[k];
            if (a->op != IX_OP_WEIGHT && a->op != IX_OP_STATE)
                continue;
            int32_t of = ix_layer_of_name(a->name, &rest);
            layer = of > layer ? of : layer;
        }
    }
    return layer;
}

/* Appends [first, end) to the last section if that has the same layer, else as a section of its
 * own. */
static void add_segment(ix_svg_sections *s, int32_t first, int32_t end, int32_t layer)
{
    if (s->count > 0 && s->sections[s->count - 1].layer == layer) {
        s->sections[s->count - 1].end = end;
        return;
    }
    s->sections[s->count++] = (ix_svg_section){ first, end, layer, 1, layer };
}

static inox_status cut(const ix_graph *g, ix_arena *arena, ix_svg_sections *s, inox_error *err)
{
    int32_t *last_use, n = s->result_count;
    int32_t reach = -1, first = 0;

    IX_TRY(IX_ARENA(arena, &last_use, (size_t)n, err));
    IX_TRY(IX_ARENA(arena, &s->sections, (size_t)n, err));
    for (int32_t i = 0; i < n; i++)
        for (int32_t k = 0; k < s->results[i]->arg_count; k++) {
            int32_t at = s->position[s->results[i]->args[k]->id];
            if (at >= 0)
                last_use[at] = i;
        }
    if (s->position[g->output->id] >= 0)
        last_use[s->position[g->output->id]] = n;
    for (int32_t i = 0; i < n; i++) {
        bool is_cut = reach <= i || i == n - 1; /* nothing before i is used behind it */
        reach = last_use[i] > reach ? last_use[i] : reach;
        if (!is_cut)
            continue;
        int32_t layer = layer_of(s, first, i + 1);
        if (layer == NO_WEIGHTS && i < n - 1)
            continue;
        add_segment(s, first, i + 1, layer == NO_WEIGHTS ? -1 : layer);
        first = i + 1;
    }
    return INOX_OK;
}

static bool same_leaf(const ix_tensor *a, const ix_tensor *b)
{
    const char *rest_a, *rest_b;
    bool layer_a = ix_layer_of_name(a->name, &rest_a) >= 0,
         layer_b = ix_layer_of_name(b->name, &rest_b) >= 0;

    return a->op == b->op && layer_a == layer_b && strcmp(rest_a, rest_b) == 0 &&
           ix_same_shape(a->rank, a->dims, b->rank, b->dims);
}

/* Equal but for the types of weights: `a` and `b` are as far from each other as their arguments. */
static bool same_result(const ix_svg_sections *s, int32_t a, int32_t b)
{
    const ix_tensor *x = s->results[a], *y = s->results[b];
    char text_x[IX_ATTRS_TEXT], text_y[IX_ATTRS_TEXT];

    if (x->op != y->op || x->arg_count != y->arg_count || x->type != y->type ||
        !ix_same_shape(x->rank, x->dims, y->rank, y->dims))
        return false;
    ix_attrs_text(x, text_x);
    ix_attrs_text(y, text_y);
    if (strcmp(text_x, text_y) != 0)
        return false;
    for (int32_t k = 0; k < x->arg_count; k++) {
        const ix_tensor *p = x->args[k], *q = y->args[k];
        if (is_leaf(p) != is_leaf(q) || (is_leaf(p) && !same_leaf(p, q)))
            return false;
        if (!is_leaf(p) && a - s->position[p->id] != b - s->position[q->id])
            return false;
    }
    return true;
}

static bool same_section(const ix_svg_sections *s, const ix_svg_section *a, const ix_svg_section *b)
{
    if (a->layer < 0 || b->layer < 0 || a->end - a->first != b->end - b->first)
        return false;
    for (int32_t i = 0; i < a->end - a->first; i++)
        if (!same_result(s, a->first + i, b->first + i))
            return false;
    return true;
}

static void join_equal(ix_svg_sections *s)
{
    int32_t kept = 0;

    for (int32_t i = 0; i < s->count; i++) {
        ix_svg_section *last = kept > 0 ? &s->sections[kept - 1] : NULL;
        if (last != NULL && same_section(s, last, &s->sections[i])) {
            last->repeats++;
            last->last_layer = s->sections[i].layer;
            continue;
        }
        s->sections[kept++] = s->sections[i];
    }
    s->count = kept;
}

inox_status ix_svg_find_sections(const ix_graph *g, ix_arena *arena, ix_svg_sections *out,
                                 inox_error *err)
{
    memset(out, 0, sizeof *out);
    IX_TRY(list_results(g, arena, out, err));
    if (out->result_count == 0)
        return INOX_OK;
    IX_TRY(cut(g, arena, out, err));
    join_equal(out);
    return INOX_OK;
}
