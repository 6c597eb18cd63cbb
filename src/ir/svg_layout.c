/* Places the operators of one section in rows, arguments above their users.
 *
 * The usual way to draw a layered graph (Sugiyama, Tagawa, Toda 1981): the row of an operator is
 * the longest path to it; a line that passes rows gets a bend in each, shared by all lines from one
 * tensor; the order inside rows follows the mean place of the neighbours; then places are the
 * nearest to the neighbours' means that keep the order and the gaps (isotonic regression by pooling
 * adjacent violators).
 */
#include "ir/svg.h"

#include <string.h>

#define GAP 26.0
#define BEND_WIDTH 10.0
#define BEND_WEIGHT 16.0
#define ORDER_SWEEPS 6
#define PLACE_SWEEPS 24

/* ---- rows and bends -------------------------------------------------------------------------- */

static inox_status add_item(ix_svg_layout *l, ix_arena *arena, ix_svg_item item, int32_t *index,
                            inox_error *err)
{
    if (l->item_count >= IX_SVG_ITEMS)
        return ix_fail(err, INOX_E_LIMIT, "the graph is too tangled to draw: print it as text");
    if (l->item_count == l->item_capacity) {
        int32_t capacity = l->item_capacity == 0 ? 64 : 2 * l->item_capacity;
        ix_svg_item *items;
        IX_TRY(IX_ARENA(arena, &items, (size_t)capacity, err));
        if (l->item_count > 0)
            memcpy(items, l->items, (size_t)l->item_count * sizeof *items);
        l->items = items;
        l->item_capacity = capacity;
    }
    l->items[l->item_count] = item;
    *index = l->item_count++;
    return INOX_OK;
}

static inox_status add_link(ix_svg_layout *l, ix_arena *arena, int32_t from, int32_t to,
                            inox_error *err)
{
    if (l->link_count == l->link_capacity) {
        int32_t capacity = l->link_capacity == 0 ? 64 : 2 * l->link_capacity;
        ix_svg_link *links;
        IX_TRY(IX_ARENA(arena, &links, (size_t)capacity, err));
        if (l->link_count > 0)
            memcpy(links, l->links, (size_t)l->link_count * sizeof *links);
        l->links = links;
        l->link_capacity = capacity;
    }
    l->links[l->link_count++] = (ix_svg_link){ from, to };
    return INOX_OK;
}

/* Item of an argument: of this section, the entry for the result before it, -1 for a leaf. */
static int32_t item_of(const ix_svg_sections *s, const ix_svg_section *section,
                       const ix_tensor *arg)
{
    int32_t at = s->position[arg->id];

    return at < 0 ? -1 : at < section->first ? 0 : at - section->first + 1;
}

static inox_status add_operators(const ix_svg_sections *s, const ix_svg_section *section,
                                 const ix_svg_size *sizes, ix_arena *arena, ix_svg_layout *l,
                                 inox_error *err)
{
    int32_t index;

    IX_TRY(add_item(l, arena, (ix_svg_item){ .width = BEND_WIDTH }, &index, err));
    for (int32_t i = section->first; i < section->end; i++) {
        const ix_tensor *t = s->results[i];
        ix_svg_item item = { .t = t, .row = 1 };
        item.width = sizes[i - section->first].width;
        item.height = sizes[i - section->first].height;
        for (int32_t k = 0; k < t->arg_count; k++) {
            int32_t from = item_of(s, section, t->args[k]);
            if (from >= 0 && l->items[from].row >= item.row)
                item.row = l->items[from].row + 1;
        }
        l->row_count = item.row >= l->row_count ? item.row + 1 : l->row_count;
        IX_TRY(add_item(l, arena, item, &index, err));
    }
    l->operators = section->end - section->first;
    return INOX_OK;
}

