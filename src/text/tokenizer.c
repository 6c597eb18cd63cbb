/* The handle: what is the same for every family of tokenizers.  Pairs and words, truncation,
 * special tokens, padding, batches over threads, streams. */
#include "text/tokenizer.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/lock.h"
#include "base/thread.h"
#include "text/family.h"

#include <string.h>

/* ---- scratches ------------------------------------------------------------------------------- */

enum { POOL_MOST = 64 }; /* more threads at once make and free their own */

struct ix_scratch_pool {
    ix_lock lock;
    int count;
    void *items[POOL_MOST];
};

inox_status ix_tokenizer_take_scratch(const ix_tokenizer *t, void **out, inox_error *err)
{
    *out = NULL;
    if (!t->family->scratch_new)
        return INOX_OK;
    if (t->pool) {
        ix_lock_take(&t->pool->lock);
        if (t->pool->count > 0)
            *out = t->pool->items[--t->pool->count];
        ix_lock_give(&t->pool->lock);
    }
    return *out ? INOX_OK : t->family->scratch_new(t, out, err);
}

void ix_tokenizer_give_scratch(const ix_tokenizer *t, void *scratch)
{
    if (!scratch)
        return;
    if (t->pool) {
        ix_lock_take(&t->pool->lock);
        if (t->pool->count < POOL_MOST) {
            t->pool->items[t->pool->count++] = scratch;
            scratch = NULL;
        }
        ix_lock_give(&t->pool->lock);
    }
    if (scratch)
        t->family->scratch_free(scratch);
}

void ix_tokenizer_free(ix_tokenizer *t)
{
    if (!t)
        return;
    for (int i = 0; t->pool && i < t->pool->count; i++)
        t->family->scratch_free(t->pool->items[i]);
    ix_free(t->pool);
    t->family->release(t);
    ix_post_free(t->post);
    ix_free(t->ends);
    ix_free(t);
}

inox_status ix_tokenizer_pool_scratches(ix_tokenizer *t, inox_error *err)
{
    return IX_ALLOC(&t->pool, 1, err);
}

/* ---- one input ------------------------------------------------------------------------------- */

/* Memory where the caller sets no limit: far above what any text needs, and a bound all the same
 * for vocabularies that are made to blow texts up. */
#define MEMORY_BASE (UINT64_C(256) << 20)
#define MEMORY_PER_BYTE 512

static uint64_t sequence_bytes(const ix_sequence *s)
{
    uint64_t n = s->is_split ? 0 : s->text.size;
    for (size_t i = 0; s->is_split && i < s->word_count; i++)
        n += s->words[i].size;
    return n;
}

static uint64_t input_bytes(const ix_encode_input *in)
{
    return sequence_bytes(&in->first) + (in->is_pair ? sequence_bytes(&in->second) : 0);
}

static inox_status check_size(size_t bytes, inox_error *err)
{
    if (bytes > IX_MAX_TEXT_BYTES - 1)
        return ix_fail(err, INOX_E_LIMIT, "the text has %zu bytes, more than %llu", bytes,
                       (unsigned long long)IX_MAX_TEXT_BYTES - 1);
    return INOX_OK;
}

static inox_status check_sequence(const ix_sequence *s, inox_error *err)
{
    if (s->is_split) {
        if (s->word_count > INT32_MAX)
            return ix_fail(err, INOX_E_LIMIT, "%zu words, more than %d", s->word_count, INT32_MAX);
        for (size_t i = 0; i < s->word_count; i++)
            IX_TRY(check_size(s->words[i].size, err));
        return INOX_OK;
    }
    IX_TRY(check_size(s->text.size, err));
    size_t end = 0;
    for (size_t i = 0; i < s->plain_count; i++) {
        const ix_range *r = &s->plain[i];
        if (r->start < end || r->end < r->start || r->end > s->text.size)
            return ix_fail(err, INOX_E_ARGUMENT,
                           "plain range %zu, [%zu, %zu), is not behind the one before it and "
                           "inside the text of %zu bytes",
                           i, r->start, r->end, s->text.size);
        end = r->end;
    }
    return INOX_OK;
}

/* The arrays that the steps need so that those that are wanted come out right. */
static unsigned working_set(const ix_tokenizer *t, const ix_encode_input *in,
                            const ix_encode_options *o)
{
    unsigned want = o->want & IX_WANT_ALL;
    bool split = in->first.is_split || (in->is_pair && in->second.is_split);
    if ((want & IX_WANT_OFFSETS) && ix_post_trims(t->post))
        want |= IX_WANT_SPACES | IX_WANT_SEQUENCES | (split ? IX_WANT_WORDS : 0u);
    return want;
}

