/* Grapheme clusters, and the normalizer Precompiled that goes by them.
 *
 * Hugging Face's Precompiled is not SentencePiece's own rule: a cluster of less than 6 bytes that
 * begins with something in the map becomes what the shortest such prefix becomes, whole; else each
 * of its characters goes by itself.
 *
 * Ranges follow the library's list of changes (see normal.c).  Its ways are kept, odd as they are:
 * what is taken away makes the character before it "take away" one more, so a character that was
 * added before becomes one that replaces; and what is taken away at the very beginning is
 * forgotten, so that all ranges behind lag.
 */
#include "text/charsmap.h"
#include "text/normal.h"

/* Classes of ix_cluster_blocks, in the order of tools/make_normal.py. */
enum {
    OTHER,
    CR,
    LF,
    CONTROL,
    EXTEND,
    ZWJ,
    REGIONAL,
    PREPEND,
    SPACING,
    L,
    V,
    T,
    LV,
    LVT,
    PICTOGRAPH,
    CONSONANT,
    CLASSES = 15,
    LINKER = 16,
    CONJUNCT_EXTEND = 32,
};

static unsigned cluster_class(uint32_t c)
{
    return c > 0x10FFFF ? CONTROL : ix_cluster_blocks[ix_cluster_index[c >> 7]][c & 127];
}

/* What the rules of UAX #29 look back at, beyond the last character. */
typedef struct cluster_state {
    unsigned last;
    unsigned regionals; /* in a row, up to the last character */
    bool pictograph;    /* a pictograph, extenders, and perhaps a joiner */
    bool consonant;     /* a consonant, then only linkers and what extends conjuncts, */
    bool linked;        /* one linker at least */
} cluster_state;

static void cluster_pass(cluster_state *s, unsigned class)
{
    unsigned basic = class & CLASSES;
    s->regionals = basic == REGIONAL ? s->regionals + 1 : 0;
    s->pictograph = basic == PICTOGRAPH ||
                    (s->pictograph && s->last != ZWJ && (basic == EXTEND || basic == ZWJ));
    if (basic == CONSONANT) {
        s->consonant = true;
        s->linked = false;
    } else if (class & LINKER) {
        s->linked = s->consonant;
    } else if (!(class & CONJUNCT_EXTEND)) {
        s->consonant = s->linked = false;
    }
    s->last = basic;
}

static bool cluster_ends(const cluster_state *s, unsigned class)
{
    unsigned last = s->last, next = class & CLASSES;
    if (last == CR && next == LF)
        return false;
    if ((last >= CR && last <= CONTROL) || (next >= CR && next <= CONTROL))
        return true;
    if (last == L && (next == L || next == V || next == LV || next == LVT))
        return false;
    if ((last == LV || last == V) && (next == V || next == T))
        return false;
    if ((last == LVT || last == T) && next == T)
        return false;
    if (next == EXTEND || next == ZWJ || next == SPACING || last == PREPEND)
        return false;
    if (next == CONSONANT)
        return !(s->consonant && s->linked);
    if (next == PICTOGRAPH)
        return !(last == ZWJ && s->pictograph);
    return !(next == REGIONAL && s->regionals % 2 == 1);
}

size_t ix_cluster_size(const char *text, size_t size)
{
    uint32_t c;
    cluster_state state = { 0 };
    size_t at = ix_utf8_read(text, size, &c);
    cluster_pass(&state, cluster_class(c));
    while (at < size) {
        size_t n = ix_utf8_read(text + at, size - at, &c);
        unsigned class = cluster_class(c);
        if (cluster_ends(&state, class))
            break;
        cluster_pass(&state, class);
        at += n;
    }
    return at;
}

/* ---- Precompiled --------------------------------------------------------------------------- */

/* The library's list of changes, as far as it is known: all before `old` is done, except for the
 * item that waits. */
typedef struct changes {
    ix_edit edit;
    size_t old;     /* characters before it are replaced or taken away */
    bool open;      /* the edit is; else old text and list go side by side up to the position */
    bool any;       /* the list is not empty */
    bool waits;     /* the last item may still change */
    uint32_t c;     /* the item: the character, */
    int32_t change; /* and what it does */
} changes;

static size_t next_size(const changes *l, size_t at)
{
    uint32_t c;
    return at < l->edit.text->size
               ? ix_utf8_read(l->edit.text->data + at, l->edit.text->size - at, &c)
               : 0;
}