/* Lines from arguments to users, through one bend in every row between. */
static inox_status add_lines(const ix_svg_sections *s, const ix_svg_section *section,
                             ix_arena *arena, ix_svg_layout *l, inox_error *err)
{
    int32_t *bends; /* [source][row]: the bend of a source's line in a row, or 0 */
    size_t rows = (size_t)l->row_count;

    if ((size_t)(l->operators + 1) * rows > 64u * IX_SVG_ITEMS)
        return ix_fail(err, INOX_E_LIMIT, "the graph is too large to draw: print it as text");
    IX_TRY(IX_ARENA(arena, &bends, (size_t)(l->operators + 1) * rows, err));
    for (int32_t to = 1; to <= l->operators; to++) {
        const ix_tensor *t = l->items[to].t;
        for (int32_t k = 0; k < t->arg_count; k++) {
            int32_t source = item_of(s, section, t->args[k]), last = source;
            if (source < 0)
                continue;
            for (int32_t row = l->items[source].row + 1; row < l->items[to].row; row++) {
                int32_t *bend = &bends[(size_t)source * rows + (size_t)row];
                if (*bend == 0) {
                    IX_TRY(add_item(l, arena, (ix_svg_item){ .row = row, .width = BEND_WIDTH },
                                    bend, err));
                    IX_TRY(add_link(l, arena, last, *bend, err));
                }
                last = *bend;
            }
            IX_TRY(add_link(l, arena, last, to, err));
        }
    }
    return INOX_OK;
}

static inox_status fill_rows(ix_svg_layout *l, ix_arena *arena, inox_error *err)
{
    IX_TRY(IX_ARENA(arena, &l->rows, (size_t)l->row_count, err));
    for (int32_t i = 0; i < l->item_count; i++)
        l->rows[l->items[i].row].count++;
    for (int32_t r = 0; r < l->row_count; r++) {
        IX_TRY(IX_ARENA(arena, &l->rows[r].items, (size_t)l->rows[r].count, err));
        l->rows[r].count = 0;
    }
    for (int32_t i = 0; i < l->item_count; i++) {
        ix_svg_row *row = &l->rows[l->items[i].row];
        l->items[i].next = row->count;
        row->items[row->count++] = i;
    }
    return INOX_OK;
}

/* ---- order and places ------------------------------------------------------------------------ */

/* wanted = mean of `next` (order) or `x` (places) of the neighbours above (down) or below; own
 * value without any. */
static void want_means(ix_svg_layout *l, bool down, bool places, double *sum, double *count)
{
    memset(sum, 0, (size_t)l->item_count * sizeof *sum);
    memset(count, 0, (size_t)l->item_count * sizeof *count);
    for (int32_t i = 0; i < l->link_count; i++) {
        int32_t to = down ? l->links[i].to : l->links[i].from,
                from = down ? l->links[i].from : l->links[i].to;
        /* long lines shall be straight */
        bool bend = l->items[to].t == NULL && l->items[from].t == NULL;
        double weight = places && bend ? BEND_WEIGHT : 1;
        sum[to] += weight * (places ? l->items[from].x : l->items[from].next);
        count[to] += weight;
    }
    for (int32_t i = 0; i < l->item_count; i++) {
        ix_svg_item *item = &l->items[i];
        double own = places ? item->x : item->next;
        item->wanted = count[i] > 0 ? sum[i] / count[i] : own;
    }
}

/* Stable, and rows are short. */
static void sort_row(ix_svg_layout *l, ix_svg_row *row)
{
    for (int32_t i = 1; i < row->count; i++) {
        int32_t item = row->items[i], at = i;
        for (; at > 0 && l->items[row->items[at - 1]].wanted > l->items[item].wanted; at--)
            row->items[at] = row->items[at - 1];
        row->items[at] = item;
    }
    for (int32_t i = 0; i < row->count; i++)
        l->items[row->items[i]].next = i;
}

static double distance(const ix_svg_layout *l, int32_t left, int32_t right)
{
    return (l->items[left].width + l->items[right].width) / 2 + GAP;
}

/* Nearest places to the wanted ones that keep the order: pools of neighbours that would overlap
 * move as one. mean, weight, size: room for the row's pools. */
