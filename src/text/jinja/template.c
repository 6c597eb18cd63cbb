/* Templates: compiling, rendering, and errors with line and column. */
#include "text/jinja/template.h"

#include "base/os.h"
#include "text/jinja/eval.h"
#include "text/jinja/lex.h"
#include "text/unicode.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

/* AddressSanitizer sees more where every value is a block of its own. */
#if defined(__SANITIZE_ADDRESS__)
#define WARM_MAX ((size_t)0)
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WARM_MAX ((size_t)0)
#endif
#endif
#ifndef WARM_MAX
#define WARM_MAX ((size_t)4 << 20) /* bytes */
#endif

struct ix_template {
    ix_jprogram program;
    _Atomic(ix_jwarm *) *warm; /* of the last rendering; NULL in it: none, or in use */
    ix_jrender constants;      /* owns the values in the tree */
    char *original;            /* the source as it was given */
    size_t original_size;
};

/* ---- errors ---------------------------------------------------------------------------------- */

/* Line, column (in characters) and byte in the original source of byte `at` of the source with
 * normal lines. */
static void locate(const ix_template *t, size_t at, size_t *line, size_t *column, size_t *byte)
{
    size_t normal = 0, i = 0;

    *line = *column = 1;
    for (; i < t->original_size && normal < at; i++, normal++) {
        unsigned char c = (unsigned char)t->original[i];

        if (c == '\r' && i + 1 < t->original_size && t->original[i + 1] == '\n')
            i++;
        if (c == '\n' || c == '\r') {
            ++*line;
            *column = 1;
        } else if ((c & 0xC0) != 0x80) {
            ++*column;
        }
    }
    *byte = i;
}

/* Puts the place before the message. */
static inox_status placed(const ix_template *t, size_t at, inox_status status, inox_error *err)
{
    size_t line, column, byte;

    if (err == NULL || at == IX_J_NOWHERE)
        return status;
    locate(t, at, &line, &column, &byte);
    (void)ix_prefix(err, status, "line %zu, column %zu", line, column);
    err->position = (int64_t)byte;
    return status;
}

/* ---- compiling ------------------------------------------------------------------------------- */

static inox_status check_utf8(const char *text, size_t size, inox_error *err)
{
    for (size_t i = 0; i < size;) {
        bool whole, wrong;
        size_t n = ix_utf8_prefix(text + i, size - i, &whole, &wrong);

        if (wrong || !whole)
            return ix_fail_at(err, INOX_E_FORMAT, i, "the template is no UTF-8 at byte %zu", i);
        i += n;
    }
    return INOX_OK;
}

static inox_status compile(ix_template *t, const char *source, size_t size, inox_error *err)
{
    char *normal = NULL;

    IX_TRY(IX_ALLOC(&t->warm, 1, err));
    IX_TRY(ix_strndup(source, size, &t->original, err));
    t->original_size = size;
    t->program.arena.limit = IX_MAX_TEMPLATE_MEMORY;
    t->constants.memory_left = t->constants.memory_max = IX_MAX_TEMPLATE_MEMORY;
    t->constants.steps_left = t->constants.steps_max = IX_MAX_TEMPLATE_STEPS;
    t->constants.text_max = IX_MAX_TEMPLATE_BYTES;
    t->constants.error_at = IX_J_NOWHERE;
    t->program.constants = &t->constants;
    IX_TRY(IX_ARENA(&t->program.arena, &normal, size + 1, err));
    t->program.source_size = (uint32_t)ix_j_normal_lines(source, size, normal);
    t->program.source = normal;
    inox_error own = { .position = -1 };
    inox_status status = ix_j_parse(&t->program, &own);
    if (status == INOX_OK)
        return INOX_OK;
    if (err)
        *err = own;
    return placed(t, own.position < 0 ? IX_J_NOWHERE : (size_t)own.position, status, err);
}