static inox_status settle(changes *l, inox_error *err)
{
    char bytes[4];
    if (!l->waits)
        return INOX_OK;
    l->waits = false;
    size_t n = ix_utf8_write(l->c, bytes), from = l->old, to;
    if (l->change > 0) {
        to = from;
        while (from > 0 && (from == to || ((unsigned char)l->edit.text->data[from] & 0xC0) == 0x80))
            from--;
    } else {
        to = from + next_size(l, from);
        l->old = to;
        for (int32_t k = l->change; k < 0; k++)
            l->old += next_size(l, l->old);
    }
    return ix_rewrite_put(&l->edit.rewrite, bytes, n, from, to, err);
}

static inox_status open_at(changes *l, size_t at, inox_error *err)
{
    if (l->open)
        return INOX_OK;
    l->open = true;
    l->old = at;
    return ix_edit_open(&l->edit, at, err);
}

static inox_status item(changes *l, uint32_t c, int32_t change, inox_error *err)
{
    IX_TRY(settle(l, err));
    l->any = l->waits = true;
    l->c = c;
    l->change = change;
    return INOX_OK;
}

static int32_t count_characters(const char *text, size_t size)
{
    int32_t count = 0;
    for (size_t i = 0; i < size; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

/* old[at..at + size) becomes `to`. */
static inox_status replace(changes *l, size_t at, size_t size, ix_text_view to, inox_error *err)
{
    int32_t before = count_characters(l->edit.text->data + at, size);
    int32_t after = count_characters(to.data, to.size);
    IX_TRY(open_at(l, at, err));
    size_t n;
    for (size_t i = 0, k = 0; i < to.size; i += n, k++) {
        uint32_t c;
        n = ix_utf8_read(to.data + i, to.size - i, &c);
        IX_TRY(item(l, c, (int32_t)k >= before, err));
    }
    if (after >= before)
        return INOX_OK;
    if (l->waits) {
        l->change += after - before;
    } else if (l->any) { /* the last item, which replaced one, is written: it takes these away */
        for (int32_t k = after; k < before; k++)
            l->old += next_size(l, l->old);
    }
    return INOX_OK;
}

/* old[at..at + size), one character, stays. */
static inox_status keep(changes *l, size_t at, size_t size, inox_error *err)
{
    if (l->open) {
        IX_TRY(settle(l, err));
        if (l->old == at) {
            l->open = false;
            ix_edit_close(&l->edit, at);
        }
    }
    if (!l->open) {
        l->any = true;
        return INOX_OK;
    }
    uint32_t c;
    (void)ix_utf8_read(l->edit.text->data + at, size, &c);
    return item(l, c, 0, err);
}

static inox_status change_cluster(changes *l, const ix_charsmap *map, size_t at, size_t size,
                                  inox_error *err)
{
    enum { WHOLE = 6 }; /* bytes from which on a cluster goes character by character */
    const char *text = l->edit.text->data;
    ix_text_view to;
    if (size < WHOLE && ix_charsmap_shortest(map, text + at, size, &to) > 0)
        return replace(l, at, size, to, err);
    size_t n;
    for (size_t end = at + size; at < end; at += n) {
        uint32_t c;
        n = ix_utf8_read(text + at, end - at, &c);
        if (ix_charsmap_shortest(map, text + at, n, &to) > 0)
            IX_TRY(replace(l, at, n, to, err));
        else
            IX_TRY(keep(l, at, n, err));
    }
    return INOX_OK;
}

static inox_status change_all(changes *l, const ix_charsmap *map, inox_error *err)
{
    const char *text = l->edit.text->data;
    size_t size = l->edit.text->size, at = 0;
    while (at < size) {
        /* a character of ASCII before another one is a cluster of its own */
        if (!l->open && at + 1 < size && ((text[at] | text[at + 1]) & 0x80) == 0 &&
            text[at] != '\r' && !ix_charsmap_begins(map, (unsigned char)text[at])) {
            l->any = true;
            at++;
            continue;
        }
        size_t n = ix_cluster_size(text + at, size - at);
        IX_TRY(change_cluster(l, map, at, n, err));
        at += n;
    }
    IX_TRY(settle(l, err));
    if (l->open)
        ix_edit_close(&l->edit, size);
    return INOX_OK;
}

inox_status ix_normalize_charsmap(const ix_charsmap *map, ix_mapped_text *text, inox_error *err)
{
    changes list = { .open = false };
    ix_edit_begin(&list.edit, text);
    return ix_edit_end(&list.edit, change_all(&list, map, err), err);
}
