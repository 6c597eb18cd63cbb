/* The functions of inox_text.h about chat templates, and the files that carry one: Jinja source, or
 * JSON with a member chat_template (a string, or [{"name": ..., "template": ...}, ...]).
 */
#include "text/public.h"

#include "base/limits.h"
#include "base/os.h"
#include "text/jinja/template.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* An inox_template is an ix_template under a public name. */
_Static_assert(sizeof(inox_range) == sizeof(ix_template_span) &&
                   offsetof(inox_range, end) == offsetof(ix_template_span, end),
               "public and internal types differ");

static ix_template *inside(const inox_template *t)
{
    return (ix_template *)(uintptr_t)t;
}

inox_status inox_template_new(const char *source, size_t bytes, inox_template **out,
                              inox_error *err)
{
    ix_template *t = NULL;
    if (out == NULL || (source == NULL && bytes > 0))
        return ix_fail(err, INOX_E_ARGUMENT, "inox_template_new: a pointer is NULL");
    *out = NULL;
    IX_TRY(ix_template_new(source == NULL ? "" : source, bytes, &t, err));
    *out = (inox_template *)t;
    return INOX_OK;
}

void inox_template_free(inox_template *t)
{
    ix_template_free(inside(t));
}

/* ---- rendering */

struct inox_rendering {
    ix_template_result result;
};

/* Two or four digits at s[at..]; -1 where there are none. */
static int digits(const char *s, size_t at, size_t count)
{
    int value = 0;
    for (size_t i = at; i < at + count; i++) {
        if (s[i] < '0' || s[i] > '9')
            return -1;
        value = 10 * value + (s[i] - '0');
    }
    return value;
}

