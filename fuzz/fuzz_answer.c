/* Answers: a chat template, NUL, what a model wrote, perhaps NUL and the tools with their schemas.
 * The events must be the same whatever pieces the answer comes in. */
#include "text/answer/answer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct record {
    ix_buffer text;
    ix_answer_part last;
    bool begun;
} record;

static inox_status add(void *context, const ix_answer_event *e, inox_error *err)
{
    record *r = context;
    const ix_text_view parts[] = { e->text, e->name, e->id, e->arguments };
    if (!r->begun || e->part != r->last || e->part == IX_ANSWER_CALL)
        IX_TRY(ix_buffer_printf(&r->text, err, "\n%d ", (int)e->part));
    r->begun = true;
    r->last = e->part;
    for (int i = 0; i < 4; i++)
        if (parts[i].size > 0)
            IX_TRY(ix_buffer_append(&r->text, parts[i].data, parts[i].size, err));
    return INOX_OK;
}

static void parse(const ix_answer_format *f, ix_text_view tools, const char *answer, size_t size,
                  size_t step, record *out)
{
    ix_answer_parser *p = NULL;
    *out = (record){ 0 };
    if (ix_answer_parser_new(f, (ix_text_view){ "", 0 }, add, out, &p, NULL) != INOX_OK)
        return;
    if (tools.data)
        (void)!ix_answer_parser_tools(p, tools, NULL);
    for (size_t at = 0; at < size; at += step)
        (void)!ix_answer_push(p, answer + at, size - at < step ? size - at : step, NULL);
    (void)!ix_answer_finish(p, NULL);
    ix_answer_parser_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, 0, size) : NULL;
    ix_template *t = NULL;
    ix_answer_format *f = NULL;
    if (!end || ix_template_new((const char *)data, (size_t)(end - data), &t, NULL) != INOX_OK)
        return 0;
    if (ix_answer_learn(t, &f, NULL) == INOX_OK) {
        const char *answer = (const char *)end + 1;
        size_t bytes = size - (size_t)(end - data) - 1;
        const char *second = memchr(answer, 0, bytes);
        ix_text_view tools = { NULL, 0 };
        record whole, pieces;
        if (second) {
            tools = (ix_text_view){ second + 1, bytes - (size_t)(second - answer) - 1 };
            bytes = (size_t)(second - answer);
        }
        parse(f, tools, answer, bytes, bytes + 1, &whole);
        for (size_t step = 1; step < 4; step++) {
            parse(f, tools, answer, bytes, step, &pieces);
            if (whole.text.size != pieces.text.size ||
                (whole.text.size > 0 &&
                 memcmp(whole.text.data, pieces.text.data, whole.text.size) != 0))
                abort();
            ix_buffer_release(&pieces.text);
        }
        ix_buffer_release(&whole.text);
    }
    ix_answer_format_free(f);
    ix_template_free(t);
    return 0;
}
