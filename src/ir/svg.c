/* The graph as one SVG that a person can look at: arguments above users, leaves as lines of text
 * inside the operators that read them, and blocks that repeat drawn once, with their number.
 *
 * The picture needs nothing from outside (no fonts, scripts or links), and every text in it is
 * escaped: names come from files.  Bytes that are not printable ASCII are shown as '?'. Coordinates
 * are whole pixels, so that the decimal point of a locale does not matter.
 */
#include "ir/svg.h"

#include "ir/rules.h"

#include <stdio.h>
#include <string.h>

#define MARGIN 32.0
#define HEADER 86.0
#define PANEL_PAD 26.0
#define PANEL_TITLE 24.0
#define SECTION_GAP 44.0
#define TITLE_CHAR 7.6 /* width of a character of a title, pixels */
#define LINE_CHAR 6.1
#define TITLE_HEIGHT 18.0
#define LINE_HEIGHT 14.0
#define BOX_PAD 9.0
#define MAX_LINES (1 + IX_MAX_ARGS)
#define LINE_TEXT 160
#define NAME_SHOWN 60

typedef struct box {
    int32_t line_count;
    char lines[MAX_LINES][LINE_TEXT]; /* attributes, then leaves */
} box;

typedef struct picture {
    const ix_graph *graph;
    ix_svg_sections sections;
    ix_svg_layout *layouts; /* by section */
    box **boxes;            /* by section: by position - first */
    double width;
    ix_arena arena;
    ix_buffer *out;
} picture;

static long px(double v)
{
    return (long)(v + 0.5);
}

/* ---- texts ----------------------------------------------------------------------------------- */

static inox_status put_text(picture *p, const char *text, inox_error *err)
{
    for (const char *c = text; *c != '\0'; c++) {
        char one[2] = { *c >= 0x20 && *c < 0x7f ? *c : '?', '\0' };
        const char *shown = *c == '&'    ? "&amp;"
                            : *c == '<'  ? "&lt;"
                            : *c == '>'  ? "&gt;"
                            : *c == '"'  ? "&quot;"
                            : *c == '\'' ? "&#39;"
                                         : one;
        IX_TRY(ix_buffer_append(p->out, shown, strlen(shown), err));
    }
    return INOX_OK;
}

static inox_status text_at(picture *p, double x, double y, const char *style, const char *text,
                           inox_error *err)
{
    IX_TRY(ix_buffer_printf(p->out, err, "<text class=\"%s\" x=\"%ld\" y=\"%ld\">", style, px(x),
                            px(y)));
    IX_TRY(put_text(p, text, err));
    return ix_buffer_printf(p->out, err, "</text>\n");
}

/* Types of a weight in all blocks that a section stands for: "Q4_K/Q6_K". */
static void types_text(const picture *p, const ix_svg_section *section, int32_t at, int32_t arg,
                       char out[64])
{
    bool seen[IX_TYPE_COUNT] = { false };
    int32_t length = section->end - section->first;
    size_t used = 0;

    out[0] = '\0';
    for (int32_t r = 0; r < section->repeats; r++) {
        ix_type type = p->sections.results[at + r * length]->args[arg]->type;
        const char *name = ix_type_of(type)->name;
        if (seen[type] || used + strlen(name) + 2 > 64)
            continue;
        seen[type] = true;
        used += (size_t)snprintf(out + used, 64 - used, "%s%s", used > 0 ? "/" : "", name);
    }
}

static void fill_box(const picture *p, const ix_svg_section *section, int32_t at, box *b)
{
    const ix_tensor *t = p->sections.results[at];
    char attrs[IX_ATTRS_TEXT], shape[IX_SHAPE_TEXT], types[64];

    ix_attrs_text(t, attrs);
    if (attrs[0] != '\0' && ix_op_attr_kind(t->op) != IX_ATTR_CACHE)
        snprintf(b->lines[b->line_count++], LINE_TEXT, "%.150s", attrs);
    for (int32_t k = 0; k < t->arg_count; k++) {
        const ix_tensor *a = t->args[k];
        const char *name = a->name;
        if (a->op > IX_OP_STATE)
            continue;
        if (section->layer >= 0)
            (void)ix_layer_of_name(a->name, &name);
        ix_shape_text(a->rank, a->dims, shape);
        types_text(p, section, at, k, types);
        snprintf(b->lines[b->line_count++], LINE_TEXT, "%.*s %.30s %.60s", NAME_SHOWN, name, types,
                 shape);
    }
}

static ix_svg_size size_of(const ix_tensor *t, const box *b)
{
    ix_svg_size size = { TITLE_CHAR * (double)strlen(ix_op_of(t->op)->name), 0 };

    for (int32_t i = 0; i < b->line_count; i++) {
        double width = LINE_CHAR * (double)strlen(b->lines[i]);
        size.width = width > size.width ? width : size.width;
    }
    size.width += 2 * BOX_PAD + 4;
    size.height = TITLE_HEIGHT + LINE_HEIGHT * b->line_count + BOX_PAD;
    return size;
}

