/* Fuzz target: a chat template and its variables.
 *
 *     template, NUL, variables (JSON); without a NUL: the template, and no variables
 *
 * Whatever they are: a result or an error with words, within its budget; the text is UTF-8, the
 * spans of users' bytes are in order and apart; a second rendering gives the same. */
#include "text/jinja/template.h"
#include "text/unicode.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_result(const ix_template_result *r)
{
    size_t before = 0;

    check(r->text && r->text[r->size] == '\0');
    for (size_t i = 0; i < r->size;) {
        bool whole, bad;

        i += ix_utf8_prefix(r->text + i, r->size - i, &whole, &bad);
        check(whole && !bad);
    }
    for (size_t i = 0; i < r->span_count; i++) {
        ix_template_span s = r->spans[i];

        check(s.start < s.end && s.end <= r->size && (i == 0 || s.start > before));
        before = s.end;
    }
}

static bool same(const ix_template_result *a, const ix_template_result *b)
{
    return a->size == b->size && memcmp(a->text, b->text, a->size) == 0 &&
           a->span_count == b->span_count &&
           (a->span_count == 0 ||
            memcmp(a->spans, b->spans, a->span_count * sizeof *a->spans) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const ix_template_options options = {
        .steps_max = 20000,
        .memory_max = 8 << 20,
        .output_max = 1 << 20,
        .has_now = true,
        .now = { 2026, 7, 4, 15, 30, 45, 0 },
    };
    const uint8_t *nul = size > 0 ? memchr(data, 0, size) : NULL;
    size_t source_size = nul ? (size_t)(nul - data) : size;
    const char *variables = nul ? (const char *)nul + 1 : "{}";
    size_t variables_size = nul ? size - source_size - 1 : 2;
    ix_template *t = NULL;
    ix_template_result first = { 0 }, second = { 0 };
    inox_error err = { 0 }, again = { 0 };

    inox_status status = ix_template_new((const char *)data, source_size, &t, &err);
    if (status != INOX_OK) {
        check(t == NULL && err.code == status && err.message[0] != '\0');
        return 0;
    }
    status = ix_template_render(t, variables, variables_size, &options, &first, &err);
    check(ix_template_render(t, variables, variables_size, &options, &second, &again) == status);
    if (status == INOX_OK) {
        check_result(&first);
        check(same(&first, &second));
    } else {
        check(!first.text && err.code == status && err.message[0] != '\0');
        check(strcmp(err.message, again.message) == 0);
    }
    ix_template_result_release(&first);
    ix_template_result_release(&second);
    ix_template_free(t);
    return 0;
}