inox_status ix_template_new(const char *source, size_t size, ix_template **out, inox_error *err)
{
    ix_template *t = NULL;

    *out = NULL;
    if (size > IX_MAX_TEMPLATE_BYTES)
        return ix_fail(err, INOX_E_LIMIT, "a template of %zu bytes exceeds the limit of %llu", size,
                       (unsigned long long)IX_MAX_TEMPLATE_BYTES);
    IX_TRY(check_utf8(source, size, err));
    IX_TRY(IX_ALLOC(&t, 1, err));
    inox_status status = compile(t, source, size, err);
    if (status != INOX_OK) {
        ix_template_free(t);
        return status;
    }
    *out = t;
    return INOX_OK;
}

void ix_template_free(ix_template *t)
{
    if (!t)
        return;
    if (t->warm)
        ix_free(atomic_load(t->warm));
    ix_free(t->warm);
    ix_arena_release(&t->program.arena);
    ix_arena_release(&t->constants.arena);
    ix_free(t->original);
    ix_free(t);
}

ix_text_view ix_template_source(const ix_template *t)
{
    return (ix_text_view){ t->original, t->original_size };
}

/* ---- rendering ------------------------------------------------------------------------------- */

inox_status ix_j_now(ix_jrender *r, ix_jtime *out, inox_error *err)
{
    time_t now = (time_t)ix_wall_clock_seconds();
    struct tm tm;

    if (r->options->has_now) {
        *out =
            (ix_jtime){ r->options->now.year,       r->options->now.month,  r->options->now.day,
                        r->options->now.hour,       r->options->now.minute, r->options->now.second,
                        r->options->now.microsecond };
        return INOX_OK;
    }
    if (localtime_r(&now, &tm) == NULL)
        return ix_fail(err, INOX_E_IO, "the clock cannot be read");
    *out = (ix_jtime){ .year = tm.tm_year + 1900,
                       .month = tm.tm_mon + 1,
                       .day = tm.tm_mday,
                       .hour = tm.tm_hour,
                       .minute = tm.tm_min,
                       .second = tm.tm_sec };
    return INOX_OK;
}

/* What every name means that no scope of the template defines. */
static inox_status resolve_globals(ix_jrender *r, const ix_jdict *variables, inox_error *err)
{
    const ix_jprogram *p = r->program;

    IX_TRY(IX_J_ALLOC(r, &r->globals, p->global_count, err));
    for (uint32_t i = 0; i < p->global_count; i++) {
        ix_jstring *name = p->names[p->globals[i]];
        const ix_jvalue *value = ix_j_dict_find(variables, name);
        const ix_jentry *entry =
            value ? NULL : ix_j_find_entry(ix_j_globals, name->data, name->size);

        if (value)
            r->globals[i] = *value;
        else if (entry)
            IX_TRY(ix_j_bind_method(r, entry, ix_j_missing(), &r->globals[i], err));
    }
    return INOX_OK;
}

/* Half a surrogate pair cannot be written as UTF-8: Python fails there too. */
static inox_status check_surrogates(const ix_jbuilder *b, inox_error *err)
{
    const char *p = b->data, *end = b->size > 0 ? p + b->size : p;

    while (p < end && (p = memchr(p, 0xED, (size_t)(end - p))) != NULL) {
        if (end - p > 1 && (unsigned char)p[1] >= 0xA0)
            return ix_j_fail(err, "UnicodeEncodeError",
                             "the text holds half a surrogate pair at byte %zu",
                             (size_t)(p - b->data));
        p++;
    }
    return INOX_OK;
}

/* The text lies in out->text already, unless that had no room for it. */
static inox_status hand_out(const ix_jbuilder *b, ix_template_result *out, inox_error *err)
{
    inox_status status = INOX_OK;
    bool there = b->size > 0 && b->data == out->text;

    IX_TRY_GOTO(status, check_surrogates(b, err), failed);
    IX_TRY_GOTO(status, IX_REALLOC(&out->text, b->size + 1, err), failed);
    if (b->size > 0 && !there)
        memcpy(out->text, b->data, b->size);
    out->text[b->size] = '\0';
    out->size = b->size;
    IX_TRY_GOTO(status, IX_REALLOC(&out->spans, b->span_count, err), failed);
    for (size_t i = 0; i < b->span_count; i++)
        out->spans[i] = (ix_template_span){ b->spans[i].start, b->spans[i].end };
    out->span_count = b->span_count;
    return INOX_OK;
failed:
    ix_template_result_release(out);
    return status;
}

