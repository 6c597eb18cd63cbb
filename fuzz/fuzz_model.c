/* Fuzz target: the "model" object of a tokenizer.json, then words tokenized with it, twice (the
 * second time from the cache of words), and by its fast path where it has one.
 *
 *     JSON | 0xFF | pre-tokenizer number | text
 *
 * Whatever the model says: tokens have ids of the vocabulary and ranges inside the word, in order;
 * the cache changes nothing; the fast path gives the ids of the model, word by word. */
#include "text/fast.h"
#include "text/model.h"
#include "text/pretokenize.h"
#include "text/unicode.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        __builtin_trap();
}

static void check_tokens(const ix_model *m, const ix_token_list *list, size_t size)
{
    for (size_t i = 0; i < list->count; i++) {
        const ix_token *t = &list->items[i];
        check(t->id >= 0 && (size_t)t->id < ix_model_id_end(m));
        check(ix_model_piece(m, t->id).data != NULL);
        check(t->start <= t->end && t->end <= size);
        check(i == 0 || list->items[i - 1].start <= t->start);
    }
}

static bool is_utf8(const char *text, size_t size)
{
    bool whole = true, bad = false;
    for (size_t at = 0; at < size && whole && !bad;)
        at += ix_utf8_prefix(text + at, size - at, &whole, &bad);
    return whole && !bad;
}

static void run_model(const ix_model *m, const char *text, size_t size)
{
    ix_model_scratch *s = NULL;
    ix_token_list first = { 0 }, again = { 0 };
    if (ix_model_scratch_new(m, &s, NULL) != INOX_OK)
        return;
    inox_status status = ix_model_tokenize(m, s, text, 0, size, &first, NULL);
    check(ix_model_tokenize(m, s, text, 0, size, &again, NULL) == status);
    if (status == INOX_OK) {
        check_tokens(m, &first, size);
        check(first.count == again.count);
        check(first.count == 0 ||
              memcmp(first.items, again.items, first.count * sizeof *first.items) == 0);
    }
    ix_token_list_release(&first);
    ix_token_list_release(&again);
    ix_model_scratch_free(s);
}

/* The ids of each word alone are the ids of all: caches and blocks change nothing. */
static void run_fast(const ix_model *m, const char *name, const char *text, size_t size)
{
    ix_fast *f = NULL;
    ix_model_scratch *s = NULL, *fresh = NULL;
    ix_encoding whole = { .want = IX_WANT_OFFSETS }, words = { .want = IX_WANT_OFFSETS };
    ix_pretokenizer pre;
    ix_pre_cursor c;
    size_t start, end;
    if (ix_fast_from_name(name, m, &f, NULL) == INOX_OK && f &&
        ix_model_scratch_new(NULL, &s, NULL) == INOX_OK &&
        ix_model_scratch_new(NULL, &fresh, NULL) == INOX_OK && ix_pretokenizer_find(name, &pre)) {
        check(ix_fast_encode(f, s, text, 0, size, NULL, NULL, &whole, NULL) == INOX_OK);
        for (size_t i = 0; i < whole.count; i++)
            check(ix_model_piece(m, whole.ids[i]).data != NULL && whole.ends[i] <= size &&
                  whole.starts[i] < whole.ends[i]);
        ix_pre_start(&c, &pre, text, size);
        while (ix_pre_next(&c, &start, &end)) {
            /* A word may be several for the expression once it stands alone: "don" of "don't". */
            size_t before = words.count;
            check(ix_fast_encode(f, fresh, text, start, end, NULL, NULL, &words, NULL) == INOX_OK);
            for (size_t i = before; i < words.count; i++)
                check(i < whole.count && words.ids[i] == whole.ids[i] &&
                      words.starts[i] == whole.starts[i] && words.ends[i] == whole.ends[i]);
        }
        check(words.count == whole.count);
    }
    ix_encoding_release(&whole);
    ix_encoding_release(&words);
    ix_model_scratch_free(s);
    ix_model_scratch_free(fresh);
    ix_fast_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "gpt-2", "llama3", "qwen2", "gpt-4o", "tekken" };
    const uint8_t *cut = size > 0 ? memchr(data, 0xFF, size) : NULL;
    if (!cut || (size_t)(cut - data) + 2 > size)
        return 0;
    json_t *j = json_loadb((const char *)data, (size_t)(cut - data), JSON_ALLOW_NUL, NULL);
    const char *text = (const char *)cut + 2;
    size_t text_size = size - (size_t)(cut - data) - 2;
    ix_model *m = NULL;
    if (j && is_utf8(text, text_size) && ix_model_from_json(j, &m, NULL) == INOX_OK) {
        run_model(m, text, text_size);
        run_fast(m, names[cut[1] % 5], text, text_size);
    }
    ix_model_free(m);
    json_decref(j);
    return 0;
}