/* ---- placing --------------------------------------------------------------------------------- */

static inox_status place_section(picture *p, int32_t index, inox_error *err)
{
    const ix_svg_section *section = &p->sections.sections[index];
    size_t n = (size_t)(section->end - section->first);
    ix_svg_size *sizes;

    IX_TRY(IX_ARENA(&p->arena, &sizes, n, err));
    IX_TRY(IX_ARENA(&p->arena, &p->boxes[index], n, err));
    for (size_t i = 0; i < n; i++) {
        fill_box(p, section, section->first + (int32_t)i, &p->boxes[index][i]);
        sizes[i] = size_of(p->sections.results[section->first + (int32_t)i], &p->boxes[index][i]);
    }
    IX_TRY(ix_svg_place(&p->sections, section, sizes, &p->arena, &p->layouts[index], err));
    double width = p->layouts[index].width + 2 * PANEL_PAD + 2 * MARGIN;
    p->width = width > p->width ? width : p->width;
    return INOX_OK;
}

static inox_status place_all(picture *p, inox_error *err)
{
    int64_t drawn = 0;

    for (int32_t i = 0; i < p->sections.count; i++)
        drawn += p->sections.sections[i].end - p->sections.sections[i].first;
    if (drawn > IX_SVG_OPERATORS)
        return ix_fail(err, INOX_E_LIMIT,
                       "%lld operators are too many to draw (at most %d): print the graph as text",
                       (long long)drawn, IX_SVG_OPERATORS);
    p->width = 640;
    IX_TRY(IX_ARENA(&p->arena, &p->layouts, (size_t)p->sections.count, err));
    IX_TRY(IX_ARENA(&p->arena, &p->boxes, (size_t)p->sections.count, err));
    for (int32_t i = 0; i < p->sections.count; i++)
        IX_TRY(place_section(p, i, err));
    return INOX_OK;
}

/* ---- drawing --------------------------------------------------------------------------------- */

static const char *kind_of(const ix_tensor *t)
{
    switch (t->op) {
    case IX_OP_MATMUL:
    case IX_OP_LINEAR: return "product";
    case IX_OP_SUM:
    case IX_OP_SUM_SQUARES:
    case IX_OP_RMS_NORM: return "norm";
    case IX_OP_ROPE:
    case IX_OP_CACHE_STORE:
    case IX_OP_ATTENTION: return "sequence";
    case IX_OP_RESHAPE:
    case IX_OP_GATHER: return "movement";
    default: return "each";
    }
}

/* A line from (x0, y0) down to (x1, y1), bending between the rows only, that is from y0_row to
 * y1_row. */
static inox_status draw_line(picture *p, double x0, double y0, double y0_row, double x1,
                             double y1_row, double y1, bool arrow, inox_error *err)
{
    double middle = (y0_row + y1_row) / 2;

    return ix_buffer_printf(
        p->out, err, "<path class=\"line\"%s d=\"M%ld %ldV%ldC%ld %ld %ld %ld %ld %ldV%ld\"/>\n",
        arrow ? " marker-end=\"url(#arrow)\"" : "", px(x0), px(y0), px(y0_row), px(x0), px(middle),
        px(x1), px(middle), px(x1), px(y1_row), px(y1));
}

static double top_of(const ix_svg_layout *l, const ix_svg_item *item)
{
    const ix_svg_row *row = &l->rows[item->row];

    return row->y + (row->height - item->height) / 2;
}

/* Where lines enter operator `to`, side by side in the order of where they come from. */
static double port_of(const ix_svg_layout *l, int32_t link)
{
    int32_t to = l->links[link].to, before = 0, count = 0;

    for (int32_t i = 0; i < l->link_count; i++) {
        if (l->links[i].to != to)
            continue;
        double other = l->items[l->links[i].from].x, own = l->items[l->links[link].from].x;
        before += other < own || (other == own && i < link);
        count++;
    }
    double width = l->items[to].width - 24 < 22 * count ? l->items[to].width - 24 : 22 * count;
    return l->items[to].x + (count > 1 ? width * (before / (double)(count - 1) - 0.5) : 0.0);
}

