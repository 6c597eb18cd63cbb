/* What the files that draw a graph share: the sections of a picture and the places of what stands
 * in them.
 *
 *     svg_sections.c   operators -> sections: runs of equal blocks are one section, drawn once
 *     svg_layout.c     one section -> rows of items with places
 *     svg.c            places -> SVG
 *
 * "Position" below is the place of an operator in the list of all results, leaves left out.
 */
#ifndef IX_IR_SVG_H
#define IX_IR_SVG_H

#include "ir/graph.h"

/* Bounds of a picture that a person can look at. */
#define IX_SVG_OPERATORS 2000 /* drawn ones: equal blocks count once */
#define IX_SVG_ITEMS 20000    /* with the bends of lines */

typedef struct ix_svg_section {
    int32_t first, end; /* positions: the section that is drawn */
    int32_t layer;      /* of its first block, or -1: not a block */
    int32_t repeats;    /* blocks that look the same; they follow one another */
    int32_t last_layer;
} ix_svg_section;

typedef struct ix_svg_sections {
    const ix_tensor **results; /* by position */
    int32_t result_count;
    int32_t *position; /* by tensor id; -1: a leaf */
    ix_svg_section *sections;
    int32_t count;
} ix_svg_sections;

/* Everything in `arena`.  The graph is verified. */
inox_status ix_svg_find_sections(const ix_graph *g, ix_arena *arena, ix_svg_sections *out,
                                 inox_error *err) IX_MUST_USE;

/* An operator, a bend of a line that passes a row, or the point where a section is entered. */
typedef struct ix_svg_item {
    const ix_tensor *t;      /* NULL: a bend, or the entry */
    int32_t row, next;       /* next: place in its row */
    double x, width, height; /* x: of the centre */
    double wanted;           /* while placing */
} ix_svg_item;

/* A piece of a line from one row to the next. */
typedef struct ix_svg_link {
    int32_t from, to; /* items */
} ix_svg_link;

typedef struct ix_svg_row {
    int32_t *items; /* from left to right */
    int32_t count;
    double y, height;
} ix_svg_row;

typedef struct ix_svg_layout {
    ix_svg_item *items;
    int32_t item_count, item_capacity;
    int32_t operators; /* items 1 .. operators are the results in order; item 0 is the entry */
    ix_svg_link *links;
    int32_t link_count, link_capacity;
    ix_svg_row *rows;
    int32_t row_count;
    double width, height;
} ix_svg_layout;

#define IX_SVG_ROW_GAP 34.0 /* between rows: arrows and shapes */

/* Places the results of a section.  sizes: width and height of each, by position - first. */
typedef struct ix_svg_size {
    double width, height;
} ix_svg_size;
inox_status ix_svg_place(const ix_svg_sections *s, const ix_svg_section *section,
                         const ix_svg_size *sizes, ix_arena *arena, ix_svg_layout *out,
                         inox_error *err) IX_MUST_USE;

#endif