static inox_status render(const ix_template *t, ix_jrender *r, const char *variables, size_t size,
                          ix_template_result *out, inox_error *err)
{
    ix_jbuilder text = ix_jb(r);
    ix_jvalue root;

    IX_TRY(ix_j_read_json(r, variables, size, &root, err));
    IX_TRY(resolve_globals(r, root.dict, err));
    IX_TRY(IX_J_ALLOC(r, &r->spare, t->program.function_count, err));
    IX_TRY(IX_J_ALLOC(r, &r->hints, t->program.field_count, err));
    if (size < r->text_max) { /* often about what the text takes */
        IX_TRY(IX_REALLOC(&out->text, size + 1, err));
        text.data = out->text;
        text.capacity = size;
    }
    inox_status status = ix_j_run_root(r, &text, err);
    if (status == INOX_OK)
        return hand_out(&text, out, err);
    ix_template_result_release(out);
    return placed(t, r->error_at, status, err);
}

/* Takes the warm memory for a rendering. */
static ix_jwarm *take_warm(const ix_template *t, ix_jrender *r)
{
    ix_jwarm *warm = atomic_exchange(t->warm, NULL);

    if (warm && WARM_MAX > 0) {
        size_t size = warm->size < r->memory_left ? warm->size : r->memory_left;

        r->warm = warm->data;
        r->warm_end = r->warm + size;
        r->memory_left -= size;
    }
    return warm;
}

/* Gives it back, larger if this rendering would have used more.  Doing without is no failure. */
static void give_warm(const ix_template *t, ix_jwarm *warm, size_t beyond)
{
    size_t size = (warm ? warm->size : 0) + beyond;
    void *larger = NULL;

    size = (size > WARM_MAX ? WARM_MAX : size) & ~(size_t)7;
    if (size > (warm ? warm->size : 0) &&
        ix_alloc(1, sizeof(ix_jwarm) + size, &larger, NULL) == INOX_OK) {
        ix_free(warm);
        warm = larger;
        warm->size = size;
    }
    ix_free(atomic_exchange(t->warm, warm));
}

inox_status ix_template_render(const ix_template *t, const char *variables, size_t variables_size,
                               const ix_template_options *options, ix_template_result *out,
                               inox_error *err)
{
    static const ix_template_options defaults;
    ix_jrender r = { .program = &t->program, .error_at = IX_J_NOWHERE };

    *out = (ix_template_result){ 0 };
    r.options = options ? options : &defaults;
    r.steps_max = r.options->steps_max ? r.options->steps_max : IX_MAX_TEMPLATE_STEPS;
    r.steps_left = r.steps_max;
    r.memory_max = r.options->memory_max ? r.options->memory_max : IX_MAX_TEMPLATE_MEMORY;
    r.memory_left = r.memory_max & ~(size_t)7;
    r.text_max = r.options->output_max ? r.options->output_max : IX_MAX_TEMPLATE_OUTPUT;
    if (r.text_max > UINT32_MAX / 2)
        r.text_max = UINT32_MAX / 2;
    if (variables_size > IX_MAX_JSON_BYTES)
        return ix_fail(err, INOX_E_LIMIT, "variables of %zu bytes exceed the limit of %llu",
                       variables_size, (unsigned long long)IX_MAX_JSON_BYTES);
    ix_jwarm *warm = take_warm(t, &r);
    inox_status status = render(t, &r, variables, variables_size, out, err);
    give_warm(t, warm, r.arena.bytes);
    ix_arena_release(&r.arena);
    return status;
}

void ix_template_result_release(ix_template_result *r)
{
    ix_free(r->text);
    ix_free(r->spans);
    *r = (ix_template_result){ 0 };
}