static inox_status draw_links(picture *p, const ix_svg_layout *l, double x, double y,
                              inox_error *err)
{
    for (int32_t i = 0; i < l->link_count; i++) {
        const ix_svg_item *from = &l->items[l->links[i].from], *to = &l->items[l->links[i].to];
        const ix_svg_row *a = &l->rows[from->row], *b = &l->rows[to->row];
        double y0 = from->t != NULL ? top_of(l, from) + from->height : a->y + a->height;
        double y1 = to->t != NULL ? top_of(l, to) - 3 : b->y + b->height;
        double x1 = to->t != NULL ? port_of(l, i) : to->x;
        IX_TRY(draw_line(p, x + from->x, y + y0, y + a->y + a->height, x + x1,
                         y + b->y - (to->t != NULL ? 3 : 0), y + y1, to->t != NULL, err));
    }
    return INOX_OK;
}

static inox_status draw_box(picture *p, const ix_svg_item *item, const box *b, double x, double y,
                            inox_error *err)
{
    char shape[IX_SHAPE_TEXT], label[IX_SHAPE_TEXT + 16];
    double left = x - item->width / 2;

    IX_TRY(ix_buffer_printf(
        p->out, err,
        "<rect class=\"%s\" x=\"%ld\" y=\"%ld\" width=\"%ld\" height=\"%ld\" rx=\"6\"/>\n",
        kind_of(item->t), px(left), px(y), px(item->width), px(item->height)));
    IX_TRY(text_at(p, left + BOX_PAD, y + TITLE_HEIGHT - 2, "title", ix_op_of(item->t->op)->name,
                   err));
    for (int32_t i = 0; i < b->line_count; i++)
        IX_TRY(text_at(p, left + BOX_PAD, y + TITLE_HEIGHT + 10 + LINE_HEIGHT * i, "leaf",
                       b->lines[i], err));
    ix_shape_text(item->t->rank, item->t->dims, shape);
    bool usual = item->t->type == IX_TYPE_F32;
    snprintf(label, sizeof label, "%s%s%s", usual ? "" : ix_type_of(item->t->type)->name,
             usual ? "" : " ", shape);
    return text_at(p, x + 6, y + item->height + 13, "shape", label, err);
}

/* Behind a block: its frame, twice more where it stands for several, and its name. */
static inox_status draw_panel(picture *p, const ix_svg_section *s, double x, double y, double width,
                              double height, inox_error *err)
{
    char title[96];

    for (int back = s->repeats > 1 ? 2 : 0; back >= 0; back--)
        IX_TRY(ix_buffer_printf(
            p->out, err,
            "<rect class=\"panel\" x=\"%ld\" y=\"%ld\" width=\"%ld\" height=\"%ld\" rx=\"12\"/>\n",
            px(x) + 6 * back, px(y) + 6 * back, px(width), px(height)));
    if (s->repeats > 1)
        snprintf(title, sizeof title, "blk.%d .. blk.%d", s->layer, s->last_layer);
    else
        snprintf(title, sizeof title, "blk.%d", s->layer);
    IX_TRY(text_at(p, x + 16, y + 22, "block", title, err));
    if (s->repeats < 2)
        return INOX_OK;
    snprintf(title, sizeof title, "x %d", s->repeats);
    return text_at(p, x + width - 16, y + 24, "times", title, err);
}

static bool is_entered(const ix_svg_layout *l)
{
    for (int32_t i = 0; i < l->link_count; i++)
        if (l->links[i].from == 0)
            return true;
    return false;
}

/* One section from y on.  (*exit_x, *exit_y): where the line of its result leaves; from there it
 * was entered. *y moves behind the section. */
static inox_status draw_section(picture *p, int32_t index, double *exit_x, double *exit_y,
                                double *y, inox_error *err)
{
    const ix_svg_section *s = &p->sections.sections[index];
    const ix_svg_layout *l = &p->layouts[index];
    bool framed = s->layer >= 0;
    double x = (p->width - l->width) / 2, top = *y + (framed ? PANEL_TITLE + 10 : 0);
    double height = l->height + PANEL_TITLE + 10 + PANEL_PAD;

    if (framed)
        IX_TRY(draw_panel(p, s, x - PANEL_PAD, *y, l->width + 2 * PANEL_PAD, height, err));
    if (is_entered(l))
        IX_TRY(draw_line(p, *exit_x, *exit_y, *exit_y, x + l->items[0].x, top, top, false, err));
    IX_TRY(draw_links(p, l, x, top, err));
    for (int32_t i = 1; i <= l->operators; i++)
        IX_TRY(draw_box(p, &l->items[i], &p->boxes[index][i - 1], x + l->items[i].x,
                        top + top_of(l, &l->items[i]), err));
    const ix_svg_item *last = &l->items[l->operators];
    int32_t output = p->sections.position[p->graph->output->id];
    if (output >= s->first && output < s->end)
        last = &l->items[output - s->first + 1];
    *exit_x = x + last->x;
    *exit_y = top + top_of(l, last) + last->height;
    *y += framed ? height + SECTION_GAP : l->height + SECTION_GAP;
    return INOX_OK;
}