static inox_status encode_sequence(const ix_tokenizer *t, void *scratch, const ix_sequence *s,
                                   int32_t number, const ix_encode_options *o, ix_encoding *out,
                                   inox_error *err)
{
    ix_encode_text in = {
        .text = s->text.data,
        .size = s->text.size,
        .parse_special = o->parse_special,
        .plain = s->plain,
        .plain_count = s->plain_count,
        .word = -1,
    };
    if (!s->is_split) {
        IX_TRY(t->family->encode(t, scratch, &in, out, err));
    } else {
        in.plain_count = 0;
        for (size_t i = 0; i < s->word_count; i++) {
            in.text = s->words[i].data;
            in.size = s->words[i].size;
            in.word = (int32_t)i;
            IX_TRY(t->family->encode(t, scratch, &in, out, err));
        }
    }
    ix_encoding_set_text(out, number);
    return INOX_OK;
}

/* All steps but padding. */
static inox_status encode_steps(const ix_tokenizer *t, void *scratch, const ix_encode_input *in,
                                const ix_encode_options *o, ix_encoding *out, inox_error *err)
{
    size_t count = in->is_pair ? 2 : 1;
    unsigned want = working_set(t, in, o);
    ix_encoding parts[2] = { { .want = want }, { .want = want } };
    inox_status status = INOX_OK;
    for (size_t i = 0; i < count && status == INOX_OK; i++)
        status = encode_sequence(t, scratch, i ? &in->second : &in->first, (int32_t)i, o, &parts[i],
                                 err);
    if (status == INOX_OK && o->truncation)
        status = ix_truncate(parts, count, o->truncation,
                             o->special ? ix_post_added(t->post, in->is_pair) : 0, err);
    if (status == INOX_OK)
        status = ix_post_run(t->post, in, parts, count, o->special, out, err);
    if (status == INOX_OK)
        ix_encoding_keep(out, o->want);
    ix_encoding_release(&parts[0]);
    ix_encoding_release(&parts[1]);
    return status;
}

static inox_status encode_one(const ix_tokenizer *t, const ix_encode_input *in,
                              const ix_encode_options *o, ix_encoding *out, inox_error *err)
{
    void *scratch = NULL;
    *out = (ix_encoding){ 0 };
    IX_TRY(check_sequence(&in->first, err));
    if (in->is_pair)
        IX_TRY(check_sequence(&in->second, err));
    IX_TRY(ix_tokenizer_take_scratch(t, &scratch, err));
    ix_meter_begin(o->memory_max ? o->memory_max : MEMORY_BASE + MEMORY_PER_BYTE * input_bytes(in));
    inox_status status = encode_steps(t, scratch, in, o, out, err);
    ix_meter_end();
    ix_tokenizer_give_scratch(t, scratch);
    return status;
}

inox_status ix_encode(const ix_tokenizer *t, const ix_encode_input *in,
                      const ix_encode_options *options, ix_encoding *out, inox_error *err)
{
    IX_TRY(encode_one(t, in, options, out, err));
    if (!options->padding)
        return INOX_OK;
    inox_status status = ix_pad(out, 1, options->padding, err);
    if (status != INOX_OK)
        ix_encoding_release(out);
    return status;
}

/* ---- batches --------------------------------------------------------------------------------- */

typedef struct batch {
    const ix_tokenizer *t;
    const ix_encode_input *in;
    size_t count;
    const ix_encode_options *options;
    ix_encoding *out;
    ix_counter next;
    ix_lock lock;
    size_t failed; /* the first input that failed; `count`: none */
    inox_status status;
    inox_error error;
} batch;

/* Inputs are taken in their order, so that all before the first failure are looked at. */
static void work(void *context, int worker)
{
    batch *b = context;
    (void)worker;
    for (;;) {
        inox_error error = { 0 };
        int64_t taken = ix_counter_take(&b->next);
        if ((uint64_t)taken >= b->count)
            return;
        size_t i = (size_t)taken;
        ix_lock_take(&b->lock);
        bool late = i > b->failed;
        ix_lock_give(&b->lock);
        if (late)
            return;
        inox_status status = encode_one(b->t, &b->in[i], b->options, &b->out[i], &error);
        if (status == INOX_OK)
            continue;
        ix_lock_take(&b->lock);
        if (i < b->failed) {
            b->failed = i;
            b->status = status;
            b->error = error;
        }
        ix_lock_give(&b->lock);
    }
}

enum { BYTES_PER_THREAD = 16384 }; /* less is not worth a thread */