/* "2026-07-04 15:30:45" */
static inox_status read_now(const char *now, ix_template_options *out, inox_error *err)
{
    static const int DAYS[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool shaped = strlen(now) == 19 && now[4] == '-' && now[7] == '-' &&
                  (now[10] == ' ' || now[10] == 'T') && now[13] == ':' && now[16] == ':';
    if (shaped) {
        int year = digits(now, 0, 4), month = digits(now, 5, 2), day = digits(now, 8, 2);
        int hour = digits(now, 11, 2), minute = digits(now, 14, 2), second = digits(now, 17, 2);
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        int days = month >= 1 && month <= 12 ? DAYS[month - 1] + (month == 2 && leap) : 0;
        if (year >= 1 && day >= 1 && day <= days && hour >= 0 && hour < 24 && minute >= 0 &&
            minute < 60 && second >= 0 && second < 60) {
            out->has_now = true;
            out->now.year = year;
            out->now.month = month;
            out->now.day = day;
            out->now.hour = hour;
            out->now.minute = minute;
            out->now.second = second;
            return INOX_OK;
        }
    }
    return ix_fail(err, INOX_E_ARGUMENT,
                   "'%.40s' is no time: write one like \"2026-07-04 15:30:45\"", now);
}

inox_status inox_template_render(const inox_template *t, const char *variables, size_t bytes,
                                 const inox_template_options *options, inox_rendering **out,
                                 inox_error *err)
{
    static const inox_template_options USUAL = INOX_TEMPLATE_OPTIONS_INIT;
    ix_template_options o = { 0 };
    inox_rendering *r;
    if (t == NULL || out == NULL || (variables == NULL && bytes > 0))
        return ix_fail(err, INOX_E_ARGUMENT, "inox_template_render: a pointer is NULL");
    *out = NULL;
    options = options == NULL ? &USUAL : options;
    if (options->size != sizeof *options)
        return ix_fail(err, INOX_E_ARGUMENT,
                       "inox_template_options.size is %zu: use INOX_TEMPLATE_OPTIONS_INIT",
                       options->size);
    o.steps_max = options->steps_max;
    o.memory_max = options->memory_max > SIZE_MAX ? SIZE_MAX : (size_t)options->memory_max;
    o.output_max = options->output_max > SIZE_MAX ? SIZE_MAX : (size_t)options->output_max;
    if (options->now != NULL)
        IX_TRY(read_now(options->now, &o, err));
    IX_TRY(IX_ALLOC(&r, 1, err));
    inox_status status = ix_template_render(inside(t), variables == NULL ? "" : variables, bytes,
                                            &o, &r->result, err);
    if (status != INOX_OK) {
        ix_free(r);
        return status;
    }
    *out = r;
    return INOX_OK;
}

void inox_rendering_free(inox_rendering *rendering)
{
    if (rendering == NULL)
        return;
    ix_template_result_release(&rendering->result);
    ix_free(rendering);
}

inox_text inox_rendering_text(const inox_rendering *rendering)
{
    if (rendering == NULL || rendering->result.text == NULL)
        return (inox_text){ "", 0 };
    return (inox_text){ rendering->result.text, rendering->result.size };
}

const inox_range *inox_rendering_spans(const inox_rendering *rendering, size_t *count)
{
    if (count != NULL)
        *count = rendering == NULL ? 0 : rendering->result.span_count;
    return rendering == NULL ? NULL : (const inox_range *)rendering->result.spans;
}

/* ---- files */

/* chat_template: a string, or a list of objects with name and template.  *found is NULL where the
 * name is none of them. */
static inox_status choose(const json_t *chat, const char *name, const json_t **found,
                          inox_error *err)
{
    size_t i;
    json_t *one;
    *found = NULL;
    if (json_is_string(chat)) {
        *found = strcmp(name, "default") == 0 ? chat : NULL;
        return INOX_OK;
    }
    if (!json_is_array(chat))
        return ix_fail(err, INOX_E_FORMAT,
                       "chat_template is neither a string nor a list of named templates");
    json_array_foreach(chat, i, one)
    {
        const json_t *key = json_object_get(one, "name"), *text = json_object_get(one, "template");
        if (!json_is_string(key) || !json_is_string(text))
            return ix_fail(err, INOX_E_FORMAT, "item %zu of chat_template has no name and template",
                           i);
        if (strcmp(json_string_value(key), name) == 0)
            *found = text;
    }
    return INOX_OK;
}

static inox_status from_json(const json_t *root, const char *name, inox_template **out,
                             inox_error *err)
{
    const json_t *found, *chat = json_object_get(root, "chat_template");
    if (chat == NULL)
        return ix_fail(err, INOX_E_NOT_FOUND, "the file has no chat_template");
    IX_TRY(choose(chat, name, &found, err));
    if (found == NULL)
        return ix_fail(err, INOX_E_NOT_FOUND, "the file has no chat template named '%s'", name);
    return inox_template_new(json_string_value(found), json_string_length(found), out, err);
}

inox_status ix_public_template(const char *data, size_t size, const char *name, inox_template **out,
                               inox_error *err)
{
    json_error_t e;
    /* Numbers are not looked at; those of published files do not fit integers.  Jinja source that
     * begins with a brace ({{ or {%) is no JSON. */
    json_t *root =
        json_loadb(data, size, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL | JSON_DECODE_ANY, &e);
    inox_status status;
    if (json_is_object(root))
        status = from_json(root, name == NULL ? "default" : name, out, err);
    else if (name != NULL && strcmp(name, "default") != 0)
        status = ix_fail(err, INOX_E_NOT_FOUND,
                         "the file is one template in Jinja, and none named '%s'", name);
    else
        status = inox_template_new(data, size, out, err);
    json_decref(root);
    return status;
}

/* Opens folder/leaf; *there: it exists. */
static inox_status open_leaf(const char *folder, const char *leaf, const char *name, bool *there,
                             inox_template **out, inox_error *err)
{
    ix_buffer path = { 0 };
    char *data = NULL;
    size_t size;
    inox_status status = ix_buffer_printf(&path, err, "%s/%s", folder, leaf);
    *there = status == INOX_OK && ix_path_exists(path.data);
    if (*there)
        status = ix_file_read(path.data, IX_MAX_JSON_BYTES, &data, &size, err);
    if (*there && status == INOX_OK) {
        status = ix_public_template(data, size, name, out, err);
        if (status != INOX_OK)
            status = ix_prefix(err, status, "%s", path.data);
    }
    ix_free(data);
    ix_buffer_release(&path);
    return status;
}

inox_status ix_public_template_directory(const char *path, const char *name, inox_template **out,
                                         inox_error *err)
{
    char named[300];
    bool there = false;
    if (name != NULL && strcmp(name, "default") != 0) {
        if (strlen(name) > 200 || strchr(name, '/') != NULL)
            return ix_fail(err, INOX_E_ARGUMENT, "'%.40s' is no name of a template", name);
        snprintf(named, sizeof named, "additional_chat_templates/%s.jinja", name);
        IX_TRY(open_leaf(path, named, NULL, &there, out, err));
    } else {
        IX_TRY(open_leaf(path, "chat_template.jinja", NULL, &there, out, err));
    }
    static const char *const LEAVES[] = { "chat_template.json", "tokenizer_config.json" };
    for (size_t i = 0; !there && i < sizeof LEAVES / sizeof *LEAVES; i++)
        IX_TRY(open_leaf(path, LEAVES[i], name, &there, out, err));
    if (there)
        return INOX_OK;
    return ix_fail(err, INOX_E_NOT_FOUND,
                   "%s: has no chat_template.jinja, chat_template.json or tokenizer_config.json",
                   path);
}
