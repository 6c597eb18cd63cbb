/* Fields of the parts of a tokenizer.json.  See component.h. */
#include "text/component.h"

#include "base/alloc.h"
#include "text/unicode.h"

#include <string.h>

/* All the words of `fields` are keys of j. */
static bool has_fields(const json_t *j, const char *fields)
{
    char name[64];
    while (*fields) {
        size_t n = strcspn(fields, " ");
        if (n >= sizeof name)
            return false;
        memcpy(name, fields, n);
        name[n] = 0;
        if (!json_object_get(j, name))
            return false;
        fields += n;
        fields += *fields == ' ';
    }
    return true;
}

static inox_status unknown_type(const json_t *j, const ix_component_type *types, const char *what,
                                inox_error *err)
{
    ix_buffer known = { 0 };
    const char *type = json_string_value(json_object_get(j, "type"));
    inox_status status = INOX_OK;
    for (size_t i = 0; types[i].name && status == INOX_OK; i++)
        status = ix_buffer_printf(&known, err, "%s%s", i ? ", " : "", types[i].name);
    if (status == INOX_OK && type)
        status = ix_fail(err, INOX_E_UNSUPPORTED, "the %s has type '%.64s'; supported are %s", what,
                         type, known.data);
    else if (status == INOX_OK)
        status =
            ix_fail(err, INOX_E_FORMAT, "the %s has no type; supported are %s", what, known.data);
    ix_buffer_release(&known);
    return status;
}

inox_status ix_component_find(const json_t *j, const ix_component_type *types, const char *what,
                              size_t *index, inox_error *err)
{
    if (!json_is_object(j))
        return ix_fail(err, INOX_E_FORMAT, "the %s is not a JSON object", what);
    const char *type = json_string_value(json_object_get(j, "type"));
    for (*index = 0; type && types[*index].name; ++*index)
        if (strcmp(type, types[*index].name) == 0)
            return INOX_OK;
    for (*index = 0; types[*index].name; ++*index)
        if (types[*index].fields && has_fields(j, types[*index].fields))
            return INOX_OK;
    return unknown_type(j, types, what, err);
}

static inox_status wrong(const char *type, const char *name, const json_t *value, const char *want,
                         inox_error *err)
{
    return ix_fail(err, INOX_E_FORMAT, "%s: the field '%s' %s; it has to be %s", type, name,
                   value ? "is something else" : "is missing", want);
}

inox_status ix_field_bool(const json_t *j, const char *type, const char *name, bool *out,
                          inox_error *err)
{
    const json_t *value = json_object_get(j, name);
    if (!json_is_boolean(value))
        return wrong(type, name, value, "true or false", err);
    *out = json_is_true(value);
    return INOX_OK;
}

inox_status ix_field_string(const json_t *j, const char *type, const char *name, ix_text_view *out,
                            inox_error *err)
{
    const json_t *value = json_object_get(j, name);
    if (!json_is_string(value))
        return wrong(type, name, value, "a string", err);
    *out = (ix_text_view){ json_string_value(value), json_string_length(value) };
    return INOX_OK;
}

inox_status ix_field_count(const json_t *j, const char *type, const char *name, size_t *out,
                           inox_error *err)
{
    const json_t *value = json_object_get(j, name);
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return wrong(type, name, value, "a number from 0 on", err);
    *out = (size_t)json_integer_value(value);
    return INOX_OK;
}

inox_status ix_field_character(const json_t *j, const char *type, const char *name, uint32_t *out,
                               inox_error *err)
{
    const json_t *value = json_object_get(j, name);
    size_t size = json_is_string(value) ? json_string_length(value) : 0;
    if (size == 0 || ix_utf8_read(json_string_value(value), size, out) != size ||
        *out == IX_BAD_CHARACTER)
        return wrong(type, name, value, "a string of one character", err);
    return INOX_OK;
}

inox_status ix_field_pattern(const json_t *j, const char *type, const char *name, ix_pattern **out,
                             inox_error *err)
{
    const json_t *value = json_object_get(j, name);
    const json_t *literal = json_object_get(value, "String");
    const json_t *expression = json_object_get(value, "Regex");
    *out = NULL;
    if (json_object_size(value) != 1 || !(json_is_string(literal) || json_is_string(expression)))
        return wrong(type, name, value, "{\"String\": \"...\"} or {\"Regex\": \"...\"}", err);
    if (literal)
        return ix_pattern_new_literal(json_string_value(literal), json_string_length(literal), out,
                                      err);
    inox_status status =
        ix_pattern_new(json_string_value(expression), json_string_length(expression),
                       IX_REGEX_ONIGURUMA, out, err);
    return status == INOX_OK ? status : ix_prefix(err, status, "%s", type);
}

inox_status ix_field_array(const json_t *j, const char *type, const char *name, const json_t **out,
                           inox_error *err)
{
    *out = json_object_get(j, name);
    return json_is_array(*out) ? INOX_OK : wrong(type, name, *out, "a list", err);
}

inox_status ix_field_choice(const json_t *j, const char *type, const char *name,
                            const char *const *names, int *out, inox_error *err)
{
    const json_t *value = json_object_get(j, name);
    const char *given = json_string_value(value);
    for (*out = 0; given && names[*out]; ++*out)
        if (strcmp(given, names[*out]) == 0)
            return INOX_OK;
    ix_buffer want = { 0 };
    inox_status status = INOX_OK;
    for (size_t i = 0; names[i] && status == INOX_OK; i++)
        status = ix_buffer_printf(&want, err, "%s%s", i ? ", " : "one of ", names[i]);
    if (status == INOX_OK)
        status = wrong(type, name, value, want.data, err);
    ix_buffer_release(&want);
    return status;
}

bool ix_field_given(const json_t *j, const char *name)
{
    const json_t *value = json_object_get(j, name);
    return value && !json_is_null(value);
}