static const char HEAD[] =
    "<style>\n"
    "text{font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans "
    "Mono',monospace;font-size:10px;fill:#334155}\n"
    ".head{font-size:17px;font-weight:bold;fill:#0f172a}\n"
    ".title{font-size:12px;font-weight:bold;fill:#0f172a}\n"
    ".shape{fill:#64748b;stroke:#ffffff;stroke-width:3px;paint-order:stroke}\n"
    ".block{font-size:13px;font-weight:bold;fill:#475569}\n"
    ".times{font-size:17px;font-weight:bold;fill:#475569;text-anchor:end}\n"
    ".line{fill:none;stroke:#94a3b8;stroke-width:1.5}\n"
    ".panel{fill:#f8fafc;stroke:#cbd5e1}\n"
    ".product{fill:#dbeafe;stroke:#3b82f6}\n"
    ".norm{fill:#dcfce7;stroke:#22c55e}\n"
    ".sequence{fill:#fef3c7;stroke:#f59e0b}\n"
    ".movement{fill:#f1f5f9;stroke:#94a3b8}\n"
    ".each{fill:#f3e8ff;stroke:#a855f7}\n"
    "</style>\n"
    "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"6\" refY=\"4\" markerWidth=\"6\" "
    "markerHeight=\"6\""
    " orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#94a3b8\"/></marker></defs>\n";

static inox_status draw_header(picture *p, inox_error *err)
{
    static const char *const KINDS[][2] = {
        { "product", "products" }, { "norm", "sums, norms" },  { "sequence", "positions, cache" },
        { "each", "elementwise" }, { "movement", "movement" },
    };
    char text[128];
    int32_t weights = 0;
    double x = MARGIN;

    for (int32_t i = 0; i < p->graph->count; i++)
        weights += p->graph->tensors[i]->op == IX_OP_WEIGHT;
    snprintf(text, sizeof text, "%d operators, %d weights", p->sections.result_count, weights);
    IX_TRY(text_at(p, MARGIN, 40, "head", text, err));
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        IX_TRY(ix_buffer_printf(
            p->out, err,
            "<rect class=\"%s\" x=\"%ld\" y=\"54\" width=\"12\" height=\"12\" rx=\"3\"/>\n",
            KINDS[i][0], px(x)));
        IX_TRY(text_at(p, x + 18, 64, "leaf", KINDS[i][1], err));
        x += 18 + LINE_CHAR * (double)strlen(KINDS[i][1]) + 20;
    }
    return INOX_OK;
}

static double total_height(const picture *p)
{
    double y = HEADER;

    for (int32_t i = 0; i < p->sections.count; i++) {
        bool framed = p->sections.sections[i].layer >= 0;
        y += p->layouts[i].height + SECTION_GAP + (framed ? PANEL_TITLE + 10 + PANEL_PAD : 0);
    }
    return y + MARGIN;
}

static inox_status draw(picture *p, inox_error *err)
{
    double x = p->width / 2, y = HEADER, exit_y = HEADER;
    char shape[IX_SHAPE_TEXT], text[IX_SHAPE_TEXT + 32];

    IX_TRY(ix_svg_find_sections(p->graph, &p->arena, &p->sections, err));
    IX_TRY(place_all(p, err));
    x = p->width / 2;
    IX_TRY(
        ix_buffer_printf(p->out, err,
                         "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%ld\" height=\"%ld\" "
                         "viewBox=\"0 0 %ld %ld\">\n",
                         px(p->width), px(total_height(p)), px(p->width), px(total_height(p))));
    IX_TRY(ix_buffer_append(p->out, HEAD, sizeof HEAD - 1, err));
    IX_TRY(ix_buffer_printf(p->out, err,
                            "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n"));
    IX_TRY(draw_header(p, err));
    for (int32_t i = 0; i < p->sections.count; i++)
        IX_TRY(draw_section(p, i, &x, &exit_y, &y, err));
    ix_shape_text(p->graph->output->rank, p->graph->output->dims, shape);
    snprintf(text, sizeof text, "output %s", shape);
    IX_TRY(draw_line(p, x, exit_y, exit_y, x, exit_y + 26, exit_y + 26, true, err));
    IX_TRY(text_at(p, x - LINE_CHAR * (double)strlen(text) / 2, exit_y + 42, "title", text, err));
    return ix_buffer_printf(p->out, err, "</svg>\n");
}

inox_status ix_graph_print_svg(const ix_graph *g, ix_buffer *out, inox_error *err)
{
    picture p = { .graph = g, .out = out };
    inox_status status = ix_graph_verify(g, err);
    size_t before = out->size;

    if (status == INOX_OK)
        status = draw(&p, err);
    if (status != INOX_OK)
        ix_shorten(out, before);
    ix_arena_release(&p.arena);
    return status;
}