static inox_status run_batch(batch *b, inox_error *err)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < b->count; i++)
        bytes += input_bytes(&b->in[i]);
    if (b->options->threads == 1 || b->count < 2 || bytes < 2 * BYTES_PER_THREAD) {
        work(b, 0);
        return INOX_OK;
    }
    ix_pool *pool = NULL;
    IX_TRY(ix_pool_new(b->options->threads, &pool, err));
    ix_pool_run(pool, work, b);
    ix_pool_free(pool);
    return INOX_OK;
}

inox_status ix_encode_batch(const ix_tokenizer *t, const ix_encode_input *in, size_t count,
                            const ix_encode_options *options, ix_encoding *out, inox_error *err)
{
    batch b = { .t = t, .in = in, .count = count, .options = options, .out = out, .failed = count };
    for (size_t i = 0; i < count; i++)
        out[i] = (ix_encoding){ 0 };
    inox_status status = run_batch(&b, err);
    if (status == INOX_OK && b.failed < count) {
        status = b.status;
        if (err)
            *err = b.error;
        if (count > 1)
            (void)ix_prefix(err, status, "input %zu", b.failed);
    }
    if (status == INOX_OK && options->padding)
        status = ix_pad(out, count, options->padding, err);
    for (size_t i = 0; i < count && status != INOX_OK; i++)
        ix_encoding_release(&out[i]);
    return status;
}

/* ---- the plain form -------------------------------------------------------------------------- */

inox_status ix_tokenizer_encode(const ix_tokenizer *t, const char *text, size_t bytes,
                                unsigned flags, inox_tokens *out, inox_error *err)
{
    ix_encode_options o = IX_ENCODE_OPTIONS_INIT;
    ix_encode_input in = { .first = { .text = { text, bytes } } };
    ix_encoding e;
    *out = (inox_tokens){ 0 };
    o.special = (flags & INOX_TOKENIZE_SPECIAL) != 0;
    o.parse_special = (flags & INOX_TOKENIZE_PARSE_SPECIAL) != 0;
    o.want = IX_WANT_OFFSETS;
    IX_TRY(ix_encode(t, &in, &o, &e, err));
    *out = (inox_tokens){ .ids = e.ids, .starts = e.starts, .ends = e.ends, .count = e.count };
    return INOX_OK;
}

void ix_tokens_release(inox_tokens *tokens)
{
    ix_free(tokens->ids);
    ix_free(tokens->starts);
    ix_free(tokens->ends);
    *tokens = (inox_tokens){ 0 };
}

/* ---- asking ---------------------------------------------------------------------------------- */

static bool in_range(const ix_tokenizer *t, int32_t id)
{
    return id >= 0 && (size_t)id < t->count;
}

size_t ix_tokenizer_count(const ix_tokenizer *t)
{
    return t->count;
}

ix_text_view ix_tokenizer_piece(const ix_tokenizer *t, int32_t id)
{
    return in_range(t, id) ? t->family->piece(t, id) : (ix_text_view){ NULL, 0 };
}

int32_t ix_tokenizer_type(const ix_tokenizer *t, int32_t id)
{
    return in_range(t, id) ? t->family->type(t, id) : 0;
}

bool ix_tokenizer_is_end(const ix_tokenizer *t, int32_t id)
{
    return in_range(t, id) && t->ends && t->ends[id];
}

int32_t ix_tokenizer_bos(const ix_tokenizer *t)
{
    return t->bos;
}

int32_t ix_tokenizer_eos(const ix_tokenizer *t)
{
    return t->eos;
}

int32_t ix_tokenizer_unknown(const ix_tokenizer *t)
{
    return t->unknown;
}

int32_t ix_tokenizer_padding_id(const ix_tokenizer *t)
{
    return t->padding_id;
}

const char *ix_tokenizer_format_of(const ix_tokenizer *t)
{
    return t->format;
}

const char *ix_tokenizer_model_of(const ix_tokenizer *t)
{
    return t->model;
}

bool ix_tokenizer_adds_bos(const ix_tokenizer *t)
{
    return t->bos >= 0 && ix_post_first(t->post) == t->bos;
}

int32_t ix_tokenizer_find(const ix_tokenizer *t, const char *piece, size_t bytes)
{
    return t->family->find(t, piece, bytes);
}

const ix_truncation *ix_tokenizer_truncation(const ix_tokenizer *t)
{
    return t->has_truncation ? &t->truncation : NULL;
}

const ix_padding *ix_tokenizer_padding(const ix_tokenizer *t)
{
    return t->has_padding ? &t->padding : NULL;
}

bool ix_tokenizer_parses_special(const ix_tokenizer *t)
{
    return t->parse_special;
}