static void place_row(ix_svg_layout *l, ix_svg_row *row, double *mean, double *weight,
                      int32_t *size)
{
    double offset = 0;
    int32_t pools = 0, i = 0;

    for (i = 0; i < row->count; i++) {
        const ix_svg_item *item = &l->items[row->items[i]];
        if (i > 0)
            offset += distance(l, row->items[i - 1], row->items[i]);
        mean[pools] = item->wanted - offset;
        weight[pools] = item->t == NULL ? BEND_WEIGHT : 1;
        size[pools++] = 1;
        while (pools > 1 && mean[pools - 2] > mean[pools - 1]) {
            double w = weight[pools - 2] + weight[pools - 1];
            mean[pools - 2] =
                (mean[pools - 2] * weight[pools - 2] + mean[pools - 1] * weight[pools - 1]) / w;
            weight[pools - 2] = w;
            size[pools - 2] += size[pools - 1];
            pools--;
        }
    }
    offset = 0;
    i = 0;
    for (int32_t p = 0; p < pools; p++) {
        for (int32_t k = 0; k < size[p]; k++, i++) {
            if (i > 0)
                offset += distance(l, row->items[i - 1], row->items[i]);
            l->items[row->items[i]].x = mean[p] + offset;
        }
    }
}

static inox_status order_and_place(ix_svg_layout *l, ix_arena *arena, inox_error *err)
{
    size_t n = (size_t)l->item_count;
    double *sum, *count;
    int32_t *size;

    IX_TRY(IX_ARENA(arena, &sum, n, err));
    IX_TRY(IX_ARENA(arena, &count, n, err));
    IX_TRY(IX_ARENA(arena, &size, n, err));
    for (int sweep = 0; sweep < ORDER_SWEEPS; sweep++) {
        bool down = sweep % 2 == 0;
        for (int32_t i = 1; i < l->row_count; i++) {
            want_means(l, down, false, sum, count);
            sort_row(l, &l->rows[down ? i : l->row_count - 1 - i]);
        }
    }
    for (int sweep = 0; sweep < PLACE_SWEEPS; sweep++) {
        bool down = sweep % 2 == 0;
        for (int32_t i = 0; i < l->row_count; i++) {
            want_means(l, down, true, sum, count);
            place_row(l, &l->rows[down ? i : l->row_count - 1 - i], sum, count, size);
        }
    }
    return INOX_OK;
}

/* Left edge to 0; rows below one another.  The entry is a point at the top. */
static void measure(ix_svg_layout *l)
{
    double left = 0, right = 0, y = 0;

    for (int32_t i = 0; i < l->item_count; i++) {
        const ix_svg_item *item = &l->items[i];
        if (i == 0 || item->x - item->width / 2 < left)
            left = item->x - item->width / 2;
        if (i == 0 || item->x + item->width / 2 > right)
            right = item->x + item->width / 2;
        if (item->height > l->rows[item->row].height)
            l->rows[item->row].height = item->height;
    }
    for (int32_t i = 0; i < l->item_count; i++)
        l->items[i].x -= left;
    for (int32_t r = 0; r < l->row_count; r++) {
        l->rows[r].y = y;
        y += l->rows[r].height + (r == 0 ? 10.0 : IX_SVG_ROW_GAP);
    }
    l->width = right - left;
    l->height = y - IX_SVG_ROW_GAP;
}

inox_status ix_svg_place(const ix_svg_sections *s, const ix_svg_section *section,
                         const ix_svg_size *sizes, ix_arena *arena, ix_svg_layout *out,
                         inox_error *err)
{
    memset(out, 0, sizeof *out);
    IX_TRY(add_operators(s, section, sizes, arena, out, err));
    IX_TRY(add_lines(s, section, arena, out, err));
    IX_TRY(fill_rows(out, arena, err));
    IX_TRY(order_and_place(out, arena, err));
    measure(out);
    return INOX_OK;
}
