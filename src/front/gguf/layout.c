/* Where the tensors of a file lie: inside it, and none over another. */
#include "front/gguf/internal.h"

#include "base/span.h"

#include <inttypes.h>
#include <string.h>

#define ALIGNMENT_DEFAULT 32
#define CUT "The file is cut short: fetch it again, or compare its sha256 with the publisher's."

/* Position of the offset field in the tensor's description. */
static uint64_t offset_position(const ix_gguf_tensor *t)
{
    return t->position + 8 + strlen(t->name) + 4 + 8 * (uint64_t)t->rank + 4;
}

/* Next multiple of the alignment; the sizes here are far below 2^64. */
static uint64_t align_up(uint64_t n, uint32_t alignment)
{
    return n + (alignment - n % alignment) % alignment;
}

static inox_status place(const ix_gguf_file *f, ix_gguf_tensor *t, inox_error *err)
{
    uint64_t offset, end;

    if (t->offset % f->alignment != 0)
        return ix_fail_at(err, INOX_E_FORMAT, offset_position(t),
                          "tensor '%s' has the offset %" PRIu64 " at byte %" PRIu64
                          ", which is no multiple of the alignment %" PRIu32,
                          t->name, t->offset, offset_position(t), f->alignment);
    if (!ix_add_u64(f->data_offset, t->offset, &offset) || !ix_add_u64(offset, t->bytes, &end))
        return ix_fail_at(err, INOX_E_FORMAT, offset_position(t),
                          "tensor '%s' has the offset %" PRIu64 " at byte %" PRIu64
                          ", and with its %" PRIu64 " bytes ends beyond 2^64.\n"
                          "The file is damaged: fetch it again.",
                          t->name, t->offset, offset_position(t), t->bytes);
    if (end > f->map.size)
        return ix_fail_at(err, INOX_E_FORMAT, offset_position(t),
                          "tensor '%s' ends at byte %" PRIu64 ", but the file has %" PRIu64
                          " bytes.\n" CUT,
                          t->name, end, f->map.size);
    t->offset = offset;
    t->data = f->map.data + offset;
    return INOX_OK;
}

/* ---- the alignment of the other files of a split model --------------------------------------- */

/* Whether the tensors, in order and each padded to the alignment, fill the file to its last byte,
 * the last one padded or not. */
static bool fills(const ix_gguf_file *f, const ix_gguf_tensor *tensors, uint64_t header_end,
                  uint32_t alignment, bool last_padded)
{
    uint64_t at = align_up(header_end, alignment), end = at;

    for (uint32_t i = 0; i < f->tensor_count; i++) {
        const ix_gguf_tensor *t = &tensors[i];

        if (at > f->map.size || t->bytes > f->map.size - at ||
            t->offset != at - align_up(header_end, alignment))
            return false;
        end = at + t->bytes;
        at = align_up(end, alignment);
    }
    return f->map.size == (last_padded ? at : end);
}

/* general.alignment may stand in the first file only.  gguf-py pads the other files by it all the
 * same, llama.cpp's gguf-split by the default: the size of the file tells who wrote it. */
static uint32_t sibling_alignment(const ix_gguf_file *f, const ix_gguf_tensor *tensors,
                                  uint64_t header_end, uint32_t of_first)
{
    for (int last_padded = 1; last_padded >= 0; last_padded--) {
        if (fills(f, tensors, header_end, ALIGNMENT_DEFAULT, last_padded != 0))
            return ALIGNMENT_DEFAULT;
        if (fills(f, tensors, header_end, of_first, last_padded != 0))
            return of_first;
    }
    return ALIGNMENT_DEFAULT;
}

/* ---- overlaps -------------------------------------------------------------------------- */

static inox_status overlap(const ix_gguf_tensor *low, const ix_gguf_tensor *high, inox_error *err)
{
    if (high->offset - low->offset >= low->bytes)
        return INOX_OK;
    return ix_fail_at(err, INOX_E_FORMAT, offset_position(high),
                      "tensor '%s' starts at byte %" PRIu64 ", inside tensor '%s' (bytes %" PRIu64
                      " to %" PRIu64 "): its offset is at byte %" PRIu64,
                      high->name, high->offset, low->name, low->offset,
                      low->offset + low->bytes - 1, offset_position(high));
}

/* Moves order[root] down until no child is behind it: one step of heapsort.  (glibc's qsort may
 * allocate.) */
static void sift_down(const ix_gguf_tensor *tensors, uint32_t *order, size_t root, size_t count)
{
    for (;;) {
        size_t child = 2 * root + 1;

        if (child >= count)
            return;
        if (child + 1 < count &&
            tensors[order[child]].offset < tensors[order[child + 1]].offset)
            child++;
        if (tensors[order[root]].offset >= tensors[order[child]].offset)
            return;
        uint32_t moved = order[root];
        order[root] = order[child];
        order[child] = moved;
        root = child;
    }
}

/* order = 0 .. count - 1 by ascending offset. */
static void sort_by_offset(const ix_gguf_tensor *tensors, uint32_t *order, size_t count)
{
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    for (size_t i = count / 2; i-- > 0;)
        sift_down(tensors, order, i, count);
    for (size_t end = count; end-- > 1;) {
        uint32_t last = order[0];

        order[0] = order[end];
        order[end] = last;
        sift_down(tensors, order, 0, end);
    }
}

static inox_status check_overlap(const ix_gguf_tensor *tensors, size_t count, inox_error *err)
{
    size_t at = 1;
    inox_status status = INOX_OK;
    uint32_t *order;

    /* The usual file has them in order. */
    while (at < count && tensors[at - 1].offset <= tensors[at].offset) {
        IX_TRY(overlap(&tensors[at - 1], &tensors[at], err));
        at++;
    }
    if (at >= count)
        return INOX_OK;
    IX_TRY(IX_ALLOC(&order, count, err));
    sort_by_offset(tensors, order, count);
    for (size_t i = 1; i < count && status == INOX_OK; i++)
        status = overlap(&tensors[order[i - 1]], &tensors[order[i]], err);
    ix_free(order);
    return status;
}

inox_status ix_gguf_lay_out(ix_gguf *g, uint32_t file, size_t first, uint64_t header_end,
                            inox_error *err)
{
    ix_gguf_file *f = &g->files[file];
    bool known = f->alignment != 0;

    if (!known)
        f->alignment = ALIGNMENT_DEFAULT;
    f->data_offset = header_end;
    if (f->tensor_count == 0)
        return INOX_OK;
    ix_gguf_tensor *tensors = &g->tensors[first];
    if (!known && file > 0)
        f->alignment = sibling_alignment(f, tensors, header_end, g->files[0].alignment);
    f->data_offset = align_up(header_end, f->alignment);
    if (f->data_offset > f->map.size)
        return ix_fail_at(err, INOX_E_FORMAT, header_end,
                          "the tensors' data should start at byte %" PRIu64
                          ", but the file has %" PRIu64 " bytes.\n" CUT,
                          f->data_offset, f->map.size);
    for (uint32_t i = 0; i < f->tensor_count; i++)
        IX_TRY(place(f, &tensors[i], err));
    return check_overlap(tensors, f->tensor_count, err);
}
